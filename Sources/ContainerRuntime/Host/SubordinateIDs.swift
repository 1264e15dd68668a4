internal import Kernel
package import OCISpec
internal import Planning

extension DefaultMappings {
    /// nil where the configuration has mappings, or no user namespace of the container's own.
    package static func wanted(by spec: Spec, user: UInt32, group: UInt32) -> DefaultMappings? {
        guard let linux = spec.linux, (linux.uidMappings ?? []).isEmpty, (linux.gidMappings ?? []).isEmpty,
            (linux.namespaces ?? []).contains(where: { $0.type == .user && ($0.path ?? "").isEmpty })
        else { return nil }
        // An ordinary user without both helpers can map no more than the own id.
        let takesRanges = user == 0 || (HostProgram("newuidmap") != nil && HostProgram("newgidmap") != nil)
        let name = HostFiles.userName(user)
        func ids(_ own: UInt32, _ file: String) -> [IDMapping] {
            mappings(own: own, ranges: takesRanges ? HostFiles.lines(file) : [], names: [name, "\(user)"])
        }
        return DefaultMappings(uids: ids(user, "/etc/subuid"), gids: ids(group, "/etc/subgid"))
    }
}
