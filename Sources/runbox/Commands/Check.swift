internal import ContainerRuntime
internal import Diagnosis
internal import Errors
internal import JSON
internal import Planning

extension Command {
    static let check = Command(
        name: "check", arguments: "[BUNDLE]", count: 0...1,
        summary: "find all that is wrong or odd in a bundle, without running it",
        details: """
            Reads the bundle (default: the current folder) as `run` would and prints every finding: mistakes,
            unknown keys and words with the nearest known ones, sources and hooks that are not there, and why
            the program could not be executed. Each with line, column, JSON path and the clause of the
            specification. Nothing on the host is touched, and a bundle that can be read needs no root.

            The exit status is 0 when there are no errors (warnings are allowed without --strict), else 1.
            """,
        flags: [
            Flag("bundle", short: "b", value: "DIR", "the bundle's folder, instead of an argument"),
            Flag("config", short: "f", value: "FILE", "another configuration file than config.json"),
            Flag("format", value: "FORMAT", choices: "text json", "text (default) or json"),
            Flag("strict", "take warnings for errors"),
        ]
    ) { invocation throws(Failure) in
        let parsed = invocation.parsed
        let format = parsed.value("format") ?? "text"
        guard format == "text" || format == "json" else {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": text or json"), invocation.command)
        }
        if !parsed.arguments.isEmpty, parsed.value("bundle") != nil {
            throw Failure(
                UsageError(reason: "the bundle is named twice: \(parsed.arguments[0]) and --bundle"), invocation.command
            )
        }
        let path = parsed.arguments.first ?? parsed.value("bundle") ?? "."
        let config = parsed.value("config").map { LaunchFlags.config($0, !parsed.arguments.isEmpty) }
        var options = LaunchOptions()
        options.cgroupManager = invocation.global.cgroupManager
        let report = CheckReport(
            bundle: Paths.absolute(path), isStrict: parsed.isOn("strict"),
            all: ContainerBundle.check(path, config: config, options: options))
        try Output.write(format == "json" ? report.json() : report.text(isColored: Output.isColored(1)))
        return report.exitStatus
    }
}

/// The findings as they are printed.
private struct CheckReport {
    let bundle: String
    let findings: [Finding]

    init(bundle: String, isStrict: Bool, all findings: [Finding]) {
        self.bundle = bundle
        self.findings = isStrict ? findings.map { $0.asMistake } : findings
    }

    var errors: Int { findings.count { $0.severity == .error } }
    var warnings: Int { findings.count - errors }
    var exitStatus: Int32 { errors > 0 ? 1 : 0 }

    func text(isColored: Bool) -> String {
        func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
        let lines = findings.map { $0.reportLine(isColored) + "\n" }.joined()
        return lines + "\(count(errors, "error")), \(count(warnings, "warning"))\n"
    }

    /// The schema is in docs/check.md; a key may be added within a version, none changed or removed.
    func json() -> String {
        var writer = Writer(style: .indented(2))
        writer.object { object in
            object.member("version", 1)
            object.member("bundle", bundle)
            object.member("ok", exitStatus == 0)
            object.member("errors", errors)
            object.member("warnings", warnings)
            object.key("findings")
            object.array { array in
                for finding in findings { array.object { finding.write(to: &$0) } }
            }
        }
        return String(decoding: writer.finish(), as: UTF8.self) + "\n"
    }
}

extension Finding {
    /// Place, severity, path, message and clause.
    fileprivate func reportLine(_ isColored: Bool) -> String {
        let rest = "\(field.isEmpty ? "" : "\(field): ")\(reason) [\(clause)]".withVisibleControls()
        let word = isColored ? Output.colored(severity.rawValue, severity == .error ? 31 : 33) : severity.rawValue
        return "\(place.withVisibleControls()): \(word): \(rest)"
    }

    fileprivate func write(to object: inout Writer) {
        object.member("severity", severity.rawValue)
        object.member("file", file)
        if let line { object.member("line", line) }
        if let column { object.member("column", column) }
        object.member("path", field)
        object.member("clause", clause)
        object.member("message", reason)
    }
}
