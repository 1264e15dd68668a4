internal import Diagnosis
internal import JSON

extension Command {
    static let doctor = Command(
        name: "doctor", arguments: "", count: 0...0, summary: "show what this host can do for containers",
        details: """
            Looks at the kernel, cgroups, user namespaces, security modules and helpers as the calling user
            sees them. Each line is ok, warn or missing; a gap says what it costs and what fixes it. Nothing
            on the host is changed. The exit status is 1 when something is missing that containers cannot be
            run without.
            """,
        flags: [Flag("format", short: "f", value: "FORMAT", choices: "text json", "text (default) or json")]
    ) { invocation throws(Failure) in
        let format = invocation.parsed.value("format") ?? "text"
        guard format == "text" || format == "json" else {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": text or json"), invocation.command)
        }
        let doctor = Doctor.examine()
        if format == "text" {
            try Output.write(doctor.text(isColored: Output.isColored(1)))
        } else {
            var writer = Writer(style: .indented(2))
            doctor.write(to: &writer)
            try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
        }
        return doctor.isFit ? 0 : 1
    }
}
