internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// Changes the mounts of a container that is there already, by a process that enters all of it but its pid namespace:
/// no process of the container sees it, and what it mounts was opened on the host before.
enum RunningMounts {
    /// All of them, or none.
    static func add(_ plan: RunningMountsPlan, to record: Record) throws(StepFailure) {
        let target = try step(.join, try ExecTarget.open(record, plan.namespaces))
        let resources = try step(.sources) { () throws(SystemError) -> LaunchResources in
            var resources = LaunchResources()
            var late = LateSources(plan.rootfs)
            // How their events travel follows the root of nearly every container.
            for mount in plan.rootfs.mounts { try resources.open(mount, propagation: (.slave, true), &late) }
            return resources
        }
        try step(.join, try target.check())
        try change(target, plan.namespaces) { root, link throws(SystemError) in
            let mounts = Mounts(
                plan: plan.rootfs, namespaces: plan.namespaces, rootPath: "/", cgroupDirectory: nil, hostCgroups: nil)
            var made = DescriptorTable()
            for mount in plan.rootfs.mounts {
                do throws(SystemError) {
                    if let mount = try mounts.mount(mount, resources.mounts, in: root, link) { made.append(mount) }
                } catch {
                    // Best effort, since the first failure is the one to report; and by what was mounted, wherever
                    // links of the image have led it.
                    for index in (0..<made.count).reversed() {
                        try? made.with(index) { done throws(SystemError) in
                            try Files.changeDirectory(to: done)
                            try Mounting.detachHere(".")
                        }
                    }
                    throw mount.named(error)
                }
            }
        }
    }

    /// The last first, since one may lie in another.
    static func remove(_ destinations: [String], from record: Record, _ namespaces: NamespacePlan) throws(StepFailure) {
        let target = try step(.join, try ExecTarget.open(record, namespaces))
        try step(.join, try target.check())
        try change(target, namespaces) { root, _ throws(SystemError) in
            for (index, destination) in destinations.enumerated().reversed() {
                do throws(SystemError) {
                    try detach(destination, in: root)
                } catch {
                    throw .refused("mounts[\(index)] at \(destination): \(words(error))")
                }
            }
        }
    }

    private static func words(_ error: SystemError) -> String {
        switch error.code {
        case .invalidArgument: "nothing is mounted there, or what the container was made with and is locked"
        case .symbolicLinkLoop: "a symbolic link leads there, which the container may have put there"
        default: "\(error)"
        }
    }

    /// Along no link: the container could lead the way to what masks a path of it.
    private static func detach(_ destination: String, in root: borrowing RootDirectory) throws(SystemError) {
        let (folder, name) = split(destination)
        try Files.changeDirectory(to: root.openWithoutLinks(folder, [.path, .directory]))
        try Mounting.detachHere(name)
    }

    // MARK: The process that does it

    private struct Helper: ~Copyable {
        let link: Link
        let process: ChildProcess
    }

    private static func change(
        _ target: borrowing ExecTarget, _ namespaces: NamespacePlan,
        _ body: (borrowing RootDirectory, borrowing Link) throws(SystemError) -> Void
    ) throws(StepFailure) {
        let helper = try step(.clone, try spawn(target, namespaces, body))
        let answer = try step(.mounts, try helper.link.receive())
        _ = try step(.mounts, try Processes.wait(helper.process))
        switch consume answer {
        case .some(let received):
            if case .failed(let failure) = received.message { throw failure }
        case .none: throw StepFailure(.mounts, .refused("the process that does it was killed"))
        }
    }

    private static func spawn(
        _ target: borrowing ExecTarget, _ namespaces: NamespacePlan,
        _ body: (borrowing RootDirectory, borrowing Link) throws(SystemError) -> Void
    ) throws(SystemError) -> Helper {
        let pair = try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
        let process = try Cloning.clone(cgroup: nil) {
            pair.runtime.closeInChild()
            live(pair.container, target, namespaces, body)
        }
        return Helper(link: pair.runtime, process: process)
    }

    private static func live(
        _ link: borrowing Link, _ target: borrowing ExecTarget, _ namespaces: NamespacePlan,
        _ body: (borrowing RootDirectory, borrowing Link) throws(SystemError) -> Void
    ) -> Never {
        do throws(StepFailure) {
            try step(.join, try Processes.setDumpable(false))
            _ = Files.setCreationMask(0)
            try step(.join, try target.enter())
            try step(.identity, try NamespaceEntry.becomeRoot(namespaces))
            try step(.mounts) { () throws(SystemError) in
                try body(RootDirectory(try Files.open("/", [.path, .directory])), link)
            }
            try? link.send(.ready)  // a runtime that is gone needs no answer
        } catch {
            try? link.send(.failed(error))
        }
        Processes.exit(0)
    }
}
