internal import ContainerRuntime
internal import Errors
internal import JSON
internal import Kernel
internal import KernelTypes
internal import Services

extension Command {
    static let events = Command(
        name: "events", arguments: "CONTAINER", count: 1...1,
        summary: "show what a container uses, and when it runs out of memory",
        details: """
            One JSON object a line: {"type":"stats",…} at once and then after each interval, and
            {"type":"oom",…} when processes are killed for want of memory. Ends with the container.

            Of a service also {"type":"service",…} at once and when its status changes, its readiness, its
            restarts or its process: with the object service of `runbox state`. Ends with the service.
            """,
        flags: [
            Flag("interval", value: "TIME", "between two lines: 500ms, 5s (default), 1m; a plain number is seconds"),
            Flag("stats", "one line, and no more"),
        ]
    ) { invocation throws(Failure) in
        let text = invocation.parsed.value("interval") ?? "5s"
        guard let interval = DurationText.duration(text) else {
            throw Failure(
                UsageError(
                    reason: "invalid value \"\(text)\" for flag --interval: a time such as 500ms, 5s or 1m is needed"),
                invocation.command)
        }
        guard interval > .zero else {
            throw Failure(UsageError(reason: "duration interval must be greater than 0"), invocation.command)
        }
        let container = try invocation.container()
        let id = container.id.description
        if invocation.parsed.isOn("stats") {
            let statistics = try attempt { () throws(RuntimeError) in try container.statistics() }
            try Output.write("\(EventText.statistics(statistics, id: id))\n")
            return 0
        }
        let folder = ServiceFolder(root: invocation.global.root, name: id)
        var lines = EventLines()
        if folder.exists {
            try watch(container, folder, every: interval, &lines)
        } else {
            try attempt { () throws(RuntimeError) in
                try container.watch(every: interval, reader: 1) { lines.write(EventLines.text($0, id)) }
            }
        }
        // A stream without an end of its own is over when its reader has enough.
        if let failure = lines.failure, !failure.messages.isEmpty { throw failure }
        return 0
    }

    /// From one container of a service to the next.
    private static func watch(
        _ container: Container, _ folder: ServiceFolder, every interval: Duration, _ lines: inout EventLines
    ) throws(Failure) {
        let id = folder.name
        var service: ServiceWatch
        do throws(SystemError) {
            service = try ServiceWatch(folder)
        } catch {
            throw Failure(RuntimeError(error, doing: "watch service \(id)"))
        }
        lines.write(service.next().map { EventLines.text($0) })
        var failures = 0
        while lines.isWanted, !service.isOver {
            do throws(RuntimeError) {
                try container.watch(every: interval, reader: 1, others: service.numbers) {
                    lines.write(EventLines.text($0, id))
                } see: {
                    lines.write(service.next().map { EventLines.text($0) })
                    return lines.isWanted && !service.isOver && !service.isOrphaned
                }
                failures = 0
            } catch {
                // Between two containers. Of one without supervisor none follows.
                var timeout: Int32 = -1
                switch error {
                case .missing, .status: if service.isOrphaned { return }
                default:
                    // It is being taken down, unless that goes on.
                    failures += 1
                    if failures > 50 { throw Failure(error) }
                    timeout = 20
                }
                var waiting: [(number: Int32, events: PollEvents)] = [(1, [])]
                for number in service.numbers { waiting.append((number, .readable)) }
                guard let ready = try? Polling.wait(waiting, timeout: timeout), ready[0].isEmpty else { return }
            }
            lines.write(service.next().map { EventLines.text($0) })
        }
    }
}

/// Lines as they are printed, until somebody has had enough of them.
private struct EventLines {
    private(set) var failure: Failure?

    var isWanted: Bool { failure == nil }

    static func text(_ event: ContainerEvent, _ id: String) -> String {
        switch event {
        case .statistics(let statistics): EventText.statistics(statistics, id: id)
        case .outOfMemory: EventText.outOfMemory(id: id)
        }
    }

    static func text(_ service: ServiceRecord) -> String {
        var writer = Writer()
        writer.object { event in
            event.member("type", "service")
            event.member("id", service.name)
            event.key("data")
            service.write(to: &event)
        }
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    /// - Returns: whether another one is wanted.
    @discardableResult
    mutating func write(_ line: String?) -> Bool {
        guard isWanted, let line else { return isWanted }
        do throws(Failure) {
            try Output.write("\(line)\n")
        } catch {
            failure = error
        }
        return isWanted
    }
}
