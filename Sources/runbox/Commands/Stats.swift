internal import ContainerRuntime
internal import Errors
internal import JSON
internal import Kernel
internal import KernelTypes
internal import Services

extension Command {
    static let stats = Command(
        name: "stats", arguments: "[CONTAINER...]", count: 0...Int.max,
        summary: "show what containers use, again and again",
        details: """
            On a terminal, a table that is drawn anew each second, until q or Ctrl-C; else, with --once and with
            --format json, what containers use now, once. Without names: all containers, and services that have
            none at this moment.

            CPU % is of one processor, since the last look. PSI are the shares of the last ten seconds in which
            something waited for processor, memory or disk, in percent. What is not counted here shows as -.
            """,
        flags: [
            Flag("once", "print it once, and no more"),
            Flag("format", short: "f", value: "FORMAT", choices: "table json", "table (default) or json: an array"),
        ]
    ) { invocation throws(Failure) in
        let format = invocation.parsed.value("format") ?? "table"
        guard format == "table" || format == "json" else {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": table or json"), invocation.command)
        }
        let names = try attempt { () throws(RuntimeError) in
            for name in invocation.parsed.arguments { try check(name, invocation.global.root) }
            return invocation.parsed.arguments
        }
        var sampling = StatsSampling(root: invocation.global.root, names: names)
        let isDumb = ["dumb", "", nil].contains(Processes.environment("TERM"))
        if invocation.parsed.isOn("once") || format == "json" || isDumb || !Terminals.isTerminal(1) {
            try once(&sampling, isJSON: format == "json", invocation.log.warn)
            return 0
        }
        try live(&sampling)
        return 0
    }

    /// Milliseconds: between two pictures, and between the two looks that one needs.
    private static let pictureInterval: Int64 = 1000
    private static let firstInterval: Int64 = 500

    /// A name that is none of a container's nor of a service's is an error, though others are there.
    private static func check(_ name: String, _ root: String) throws(RuntimeError) {
        let id = try ContainerID(name)
        guard Store(root: root).contains(id) || ServiceFolder(root: root, name: name).exists else {
            throw .missing(name)
        }
    }

    private static func once(
        _ sampling: inout StatsSampling, isJSON: Bool, _ warn: (String) -> Void
    ) throws(Failure) {
        var rows = try attempt { () throws(RuntimeError) in try sampling.rows(warn: warn) }
        if rows.contains(where: { $0.cpuTotal != nil }) {
            MonotonicClock.sleep(milliseconds: firstInterval)
            rows = try attempt { () throws(RuntimeError) in try sampling.rows() }
        }
        guard isJSON else { return try Output.write(StatsTable.lines(rows).map { "\($0)\n" }.joined()) }
        var writer = Writer()
        writer.array { array in
            for row in rows { row.write(to: &array) }
        }
        try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
    }

    private static func live(_ sampling: inout StatsSampling) throws(Failure) {
        var rows = try attempt { () throws(RuntimeError) in try sampling.rows() }
        let screen = try onScreen { () throws(SystemError) in try LiveScreen.begin() }
        var reason: Failure?
        do throws(Failure) {
            try show(&rows, &sampling, on: screen)
        } catch {
            reason = error
        }
        // First of all the terminal: what is said next would vanish with its other screen.
        try? screen.end()
        if let reason { throw reason }
    }

    private static func show(
        _ rows: inout [StatsRow], _ sampling: inout StatsSampling, on screen: borrowing LiveScreen
    ) throws(Failure) {
        // The first rates come soon.
        var deadline = Deadline(milliseconds: firstInterval)
        while true {
            let event = try draw(rows, on: screen, until: deadline)
            switch event {
            case .quit: return
            case .redraw: continue
            case .due: break
            }
            deadline = Deadline(milliseconds: pictureInterval)
            do throws(RuntimeError) {
                rows = try sampling.rows()
            } catch .missing {
                return  // those that were named have gone
            } catch {
                throw Failure(error)
            }
        }
    }

    private static func draw(
        _ rows: [StatsRow], on screen: borrowing LiveScreen, until deadline: Deadline
    ) throws(Failure) -> LiveScreen.Event {
        let size = screen.size
        let isColored = Output.isColored(1)
        var lines = StatsTable.lines(rows, width: Int(size.columns)) { status, text in
            guard isColored, let color = color(status) else { return text }
            return Output.colored(text, color)
        }
        if lines.count > Int(size.rows) {
            let hidden = lines.count - Int(size.rows) + 1
            lines = lines.prefix(max(1, Int(size.rows) - 1)) + ["and \(hidden) more"]
        }
        if isColored { lines[0] = "\u{1b}[1m\(lines[0])\u{1b}[0m" }
        do throws(SystemError) {
            try screen.show(lines)
            return try screen.wait(deadline)
        } catch {
            throw Failure("show the table: \(error)")
        }
    }

    private static func onScreen<Result: ~Copyable>(
        _ body: () throws(SystemError) -> Result
    ) throws(Failure) -> Result {
        do throws(SystemError) {
            return try body()
        } catch {
            throw Failure("show the table: \(error)")
        }
    }

    /// Red for what needs somebody, green for what is known to be well, yellow for what is on its way.
    private static func color(_ status: String) -> Int? {
        switch status {
        case "healthy": 32
        case "unhealthy", "unsupervised": 31
        case "starting", "stopping", "waiting", "creating", "paused": 33
        default: nil
        }
    }
}
