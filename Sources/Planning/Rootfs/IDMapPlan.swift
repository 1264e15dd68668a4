internal import CgroupPlanning
internal import Errors
internal import KernelTypes
package import OCISpec

/// The option `idmap` or `ridmap` of a mount, as it stands there.
struct IDMapRequest: Sendable, Equatable {
    /// The mapping also holds for the mounts below.
    let recursive: Bool
    /// What follows the equals sign, crun's form; nil without one.
    let text: String?
    /// Which of the options it is.
    let position: Int
}

/// Whose a mount's files appear to be. Specification: config.md, "Mounts" (`idmap`, `uidMappings`); mount_setattr(2),
/// MOUNT_ATTR_IDMAP.
package struct IDMapPlan: Sendable, Equatable {
    /// Where the mapping comes from. As in a user namespace, `containerID` is the number on the file system and
    /// `hostID` the one that the host sees in its place.
    package enum Source: Sendable, Equatable {
        case mappings(uids: [IDMapping], gids: [IDMapping])
        /// A user namespace that the container joins, by its place among the joined ones.
        case joined(Int)
    }

    package let source: Source
    package let recursive: Bool

    /// - Returns: nil where neither an option nor mappings of the mount ask for it.
    init?(
        _ mount: Mount, request: IDMapRequest?, index: Int, namespaces: NamespacePlan, findings: inout Findings
    ) {
        let field = "mounts[\(index)]"
        let uids = mount.uidMappings ?? []
        let gids = mount.gidMappings ?? []
        recursive = request?.recursive ?? false
        let option = request.map { "\(field).options[\($0.position)]" } ?? ""
        if !uids.isEmpty || !gids.isEmpty {
            if uids.isEmpty { findings.refuse("\(field).uidMappings", "must have entries, as gidMappings has") }
            if gids.isEmpty { findings.refuse("\(field).gidMappings", "must have entries, as uidMappings has") }
            if request?.text != nil {
                findings.refuse(option, "names a mapping beside that of \(field).uidMappings; remove one of the two")
            }
            IDMappingRules.check(uids, "\(field).uidMappings", &findings)
            IDMappingRules.check(gids, "\(field).gidMappings", &findings)
            source = .mappings(uids: uids, gids: gids)
            return
        }
        guard let request else { return nil }
        let found: Source?
        if let text = request.text {
            found = IDMapText(text, namespaces, field: option, findings: &findings).source
        } else {
            found = Self.ofContainer(namespaces, option, &findings)
        }
        guard let found else { return nil }
        source = found
    }

    /// Specification: without a mapping of the mount and without a user namespace there is none, and that is an error.
    private static func ofContainer(
        _ namespaces: NamespacePlan, _ option: String, _ findings: inout Findings
    ) -> Source? {
        if let place = namespaces.joined.firstIndex(where: { $0.type == .user }) { return .joined(place) }
        if namespaces.new.contains(.user) {
            return .mappings(uids: namespaces.uidMappings, gids: namespaces.gidMappings)
        }
        findings.refuse(
            option,
            "needs uidMappings and gidMappings of the mount, or a user namespace of the container whose mappings it takes"
        )
        return nil
    }

    /// File systems that show each namespace its own content, which has no owner on a disk. The kernel maps no ids
    /// of theirs.
    static let unmappable = ["proc", "sysfs", "devpts", "devtmpfs", "mqueue", "cgroup", "cgroup2"]
}

/// crun's form of a mapping inside the option: `uids=0-1000-10#20-2000-5;gids=@0-1-10`.
///
/// Each triple is the first id on the file system, the id that it becomes, and how many follow. With `@` the second one
/// is the container's and not the host's.
private struct IDMapText {
    private(set) var source: IDMapPlan.Source?

    init(_ text: String, _ namespaces: NamespacePlan, field: String, findings: inout Findings) {
        var uids: [IDMapping]?
        var gids: [IDMapping]?
        do throws(Mistake) {
            for part in text.parts(by: ";") {
                if let list = part.rest(after: "uids=") {
                    uids = try Self.mappings(list, Self.container(namespaces, namespaces.uidMappings))
                } else if let list = part.rest(after: "gids=") {
                    gids = try Self.mappings(list, Self.container(namespaces, namespaces.gidMappings))
                } else {
                    throw Mistake("expected \"uids=…\" and \"gids=…\", found \"\(part)\"")
                }
            }
            if uids == nil, gids == nil { throw Mistake("expected \"uids=…\" and \"gids=…\", found nothing") }
            let ownUIDs = try Self.orInherited(uids, namespaces.uidMappings, "uids")
            let ownGIDs = try Self.orInherited(gids, namespaces.gidMappings, "gids")
            source = .mappings(uids: ownUIDs, gids: ownGIDs)
            IDMappingRules.check(ownUIDs, field, &findings)
            IDMappingRules.check(ownGIDs, field, &findings)
        } catch {
            findings.refuse(field, error.reason)
        }
    }

    private struct Mistake: Error {
        let reason: String
        init(_ reason: String) { self.reason = reason }
    }

    /// What the container's ids are on the host: the same without a user namespace; nil where the configuration does
    /// not say.
    private static func container(_ namespaces: NamespacePlan, _ mappings: [IDMapping]) -> [IDMapping]? {
        if !namespaces.has(.user) { return [IDMapping(containerID: 0, hostID: 0, size: .max)] }
        return mappings.isEmpty ? nil : mappings
    }

    /// The half that the text leaves out is the container's.
    private static func orInherited(
        _ own: [IDMapping]?, _ container: [IDMapping], _ kind: String
    ) throws(Mistake) -> [IDMapping] {
        if let own { return own }
        if !container.isEmpty { return container }
        throw Mistake("says nothing of \(kind), and the container has no mappings to take them from; add \(kind)=…")
    }

    private static func mappings(_ list: String, _ container: [IDMapping]?) throws(Mistake) -> [IDMapping] {
        let isRelative = list.begins(with: "@")
        var result: [IDMapping] = []
        for triple in list.parts(by: "#") {
            let bare = triple.rest(after: "@") ?? triple
            let numbers = bare.parts(by: "-", keepingEmpty: true).map { UInt32($0) }
            guard numbers.count == 3, let first = numbers[0], let second = numbers[1], let size = numbers[2], size > 0,
                !bare.containsByte("+")
            else { throw Mistake("expected FIRST-BECOMES-COUNT such as 0-1000-10, found \"\(triple)\"") }
            let mapping = IDMapping(containerID: first, hostID: second, size: size)
            guard isRelative || bare.utf8.count < triple.utf8.count else {
                result.append(mapping)
                continue
            }
            guard let container else {
                throw Mistake(
                    "\"@\" counts from the container's mappings: name them in linux.uidMappings and linux.gidMappings")
            }
            result += try placed(mapping, in: container)
        }
        if result.isEmpty { throw Mistake("expected FIRST-BECOMES-COUNT such as 0-1000-10, found nothing") }
        return result
    }

    /// Counts ids of the container on the host. A run that spans several ranges of the container becomes as many.
    private static func placed(_ mapping: IDMapping, in container: [IDMapping]) throws(Mistake) -> [IDMapping] {
        var result: [IDMapping] = []
        var done: UInt64 = 0
        while done < UInt64(mapping.size) {
            let id = UInt64(mapping.hostID) + done
            guard
                let range = container.first(where: {
                    id >= UInt64($0.containerID) && id < UInt64($0.containerID) + UInt64($0.size)
                })
            else { throw Mistake("the container's id \(id) is not mapped in its user namespace") }
            let offset = id - UInt64(range.containerID)
            let size = min(UInt64(mapping.size) - done, UInt64(range.size) - offset)
            guard let first = UInt32(exactly: UInt64(mapping.containerID) + done),
                let host = UInt32(exactly: UInt64(range.hostID) + offset)
            else { throw Mistake("names ids beyond 4294967295") }
            result.append(IDMapping(containerID: first, hostID: host, size: UInt32(size)))
            done += size
        }
        return result
    }
}
