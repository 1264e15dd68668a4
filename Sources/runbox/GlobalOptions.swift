internal import ContainerRuntime

/// What stands before the command's name.
struct GlobalOptions: Sendable {
    let root: String
    let cgroupManager: CgroupManagerKind

    static let flags: [Flag] = [
        Flag("root", value: "DIR", "where containers' state is kept (default /run/runbox, or $XDG_RUNTIME_DIR/runbox)"),
        Flag(
            "log", value: "FILE",
            "where messages go: a file, file:PATH, journald:NAME or syslog:NAME; errors go to stderr as well"),
        Flag(
            "log-format", value: "FORMAT", choices: "text json",
            "text (default) or json: one object a line with level, msg and time"),
        Flag("log-level", value: "LEVEL", choices: "error warning debug", "error, warning (default) or debug"),
        Flag("debug", "the same as --log-level debug: also lists all mistakes of a configuration"),
        Flag("cgroup-manager", value: "NAME", choices: "cgroupfs disabled", "cgroupfs (default) or disabled"),
        Flag("systemd-cgroup", "let systemd make the cgroup (not supported yet)"),
        Flag(
            "rootless", value: "BOOL", choices: "true false auto",
            "true, false or auto; accepted for engines, runbox sees by itself"),
        Flag("version", short: "v", "print the version"),
        Flag("help", short: "h", "show this text"),
    ]

    init(_ parsed: ParsedArguments) throws(UsageError) {
        if parsed.isOn("systemd-cgroup") {
            throw UsageError(reason: "--systemd-cgroup is not supported yet; leave it out to use cgroupfs")
        }
        switch parsed.value("cgroup-manager") {
        case nil, "cgroupfs": cgroupManager = .cgroupfs
        case "disabled": cgroupManager = .disabled
        case "systemd":
            throw UsageError(reason: "the cgroup manager systemd is not supported yet; use cgroupfs or disabled")
        case .some(let name):
            throw UsageError(reason: "unknown cgroup manager \"\(name)\"; cgroupfs and disabled are known")
        }
        if let rootless = parsed.value("rootless"), !["", "true", "false", "auto"].contains(rootless) {
            throw UsageError(reason: "invalid value \"\(rootless)\" for flag --rootless: true, false or auto")
        }
        root = parsed.value("root").map(Paths.absolute) ?? Store.defaultRoot()
        if root == "/" { throw UsageError(reason: "--root must not be /") }
    }
}
