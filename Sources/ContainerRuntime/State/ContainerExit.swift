internal import Cgroups
package import JSON
internal import KernelTypes
internal import Planning

/// How a container ended: what `state` shows of a stopped one, and `exit.json` in its state folder.
public struct ContainerExit: Sendable, Equatable {
    /// The payload's exit code, or 128 + the signal that ended it; nil where it could not be learnt.
    public var code: Int32?
    /// The signal that ended it.
    public var signal: Int32?
    /// Why the code could not be learnt.
    public var unknown: String?
    /// Whether the kernel killed it because memory ran out; nil where that is unknown.
    public var wasKilledForMemory: Bool?
    /// Whose limit that was.
    public var memoryLimit: MemoryLimitHit?
    /// When the payload began, RFC 3339 in UTC; nil when it never did.
    public var startedAt: String?
    /// When it ended; nil where no process waited for it.
    public var finishedAt: String?
    /// In that case: when it was first seen to have ended.
    public var finishedBefore: String?
    /// The command that saw it: run, wait, state, list, kill.
    public var observedBy: String

    static let fileName = "exit.json"

    init(_ reason: ExitReason?, observedBy: String) {
        code = reason?.shellStatus
        if case .killed(let signal)? = reason { self.signal = signal.rawValue }
        self.observedBy = observedBy
    }
}

/// The limit at which memory ran out.
public struct MemoryLimitHit: Sendable, Equatable {
    /// Whose limit it was.
    public enum Owner: String, Sendable {
        /// The container's own.
        case container
        /// One that the container has made for a cgroup within its own.
        case inside
        /// One of a cgroup above the container's.
        case ancestor
        /// None: the whole host ran out of memory.
        case host
    }

    /// Whose limit it was.
    public var owner: Owner
    /// Which cgroup has the limit, from the tree's root; nil for a limit within the container, and for the host.
    public var cgroup: String?
    /// The limit in bytes, where there still is one.
    public var bytes: UInt64?

    init(owner: Owner, cgroup: String?, bytes: UInt64?) {
        self.owner = owner
        self.cgroup = cgroup
        self.bytes = bytes
    }

    init(_ limit: MemoryKills.Limit) {
        switch limit {
        case .own(let path, let bytes): self.init(owner: .container, cgroup: path, bytes: bytes)
        case .inside: self.init(owner: .inside, cgroup: nil, bytes: nil)
        case .ancestor(let path, let bytes): self.init(owner: .ancestor, cgroup: path, bytes: bytes)
        case .host: self.init(owner: .host, cgroup: nil, bytes: nil)
        }
    }
}

extension ContainerExit {
    /// Writes the object; members that say nothing are left out.
    package func write(to writer: inout Writer) {
        writer.object { object in
            if let code { object.member("code", code) }
            if let signal { object.member("signal", signal) }
            if let unknown { object.member("unknown", unknown) }
            if let wasKilledForMemory { object.member("oomKilled", wasKilledForMemory) }
            if let memoryLimit {
                object.key("limit")
                object.object { limit in
                    limit.member("of", memoryLimit.owner.rawValue)
                    if let cgroup = memoryLimit.cgroup { limit.member("cgroup", cgroup) }
                    if let bytes = memoryLimit.bytes { limit.member("bytes", bytes) }
                }
            }
            if let startedAt { object.member("startedAt", startedAt) }
            if let finishedAt { object.member("finishedAt", finishedAt) }
            if let finishedBefore { object.member("finishedBefore", finishedBefore) }
            object.member("observedBy", observedBy)
        }
    }

    package func json() -> String {
        var writer = Writer()
        write(to: &writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    /// Reads what ``json()`` wrote; nil when it is something else.
    package init?(_ bytes: [UInt8]) {
        guard let document = try? Document(bytes) else { return nil }  // half a file is no record
        let reader = RecordReader(document: document, object: document.root)
        guard let observer = reader.string("observedBy"), let code = reader.number("code") else { return nil }
        self.init(nil, observedBy: observer)
        self.code = Int32(clamping: code)
        signal = reader.number("signal").map { Int32(clamping: $0) }
        wasKilledForMemory = reader.boolean("oomKilled")
        if let limit = reader.object("limit"), let owner = limit.string("of").flatMap(MemoryLimitHit.Owner.init) {
            memoryLimit = MemoryLimitHit(owner: owner, cgroup: limit.string("cgroup"), bytes: limit.number("bytes"))
        }
        startedAt = reader.string("startedAt")
        finishedAt = reader.string("finishedAt")
        finishedBefore = reader.string("finishedBefore")
    }
}
