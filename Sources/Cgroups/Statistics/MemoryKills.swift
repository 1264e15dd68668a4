internal import CgroupPlanning
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// How often the kernel has killed processes of a cgroup because memory ran out, and at whose limit. cgroup-v2.rst,
/// `memory.events`, `memory.events.local`.
package struct MemoryKills: Hashable, Sendable {
    package enum Limit: Hashable, Sendable {
        /// The cgroup's own `memory.max`; its path and, unless it has been lifted, its value in bytes.
        case own(path: String, bytes: UInt64?)
        /// That of a cgroup below it, which may be gone.
        case inside
        /// That of a cgroup above it: the nearest one that has run into its limit.
        case ancestor(path: String, bytes: UInt64?)
        /// None: the whole machine ran out of memory.
        case host
    }

    /// How many processes were killed.
    package let count: UInt64
    /// nil when none was.
    package let limit: Limit?

    init(count: UInt64, limit: Limit?) {
        self.count = count
        self.limit = limit
    }

    /// Whose limit it was, and how much, as half a sentence; nil when no process was killed.
    package var reason: String? {
        switch limit {
        case nil: return nil
        case .own(_, let bytes):
            return "linux.resources.memory.limit is \(Self.amount(bytes))\(Self.shortfall(bytes)); raise it"
        case .inside: return "the limit of a cgroup that the container made within its own was reached"
        case .ancestor(let path, let bytes):
            return
                "the limit of the cgroup \(path) above the container is \(Self.amount(bytes)); raise it (memory.max there)"
        case .host: return "the machine ran out of memory"
        }
    }

    /// With less not even a small static program is started (`Tests/VM/memory.sh` measures it): the kernel's own memory
    /// for a process takes that much.
    static let smallest: UInt64 = 262_144

    private static func shortfall(_ bytes: UInt64?) -> String {
        guard let bytes, bytes < smallest else { return "" }
        return ", \(smallest - bytes) fewer than the smallest program needs to start"
    }

    private static func amount(_ bytes: UInt64?) -> String { bytes.map { "\($0) bytes" } ?? "unknown" }

    /// What one cgroup's files say.
    struct Events: Hashable, Sendable {
        /// `oom` of `memory.events`: with the cgroups below.
        var reached: UInt64 = 0
        /// `oom_kill` of `memory.events`: with the cgroups below.
        var kills: UInt64 = 0
        /// `oom` of `memory.events.local`: this cgroup's limit alone.
        var reachedOwn: UInt64 = 0
        var limit: UInt64?
    }

    /// Finds the limit. `oom` counts where a limit was reached, `oom_kill` where the victim was: a victim without a
    /// reached limit in its own cgroup was killed for a limit above.
    init(path: String, own: Events, ancestors: [(path: String, events: Events)]) {
        count = own.kills
        guard own.kills > 0 else {
            limit = nil
            return
        }
        if own.reachedOwn > 0 {
            limit = .own(path: path, bytes: own.limit)
        } else if own.reached > 0 {
            limit = .inside
        } else if let hit = ancestors.first(where: { $0.events.reachedOwn > 0 }) {
            limit = .ancestor(path: hit.path, bytes: hit.events.limit)
        } else {
            limit = .host
        }
    }
}

extension FSManager {
    func memoryKills() -> MemoryKills? {
        guard let own = ownMemoryEvents() else { return nil }
        var ancestors: [(path: String, events: MemoryKills.Events)] = []
        if own.kills > 0 {
            for parent in path.ancestors.reversed() {
                guard let above = try? Files.open(root + parent, [.readOnly, .directory]),
                    let events = Self.memoryEvents(above)
                else { continue }
                ancestors.append((parent, events))
            }
        }
        return MemoryKills(path: path.description, own: own, ancestors: ancestors)
    }

    private func ownMemoryEvents() -> MemoryKills.Events? {
        switch directory {
        case .some(let directory): Self.memoryEvents(directory)
        case .none: nil
        }
    }

    private static func memoryEvents(_ cgroup: borrowing Descriptor) -> MemoryKills.Events? {
        // Not there: no memory controller, or no cgroup any more.
        guard let text = try? Files.readText("memory.events", at: cgroup) else { return nil }
        var events = MemoryKills.Events()
        events.reached = count("oom", in: text)
        events.kills = count("oom_kill", in: text)
        if let local = try? Files.readText("memory.events.local", at: cgroup) {  // Linux 5.2
            events.reachedOwn = count("oom", in: local)
        }
        events.limit = (try? Files.readText("memory.max", at: cgroup)).flatMap { UInt64($0) }  // "max" is none
        return events
    }

    static func count(_ name: String, in text: String) -> UInt64 {
        for line in text.parts(by: "\n") {
            if let value = line.rest(after: "\(name) ") { return UInt64(value) ?? 0 }
        }
        return 0
    }
}
