internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Entering and owning namespaces, in the container's process.
enum NamespaceEntry {
    /// Joins the given existing namespaces. A user namespace comes last, because only outside of it may namespaces be
    /// joined that it does not own; what is refused before is tried again inside (an ordinary user may join others only
    /// there).
    ///
    /// The pid namespace of an init that is spawned last is left to ``joinProcessNamespace(_:_:)``: what is started
    /// until then stays out of it.
    static func join(_ plan: NamespacePlan, _ handles: borrowing DescriptorTable) throws(SystemError) {
        var later: [Int] = []
        for (index, joined) in plan.joined.enumerated() where joined.type != .user {
            if joined.type == .pid, plan.isSpawnedLast { continue }
            do throws(SystemError) {
                try join(index, plan, handles)
            } catch  where error.code == .notPermitted && plan.joins(.user) {
                later.append(index)
            }
        }
        for (index, joined) in plan.joined.enumerated() where joined.type == .user { try join(index, plan, handles) }
        for index in later { try join(index, plan, handles) }
    }

    /// Has the next child start in the joined pid namespace.
    static func joinProcessNamespace(
        _ plan: NamespacePlan, _ handles: borrowing DescriptorTable
    ) throws(SystemError) {
        for (index, joined) in plan.joined.enumerated() where joined.type == .pid { try join(index, plan, handles) }
    }

    private static func join(
        _ index: Int, _ plan: NamespacePlan, _ handles: borrowing DescriptorTable
    ) throws(SystemError) {
        let joined = plan.joined[index]
        try handles.with(index) { handle throws(SystemError) in
            try Namespaces.join(handle, joined.type.flag, subject: joined.path)
        }
    }

    /// Becomes root of the user namespace, so that what is made belongs to the container's root.
    /// Where 0 is not mapped, the first user that is takes its place.
    static func becomeRoot(_ plan: NamespacePlan) throws(SystemError) {
        guard plan.has(.user) else { return }
        try Credentials.setGroup(first(plan.gidMappings))
        try Credentials.setUser(first(plan.uidMappings))
        // Changing the user makes a process as traceable as fs.suid_dumpable says (proc_sys_fs(5)).
        try Processes.setDumpable(false)
    }

    private static func first(_ mappings: [IDMapping]) -> UInt32 {
        if mappings.isEmpty || NamespacePlan.hostID(of: 0, in: mappings) != nil { return 0 }
        return mappings[0].containerID
    }
}
