internal import KernelTypes
package import OCISpec

/// The id mappings of a container whose configuration has a user namespace and gives none, as crun makes them: root is
/// the user that runs the runtime, and the ids from 1 on are that user's in /etc/subuid and /etc/subgid. subuid(5).
package struct DefaultMappings: Hashable, Sendable {
    let uids: [IDMapping]
    let gids: [IDMapping]

    package init(uids: [IDMapping], gids: [IDMapping]) {
        self.uids = uids
        self.gids = gids
    }

    /// - Parameters:
    ///   - ranges: lines `name:first:count`.
    ///   - names: what the user may be called there.
    package static func mappings(own: UInt32, ranges: [String], names: [String]) -> [IDMapping] {
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
