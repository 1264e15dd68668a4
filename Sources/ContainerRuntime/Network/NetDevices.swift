internal import Kernel
internal import KernelTypes
internal import Planning

/// Network interfaces on their way into the container, and back while it is not finished.
///
/// Once the container is made they stay with its network namespace: the specification forbids the runtime to take them
/// out again. When that namespace ends, the kernel gives physical interfaces back under the name that they have by
/// then, and ends virtual ones.
struct NetDevices: ~Copyable {
    private let host: NetlinkSocket
    private let container: NetlinkSocket
    /// The runtime's own network namespace, and the container's.
    private let hostNamespace: Descriptor
    private let containerNamespace: Descriptor
    private var moved: [Moved] = []

    /// An interface that is in the container now, with what it was on the host.
    private struct Moved {
        let before: NetworkLink
        let addresses: [NetworkAddress]
        var now: NetworkLink
    }

    private init(
        host: consuming NetlinkSocket, container: consuming NetlinkSocket, hostNamespace: consuming Descriptor,
        containerNamespace: consuming Descriptor
    ) {
        self.host = host
        self.container = container
        self.hostNamespace = hostNamespace
        self.containerNamespace = containerNamespace
    }

    /// Opens the ways between the runtime's network namespace and that of the container's process.
    static func open(_ pid: Int32) throws(SystemError) -> NetDevices {
        let own = try Files.open("/proc/self/ns/net", .readOnly)
        let other = try Files.open("/proc/\(pid)/ns/net", .readOnly)
        if try Namespaces.isOwn("net", Files.status(of: other)) {
            throw .refused("linux.netDevices: the container's network namespace is the host's own")
        }
        let container = try NetlinkSocket.open(in: other, subject: "/proc/\(pid)/ns/net")
        return NetDevices(
            host: try NetlinkSocket(), container: container, hostNamespace: own, containerNamespace: other)
    }

    /// Moves all; when one cannot be moved, the others must be given back by ``giveBack(warn:)``.
    mutating func move(_ plans: [NetDevicePlan]) throws(SystemError) {
        for plan in plans {
            do throws(SystemError) {
                try move(plan)
            } catch {
                throw .refused("\(plan.field): \(error)\(Self.hint(error))")
            }
        }
    }

    private static func hint(_ error: SystemError) -> String {
        switch error.code {
        case .invalidArgument: " (the kernel keeps this kind of interface, such as lo, in its namespace)"
        case .notPermitted: " (needs CAP_NET_ADMIN on both sides)"
        default: ""
        }
    }

    private mutating func move(_ plan: NetDevicePlan) throws(SystemError) {
        guard let before = try host.link(named: plan.hostName) else {
            throw .refused("network interface \(plan.hostName) not found on the host")
        }
        if !plan.isPattern, try container.link(named: plan.name) != nil {
            throw .refused("the container has a network interface \(plan.name) already; give another name, or eth%d")
        }
        let addresses = try host.addresses(of: before)
        let others = try container.links().map { $0.index }
        do throws(SystemError) {
            try host.move(before, to: containerNamespace, as: plan.name)
        } catch {
            // Moved and then not renamed, where a process in the container took the name first.
            if let now = try? arrived(before, plan, others), try host.link(named: before.name) == nil {
                moved.append(Moved(before: before, addresses: addresses, now: now))
            }
            throw error
        }
        let now = try arrived(before, plan, others)
        moved.append(Moved(before: before, addresses: addresses, now: now))
        for address in addresses where address.isGlobalAndPermanent { try container.add(address, to: now) }
        try container.setUp(now)
    }

    /// The interface among those of the container: its number may have changed, and a pattern leaves its name to the
    /// kernel.
    private func arrived(
        _ before: NetworkLink, _ plan: NetDevicePlan, _ others: [Int32]
    ) throws(SystemError) -> NetworkLink {
        let new = try container.links().filter { !others.contains($0.index) }
        let prefix = plan.name.parts(by: "%", keepingEmpty: true)[0]
        let match = new.first { plan.isPattern ? $0.name.begins(with: prefix) : $0.name == plan.name }
        guard let found = match ?? new.first(where: { $0.name == before.name }) else {
            throw .refused("network interface \(plan.hostName) has vanished on its way into the container")
        }
        return found
    }

    /// Takes back what was moved, for a container that did not come to be: under the old names, with the old addresses,
    /// up if it was up.
    func giveBack(warn: (String) -> Void) {
        for entry in moved.reversed() {
            do throws(SystemError) {
                try container.move(entry.now, to: hostNamespace, as: entry.before.name)
                guard let link = try host.link(named: entry.before.name) else { continue }
                for address in entry.addresses where address.isGlobalAndPermanent { try host.add(address, to: link) }
                if entry.before.isUp { try host.setUp(link) }
            } catch {
                warn("network interface \(entry.before.name) could not be given back to the host: \(error)")
            }
        }
    }
}
