internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Giving the container's cgroup to the container's own user (config-linux.md, "Cgroup ownership"; cgroup-v2.rst,
/// "Model of Delegation").
extension Delegation {
    /// The files to hand over; the kernel keeps the list (cgroups(7), "Cgroups delegation containment"), and the
    /// specification has one for when it does not.
    static func files() -> [String] {
        guard let list = try? Files.readText("/sys/kernel/cgroup/delegate") else {
            return ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"]
        }
        // Names with a slash would be files elsewhere; the kernel writes none.
        return list.parts(by: "\n").map { String($0) }.filter { !$0.containsByte("/") }
    }
}

extension FSManager {
    /// Makes a cgroup below this one, which keeps the limits, moves a process there and gives it to a user, who manages
    /// it from then on (crun's `run.oci.delegate-cgroup`).
    /// - Parameter name: relative, without `.` and `..`.
    func enterDelegated(_ name: String, _ pid: Int32, owner: UInt32) throws(CgroupError) {
        let done: Void? = try inDirectory { directory throws(SystemError) in
            let names = name.parts(by: "/").map { ByteName($0) }
            for name in names.indices {
                let above = try Self.open(names[..<name], below: directory)
                do throws(SystemError) {
                    try Files.makeDirectory(names[name], at: above, mode: 0o755)
                } catch {
                    guard error.code == .exists else { throw error }
                }
            }
            let leaf = try Self.open(names[...], below: directory)
            try Files.write(String(pid), into: "cgroup.procs", at: leaf)
            // Only now that no process is left in it can its children have controllers.
            for name in names.indices {
                let above = try Self.open(names[..<name], below: directory)
                let controllers = try Files.readText("cgroup.controllers", at: above).parts(by: " ").map { "+\($0)" }
                if controllers.isEmpty { continue }
                try Files.write(controllers.joined(separator: " "), into: "cgroup.subtree_control", at: above)
            }
            try Self.give(leaf, to: owner)
        }
        if done == nil { throw gone }
    }

    /// A cgroup below another, name by name.
    static func open(
        _ names: ArraySlice<ByteName>, below top: borrowing Descriptor
    ) throws(SystemError) -> Descriptor {
        var directory = try Files.open(".", at: top, [.readOnly, .directory])
        for name in names { directory = try Files.open(name, at: directory, [.readOnly, .directory, .noFollow]) }
        return directory
    }

    /// Makes a user of the host the owner of the cgroup's directory and of those files in it by which one makes cgroups
    /// below. The limits stay the host's.
    func delegate(owner: UInt32) throws(CgroupError) {
        let done: Void? = try inDirectory { directory throws(SystemError) in try Self.give(directory, to: owner) }
        if done == nil { throw gone }
    }

    private static func give(_ directory: borrowing Descriptor, to owner: UInt32) throws(SystemError) {
        let keep = UInt32.max  // chown(2): -1 leaves the group as it is
        try Files.changeOwner(of: directory, owner: owner, group: keep)
        for file in Delegation.files() {
            do throws(SystemError) {
                try Files.changeOwner(file, at: directory, owner: owner, group: keep)
            } catch {
                // The list is that of all controllers: a cgroup need not have them all.
                guard error.isMissing else { throw error }
            }
        }
    }
}
