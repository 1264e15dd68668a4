internal import Kernel
package import OCISpec
internal import Planning

extension DefaultMappings {
    /// nil for root, and where the configuration has mappings or no user namespace of the container's own.
    package static func wanted(by spec: Spec, user: UInt32, group: UInt32) -> DefaultMappings? {
        guard user != 0, let linux = spec.linux, (linux.uidMappings ?? []).isEmpty, (linux.gidMappings ?? []).isEmpty,
            (linux.namespaces ?? []).contains(where: { $0.type == .user && ($0.path ?? "").isEmpty })
        else { return nil }
        // Without both helpers no more than the own id can be mapped.
        let hasHelpers = HostProgram("newuidmap") != nil && HostProgram("newgidmap") != nil
        let name = HostFiles.userName(user)
        func ids(_ own: UInt32, _ file: String) -> [IDMapping] {
            mappings(own: own, ranges: hasHelpers ? HostFiles.lines(file) : [], names: [name, "\(user)"])
        }
        return DefaultMappings(uids: ids(user, "/etc/subuid"), gids: ids(group, "/etc/subgid"))
    }
}
