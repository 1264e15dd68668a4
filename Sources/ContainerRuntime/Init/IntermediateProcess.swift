internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// The short-lived process that enters other containers' user and pid namespaces and spawns the init in them,
/// as a sibling of its own.
enum IntermediateProcess {
    /// - Parameter body: what the init does.
    static func run(
        _ plan: LaunchPlan, _ resources: borrowing LaunchResources, _ link: borrowing Link, body: () -> Never
    ) throws(StepFailure) {
        if plan.namespaces.timeOffsets.isEmpty {
            try step(.intermediate, try enter(plan.namespaces, resources))
        } else {
            let clocks = try step(.clocks, try TimeOffsetPlan.openFile())
            try step(.intermediate, try enter(plan.namespaces, resources))
            try step(.clocks, try setClocks(plan.namespaces, clocks))
        }
        let initProcess = try step(.clone) { () throws(SystemError) in
            try Cloning.clone(plan.namespaces.cloneFlags, cgroup: nil, sibling: true, body: body)
        }
        // Where the runtime is gone the init finds that out by itself.
        try? link.send(.spawned, descriptor: initProcess.pidfd)
    }

    private static func enter(
        _ plan: NamespacePlan, _ resources: borrowing LaunchResources
    ) throws(SystemError) {
        try NamespaceEntry.join(plan, resources.namespaces)
        try checkMappings(plan)
    }

    /// A process that is cloned into a new time namespace is in it at once, and its clocks can never be set. One
    /// that only unshares it does not: its children will.
    static func setClocks(_ plan: NamespacePlan, _ file: borrowing Descriptor) throws(SystemError) {
        try Namespaces.unshare(plan.madeByIntermediate)
        for offset in plan.timeOffsets { try offset.write(to: file) }
    }

    /// Mappings beside a joined user namespace must be the ones it has, or the configuration would be wrong.
    private static func checkMappings(_ plan: NamespacePlan) throws(SystemError) {
        guard plan.joins(.user) else { return }
        for (file, mappings, field) in [
            ("uid_map", plan.uidMappings, "uidMappings"), ("gid_map", plan.gidMappings, "gidMappings"),
        ] where !mappings.isEmpty {
            let actual = try Files.readText("/proc/self/\(file)").parts(by: "\n").map {
                $0.parts(by: " ").compactMap { UInt32($0) }
            }
            if actual != mappings.map({ [$0.containerID, $0.hostID, $0.size] }) {
                throw .refused("linux.\(field) differ from those of the user namespace that is joined")
            }
        }
    }
}
