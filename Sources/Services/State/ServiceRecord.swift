package import ContainerRuntime
package import JSON
internal import KernelTypes
package import Planning

/// Where a service is in its life.
package enum ServicePhase: String, Sendable {
    case starting, running, stopping, waiting, sleeping, ended
}

/// How well a payload is.
package enum HealthStatus: String, Sendable {
    case starting, healthy, unhealthy
}

/// What `state` shows of a service: `service.json`, written anew at each change.
package struct ServiceRecord: Sendable, Equatable {
    package var name: String
    package var bundle: String
    /// When its supervisor began, RFC 3339 in UTC.
    package var created: String
    package var supervisor: SupervisedProcess
    package var phase = ServicePhase.starting
    package var isReady = false
    package var health: HealthStatus?
    /// Failed checks in a row.
    package var failures = 0
    package var restarts = 0
    package var payload: SupervisedProcess?
    package var lastExit: ContainerExit?
    /// Why the last start failed; nil where it did not.
    package var lastFailure: String?
    /// When it is started again, RFC 3339 in UTC.
    package var nextStart: String?
    /// When ``phase``, ``isReady`` or ``health`` changed last.
    package var since: String
    /// What the payload has said of itself; STATUS, sd_notify(3).
    package var text: String?
    package var listen: [String] = []
    package var log: LogTarget?
    package var logPath: String?

    /// Whether its supervisor has gone without an end.
    package var isOrphaned = false

    package init(
        name: String, bundle: String, supervisor: SupervisedProcess, created: String
    ) {
        self.name = name
        self.bundle = bundle
        self.supervisor = supervisor
        self.created = created
        since = created
    }

    /// One word for people.
    package var status: String {
        if isOrphaned { return "unsupervised" }
        guard phase == .running else { return phase.rawValue }
        switch health {
        case .healthy?: return "healthy"
        case .unhealthy?: return "unhealthy"
        case .starting?, nil: return "running"
        }
    }

    func json() -> String {
        var writer = Writer()
        write(to: &writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    /// The object of `state`, and of the file.
    package func write(to writer: inout Writer) {
        writer.object { object in
            object.member("name", name)
            object.member("status", status)
            object.member("phase", phase.rawValue)
            object.member("ready", isReady)
            if let health {
                object.member("health", health.rawValue)
                object.member("failures", failures)
            }
            object.member("restarts", restarts)
            if let lastExit {
                object.key("lastExit")
                lastExit.write(to: &object)
            }
            if let lastFailure { object.member("lastFailure", lastFailure) }
            if let nextStart { object.member("nextStart", nextStart) }
            object.member("since", since)
            if let text { object.member("text", text) }
            if !listen.isEmpty { object.member("listen", listen) }
            if let log { object.member("log", log.rawValue) }
            if let logPath { object.member("logPath", logPath) }
            object.member("bundle", bundle)
            object.member("created", created)
            object.key("supervisor")
            Self.write(supervisor, to: &object)
            if let payload {
                object.key("payload")
                Self.write(payload, to: &object)
            }
        }
    }

    private static func write(_ process: SupervisedProcess, to writer: inout Writer) {
        writer.object { object in
            object.member("pid", process.pid)
            object.member("startTime", process.startTime)
        }
    }

    /// Reads what ``json()`` wrote; nil when it is something else.
    package init?(_ bytes: [UInt8]) {
        guard let document = try? Document(bytes) else { return nil }  // half a file is no record
        let reader = Reader(document: document)
        let root = document.root
        guard let name = reader.string("name", root), let bundle = reader.string("bundle", root),
            let created = reader.string("created", root), let supervisor = reader.process("supervisor", root),
            let phase = reader.string("phase", root).flatMap({ ServicePhase(rawValue: $0) }),
            let since = reader.string("since", root)
        else { return nil }
        self.init(name: name, bundle: bundle, supervisor: supervisor, created: created)
        self.phase = phase
        self.since = since
        isReady = reader.boolean("ready", root) ?? false
        health = reader.string("health", root).flatMap { HealthStatus(rawValue: $0) }
        failures = Int(reader.number("failures", root) ?? 0)
        restarts = Int(reader.number("restarts", root) ?? 0)
        payload = reader.process("payload", root)
        lastExit = document.member("lastExit", of: root).flatMap { ContainerExit(Array(document.text(of: $0))) }
        lastFailure = reader.string("lastFailure", root)
        nextStart = reader.string("nextStart", root)
        text = reader.string("text", root)
        listen = reader.strings("listen", root)
        log = reader.string("log", root).flatMap { LogTarget(rawValue: $0) }
        logPath = reader.string("logPath", root)
    }

    private struct Reader {
        let document: Document

        func string(_ name: StaticString, _ object: NodeIndex) -> String? {
            document.member(name, of: object).flatMap(document.string)
        }

        func boolean(_ name: StaticString, _ object: NodeIndex) -> Bool? {
            document.member(name, of: object).flatMap(document.boolean)
        }

        func number(_ name: StaticString, _ object: NodeIndex) -> UInt64? {
            document.member(name, of: object).flatMap { try? document.unsigned($0) }  // anything else is none
        }

        func strings(_ name: StaticString, _ object: NodeIndex) -> [String] {
            guard let node = document.member(name, of: object), document.kind(of: node) == .array else { return [] }
            return document.elements(of: node).compactMap(document.string)
        }

        func process(_ name: StaticString, _ object: NodeIndex) -> SupervisedProcess? {
            guard let node = document.member(name, of: object), document.kind(of: node) == .object,
                let pid = number("pid", node), let time = number("startTime", node)
            else { return nil }
            return SupervisedProcess(pid: Int32(clamping: pid), startTime: time)
        }
    }
}
