internal import Kernel

/// That processes of a cgroup were killed because memory ran out, and whose limit it was. cgroup-v2.rst, "Memory Interface Files".
package struct OutOfMemory: Sendable, Equatable {
    /// How many processes of the cgroup and those below it were killed (`oom_kill` of memory.events).
    package let kills: UInt64
    /// The cgroup whose limit was reached: the container's or one above it; nil where it was the machine's memory.
    package let cgroup: String?
    /// That cgroup's memory.max in bytes, as written there; nil without one.
    package let limit: String?
    /// Whether it is the container's own cgroup.
    package let isOwn: Bool

    /// One half-sentence: whose limit, and how much.
    package var reason: String {
        guard let cgroup else { return "the machine ran out of memory" }
        let amount = limit.map { "\($0) bytes" } ?? "unknown"
        return isOwn
            ? "linux.resources.memory.limit is \(amount); raise it"
            : "the limit of the cgroup \(cgroup) above the container is \(amount); raise it (memory.max there)"
    }
}

extension CgroupManager {
    /// What the kernel counted for the container; nil when nobody was killed for memory, or the cgroup has no memory controller or is gone.
    package func outOfMemory() -> OutOfMemory? {
        switch self {
        case .fs(let manager): OutOfMemory.read(root: manager.root, path: manager.path.description)
        case .disabled: nil
        }
    }
}

extension OutOfMemory {
    /// Reads the counters of a cgroup and, for the limit, of those above it.
    ///
    /// - Parameters:
    ///   - root: the mount point of the v2 tree.
    ///   - path: the cgroup's path from there.
    static func read(root: String, path: String) -> OutOfMemory? {
        // Without the file there is nothing to tell, and nothing to do about it.
        guard let events = try? Files.readText("\(root)\(path)/memory.events"),
            let kills = count("oom_kill", in: events), kills > 0
        else { return nil }
        var cgroup = path
        while !cgroup.isEmpty {
            let folder = "\(root)\(cgroup)"
            let limit = try? Files.readText("\(folder)/memory.max")
            // Counted where the limit was, unlike the kill. Kernels before 5.2 have no local counters; a limit is then taken for the one.
            let local = try? Files.readText("\(folder)/memory.events.local")
            let reached = local.flatMap { count("oom", in: $0) } ?? 1
            if reached > 0, let limit, limit != "max" {
                return OutOfMemory(kills: kills, cgroup: cgroup, limit: limit, isOwn: cgroup == path)
            }
            cgroup = cgroup.splitAtLastSlash?.folder ?? ""
        }
        return OutOfMemory(kills: kills, cgroup: nil, limit: nil, isOwn: false)
    }

    /// One line of a flat-keyed file.
    static func count(_ name: String, in text: String) -> UInt64? {
        text.parts(by: "\n").lazy.compactMap { $0.rest(after: "\(name) ").flatMap { UInt64($0) } }.first
    }
}
