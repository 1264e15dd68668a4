internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The mappings of a container's user namespace, those of an existing one too.
enum JoinedMappings {
    /// - Parameter joined: the namespaces that the container joins.
    static func read(
        _ plan: NamespacePlan, _ joined: borrowing DescriptorTable
    ) throws(SystemError) -> DeviceNodes.Mappings {
        guard let index = plan.joined.firstIndex(where: { $0.type == .user }) else {
            return (plan.uidMappings, plan.gidMappings)
        }
        return try joined.with(index) { namespace throws(SystemError) in try read(of: namespace) }
    }

    /// Only the files of a process in it show them.
    private static func read(of namespace: borrowing Descriptor) throws(SystemError) -> DeviceNodes.Mappings {
        let pair = try Sockets.packetPair { LinkPair(runtime: Link($0), container: Link($1)) }
        let child = try Cloning.clone([], cgroup: nil) {
            pair.runtime.closeInChild()
            do throws(SystemError) {
                // Who has privileges in that namespace could trace a process in it, whose memory and files are the
                // host's.
                try Processes.setDumpable(false)
                try Processes.setNoNewPrivileges()
                try Namespaces.join(namespace, .user, subject: "the user namespace")
                try pair.container.send(.ready)
                // It is killed; should the runtime die first, the link ends.
                _ = try pair.container.receive()
            } catch {
                // A runtime that is gone needs no answer.
                try? pair.container.send(.failed(StepFailure(.devices, error)))
            }
            Processes.exit(0)
        }
        defer {
            // It may only have ended by itself.
            try? Processes.kill(child)
            _ = try? Processes.wait(child)
        }
        try pair.runtime.expect(.ready)
        return (try read("/proc/\(child.pid)/uid_map"), try read("/proc/\(child.pid)/gid_map"))
    }

    private static func read(_ path: String) throws(SystemError) -> [IDMapping] {
        try Files.readText(path).parts(by: "\n").compactMap { line -> IDMapping? in
            let numbers = line.parts(by: " ").compactMap { UInt32($0) }
            guard numbers.count == 3 else { return nil }
            return IDMapping(containerID: numbers[0], hostID: numbers[1], size: numbers[2])
        }
    }
}
