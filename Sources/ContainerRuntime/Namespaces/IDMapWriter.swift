internal import CgroupPlanning
internal import JSON
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Gives a new user namespace its id mappings, from outside. user_namespaces(7), "User and group ID mappings".
struct IDMapWriter: Sendable {
    /// The user of this process; an ordinary one may map only its own ID, and needs a helper for more.
    let user: UInt32
    let group: UInt32

    /// - Parameter pid: a process in the namespace.
    func write(uids: [IDMapping], gids: [IDMapping], of pid: Int32) throws(SystemError) {
        try map(.users, uids, pid)
        try map(.groups, gids, pid)
    }

    private enum Kind {
        case users, groups

        var file: String { self == .users ? "uid_map" : "gid_map" }
        var field: String { self == .users ? "linux.uidMappings" : "linux.gidMappings" }
        var helper: String { self == .users ? "newuidmap" : "newgidmap" }
        var ranges: String { self == .users ? "/etc/subuid" : "/etc/subgid" }
    }

    private func map(_ kind: Kind, _ mappings: [IDMapping], _ pid: Int32) throws(SystemError) {
        guard user != 0 else { return try write(kind, mappings, pid) }
        let own = kind == .users ? user : group
        guard mappings.count == 1, mappings[0].hostID == own, mappings[0].size == 1 else {
            return try callHelper(kind, mappings, pid)
        }
        // A process that could change its groups could get around permissions that a group is denied (CVE-2014-8989).
        if kind == .groups { try Files.write("deny", into: "/proc/\(pid)/setgroups") }
        try write(kind, mappings, pid)
    }

    private func write(_ kind: Kind, _ mappings: [IDMapping], _ pid: Int32) throws(SystemError) {
        let lines = mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
        try Files.write(lines, into: "/proc/\(pid)/\(kind.file)")
    }

    private func callHelper(_ kind: Kind, _ mappings: [IDMapping], _ pid: Int32) throws(SystemError) {
        guard let helper = HostProgram(kind.helper) else {
            throw .refused(
                "\(kind.field) asks for more than this user's own ID, which needs \(kind.helper), and it was not found on PATH; "
                    + "install the package uidmap (Debian, Ubuntu) or shadow-utils (Fedora)")
        }
        let words = mappings.flatMap { ["\($0.containerID)", "\($0.hostID)", "\($0.size)"] }
        let outcome = try helper.run(["\(pid)"] + words, gainsPrivileges: true)
        guard outcome.reason != .exited(code: 0) else { return }
        throw .refused(
            "\(kind.field): \(helper.path) refused: \(outcome.complaint); the host IDs must lie in this user's range in \(kind.ranges), "
                + "which root adds with: usermod --add-sub\(kind == .users ? "uids" : "gids") 100000-165535 \(HostFiles.userName(user))"
        )
    }
}
