internal import ContainerRuntime
internal import Errors
internal import JSON
internal import KernelTypes
internal import Services

extension Command {
    static let wait = Command(
        name: "wait", arguments: "CONTAINER", count: 1...1, summary: "wait for a container to end",
        details: """
            The exit status is that of the container's program, or 128 + the number of the signal that ended
            it. A container that has stopped already is answered for at once. With --timeout, the exit
            status is 124 when the container has not ended by then.

            With --ready or --healthy, it is a service that is waited for: the exit status is 0 when it is
            so, 124 after the time of --timeout, and 1 when the service has ended before.

            With --format json, an object is printed when the wait is over: version, id, code (the exit
            status), timedOut, and exit as `runbox state` has it where the container is still there.

            A time is a number of seconds, or numbers with units: 90, 1.5s, 500ms, 2m, 1h30m.
            """,
        flags: [
            Flag("timeout", short: "t", value: "TIME", "how long to wait at most"),
            Flag("ready", "wait for a service to be ready instead"),
            Flag("healthy", "wait for a service to be healthy instead"),
            Flag(
                "format", short: "f", value: "FORMAT", choices: "text json",
                "text (default: nothing is printed) or json"),
        ]
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let timeout = try understand(invocation.command) { () throws(UsageError) in
            try invocation.parsed.duration("timeout")
        }
        let format = invocation.parsed.value("format") ?? "text"
        guard format == "text" || format == "json" else {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": text or json"), invocation.command)
        }
        if let request = try serviceRequest(invocation) {
            let folder = ServiceFolder(root: invocation.global.root, name: container.id.description)
            return try waitForService(folder, request, timeout?.milliseconds, asJSON: format == "json")
        }
        let code: Int32
        do throws(RuntimeError) {
            code = try container.wait(timeout: timeout)
        } catch {
            if format == "json", case .timedOut = error { try Output.write(report(container, nil)) }
            throw Failure(error)
        }
        if format == "json" { try Output.write(report(container, code)) }
        return code
    }

    /// nil where the end is waited for.
    private static func serviceRequest(_ invocation: Invocation) throws(Failure) -> ControlRequest? {
        let parsed = invocation.parsed
        switch (parsed.isOn("ready"), parsed.isOn("healthy")) {
        case (false, false): return nil
        case (true, false): return .waitReady
        case (false, true): return .waitHealthy
        case (true, true):
            throw Failure(UsageError(reason: "--ready and --healthy are two things to wait for"), invocation.command)
        }
    }

    private static func waitForService(
        _ folder: ServiceFolder, _ request: ControlRequest, _ timeout: Int64?, asJSON: Bool
    ) throws(Failure) -> Int32 {
        func report(isLate: Bool) throws(Failure) {
            guard asJSON else { return }
            var writer = Writer(style: .indented(2))
            writer.object { object in
                object.member("version", 1)
                object.member("id", folder.name)
                if !isLate { object.member("code", 0) }
                object.member("timedOut", isLate)
            }
            try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
        }
        do throws(RuntimeError) {
            try ControlClient.ask(folder, request, timeout: timeout)
        } catch {
            if case .timedOut = error { try report(isLate: true) }
            throw Failure(error)
        }
        try report(isLate: false)
        return 0
    }

    /// - Parameter code: nil after a timeout.
    private static func report(_ container: Container, _ code: Int32?) -> String {
        var writer = Writer(style: .indented(2))
        writer.object { object in
            object.member("version", 1)
            object.member("id", container.id.description)
            if let code { object.member("code", code) }
            object.member("timedOut", code == nil)
            // Gone already where a foreground run has deleted it.
            if code != nil, let exit = (try? container.state())?.exit {
                object.key("exit")
                exit.write(to: &object)
            }
        }
        return String(decoding: writer.finish(), as: UTF8.self) + "\n"
    }
}

extension ParsedArguments {
    /// A flag's value as a time.
    func duration(_ name: String) throws(UsageError) -> Duration? {
        guard let text = value(name) else { return nil }
        // What the clock cannot count to is no limit; what cannot even be said in milliseconds is a typing error.
        guard let time = DurationText.duration(text, atMost: .milliseconds(Int64.max), bareFraction: true) else {
            throw UsageError(reason: "invalid value \"\(text)\" for flag --\(name): a time such as 10s, 500ms or 1m30s")
        }
        return time
    }
}
