/// What CRIU is asked to do in detail: `criu_opts` of its interface. What is not set is left to CRIU, and to its
/// configuration file.
package struct CriuOptions: Sendable {
    /// How cgroups are saved and restored: `criu_cg_mode`.
    package enum CgroupMode: Int32, Sendable {
        case ignore = 0, soft = 3, full, strict
    }

    /// How the connections of a container are held still meanwhile: `criu_network_lock_method`.
    package enum NetworkLock: Int32, Sendable {
        case iptables = 1, nftables, skip
    }

    /// What lies outside of what is saved, and what it is called there; or the other way round.
    package struct Pair: Equatable, Sendable {
        package let key: String
        package let value: String

        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// A descriptor of CRIU's process that takes the place of one that was saved.
    package struct Inherited: Equatable, Sendable {
        package let key: String
        package let number: Int32

        package init(_ key: String, _ number: Int32) {
            self.key = key
            self.number = number
        }
    }

    /// Descriptors of the process that asks: CRIU opens them by procfs.
    package var imagesFolder: Int32 = -1
    package var workFolder: Int32?
    /// Likewise.
    package var statusDescriptor: Int32?
    package var pid: Int32?
    package var logFile = ""
    package var logLevel: Int32 = 4
    package var root: String?
    package var parentImages: String?
    package var configFile: String?

    package var leavesRunning = false
    package var externalUnixSockets = false
    package var establishedTCP = false
    package var skipsTCPInFlight = false
    package var closesTCP = false
    package var shellJob = false
    package var fileLocks = false
    package var linkRemap = false
    package var tracksMemory = false
    package var autoDedup = false
    package var lazyPages = false
    package var orphanTerminals = false
    package var notifies = false
    package var restoresAsSibling = false
    package var isUnprivileged = false

    package var pageServer: (address: String, port: Int32)?
    package var mounts: [Pair] = []
    package var inherited: [Inherited] = []
    package var external: [String] = []
    /// Kind and path of namespaces to join.
    package var joined: [Pair] = []
    package var cgroupMode: CgroupMode?
    package var cgroupRoot: String?
    package var freezerCgroup: String?
    /// Flags of clone(2) of namespaces whose content is left out.
    package var emptyNamespaces: UInt32 = 0
    package var networkLock: NetworkLock?
    package var lsmProfile: String?
    package var lsmMountContext: String?

    package init() {}
}

extension CriuOptions {
    /// Writes the message. The field numbers are those of CRIU's rpc.proto, in their order.
    package func write(to writer: inout WireWriter) {
        writer.number(1, imagesFolder)
        if let pid { writer.number(2, pid) }
        writer.set(3, leavesRunning)
        writer.set(4, externalUnixSockets)
        writer.set(5, establishedTCP)
        writer.set(7, shellJob)
        writer.set(8, fileLocks)
        writer.number(9, logLevel)
        if !logFile.isEmpty { writer.text(10, logFile) }
        if let pageServer {
            writer.message(11) { server in
                server.text(1, pageServer.address)
                server.number(2, pageServer.port)
            }
        }
        writer.set(12, notifies)
        if let root { writer.text(13, root) }
        if let parentImages { writer.text(14, parentImages) }
        writer.set(15, tracksMemory)
        writer.set(16, autoDedup)
        if let workFolder { writer.number(17, workFolder) }
        writer.set(18, linkRemap)
        for mount in mounts { writer.pair(23, mount) }
        if let cgroupRoot { writer.message(25) { $0.text(2, cgroupRoot) } }
        writer.set(26, restoresAsSibling)
        for entry in inherited {
            writer.message(27) { descriptor in
                descriptor.text(1, entry.key)
                descriptor.number(2, entry.number)
            }
        }
        writeRest(to: &writer)
    }

    private func writeRest(to writer: inout WireWriter) {
        if let cgroupMode { writer.number(34, cgroupMode.rawValue) }
        for name in external { writer.text(37, name) }
        if emptyNamespaces != 0 { writer.number(38, UInt64(emptyNamespaces)) }
        for namespace in joined { writer.pair(39, namespace) }
        if let freezerCgroup { writer.text(44, freezerCgroup) }
        writer.set(46, skipsTCPInFlight)
        writer.set(48, lazyPages)
        if let statusDescriptor { writer.number(49, statusDescriptor) }
        writer.set(50, orphanTerminals)
        if let configFile { writer.text(51, configFile) }
        writer.set(52, closesTCP)
        if let lsmProfile { writer.text(53, lsmProfile) }
        if let lsmMountContext { writer.text(63, lsmMountContext) }
        if let networkLock { writer.number(64, networkLock.rawValue) }
        writer.set(67, isUnprivileged)
    }
}

extension WireWriter {
    /// A flag that is off is left to CRIU's configuration file.
    fileprivate mutating func set(_ field: UInt32, _ value: Bool) {
        if value { flag(field, true) }
    }

    fileprivate mutating func pair(_ field: UInt32, _ pair: CriuOptions.Pair) {
        message(field) { inner in
            inner.text(1, pair.key)
            inner.text(2, pair.value)
        }
    }
}
