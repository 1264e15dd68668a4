internal import ContainerRuntime
internal import Errors
internal import KernelTypes

extension Command {
    static let events = Command(
        name: "events", arguments: "CONTAINER", count: 1...1,
        summary: "show what a container uses, and when it runs out of memory",
        details: """
            One JSON object a line: {"type":"stats",…} at once and then after each interval, and
            {"type":"oom",…} when processes are killed for want of memory. Ends with the container.
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
        var failure: Failure?
        try attempt { () throws(RuntimeError) in
            try container.watch(every: interval, reader: 1) { event in
                let line =
                    switch event {
                    case .statistics(let statistics): EventText.statistics(statistics, id: id)
                    case .outOfMemory: EventText.outOfMemory(id: id)
                    }
                do throws(Failure) {
                    try Output.write("\(line)\n")
                } catch {
                    failure = error
                }
                return failure == nil
            }
        }
        // A stream without an end of its own is over when its reader has enough.
        if let failure, !failure.messages.isEmpty { throw failure }
        return 0
    }
}
