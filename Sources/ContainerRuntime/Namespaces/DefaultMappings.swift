internal import Kernel
internal import OCISpec

/// The id mappings of an ordinary user's container whose configuration has a user namespace and says none, as crun's `spec --rootless` writes it: root is the
/// user, and the ids from 1 on are those of /etc/subuid and /etc/subgid. subuid(5).
struct DefaultMappings: Hashable, Sendable {
    let uids: [IDMapping]
    let gids: [IDMapping]

    /// nil for root, and where the configuration has mappings or no user namespace of the container's own.
    static func wanted(by spec: Spec, user: UInt32, group: UInt32) -> DefaultMappings? {
        guard user != 0, let linux = spec.linux, (linux.uidMappings ?? []).isEmpty, (linux.gidMappings ?? []).isEmpty,
            (linux.namespaces ?? []).contains(where: { $0.type == .user && ($0.path ?? "").isEmpty })
        else { return nil }
        // Without both helpers no more than the own id can be mapped.
        let hasHelpers = HostProgram("newuidmap") != nil && HostProgram("newgidmap") != nil
        let name = HostFacts.userName(user)
        func ids(_ own: UInt32, _ file: String) -> [IDMapping] {
            mappings(own: own, ranges: hasHelpers ? HostFacts.lines(file) : [], names: [name, "\(user)"])
        }
        return DefaultMappings(uids: ids(user, "/etc/subuid"), gids: ids(group, "/etc/subgid"))
    }

    /// - Parameters:
    ///   - ranges: lines `name:first:count`.
    ///   - names: what the user may be called there.
    static func mappings(own: UInt32, ranges: [String], names: [String]) -> [IDMapping] {
        var mappings = [IDMapping(containerID: 0, hostID: own, size: 1)]
        var next: UInt32 = 1
        for line in ranges {
            let fields = line.parts(by: ":", keepingEmpty: true)
            guard fields.count == 3, names.contains(fields[0]), let first = UInt32(fields[1]),
                let count = UInt32(fields[2]), count > 0, first <= .max - count, next <= .max - count
            else { continue }
            mappings.append(IDMapping(containerID: next, hostID: first, size: count))
            next += count
        }
        return mappings
    }
}
