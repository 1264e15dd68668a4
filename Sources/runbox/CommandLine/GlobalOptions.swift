internal import ContainerRuntime
internal import Planning

/// What stands before the command's name.
struct GlobalOptions: Sendable {
    let root: String
    /// Whether the caller has named it.
    let isRootNamed: Bool
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
        Flag(
            "debug",
            "the same as --log-level debug: also lists all mistakes of a configuration, and how long each step took"),
        Flag(
            "cgroup-manager", value: "NAME", choices: "cgroupfs systemd disabled",
            "cgroupfs (default), systemd or disabled"),
        Flag("systemd-cgroup", "the same as --cgroup-manager systemd; cgroupsPath is then slice:prefix:name"),
        Flag(
            "rootless", value: "BOOL", choices: "true false auto",
            "true, false or auto; accepted for engines, runbox sees by itself"),
        Flag("version", short: "v", "print the version"),
        Flag("help", short: "h", "show this text"),
    ]

    init(_ parsed: ParsedArguments) throws(UsageError) {
        let usesSystemd = parsed.isOn("systemd-cgroup")
        switch parsed.value("cgroup-manager") {
        case nil: cgroupManager = usesSystemd ? .systemd : .cgroupfs
        case "systemd": cgroupManager = .systemd
        case .some(let name) where usesSystemd && ["cgroupfs", "disabled"].contains(name):
            throw UsageError(reason: "--systemd-cgroup contradicts --cgroup-manager \(name); leave one of them out")
        case "cgroupfs": cgroupManager = .cgroupfs
        case "disabled": cgroupManager = .disabled
        case .some(let name):
            throw UsageError(reason: "unknown cgroup manager \"\(name)\"; cgroupfs, systemd and disabled are known")
        }
        if let rootless = parsed.value("rootless"), !["", "true", "false", "auto"].contains(rootless) {
            throw UsageError(reason: "invalid value \"\(rootless)\" for flag --rootless: true, false or auto")
        }
        isRootNamed = parsed.value("root") != nil
        root = parsed.value("root").map(Paths.absolute) ?? Store.defaultRoot()
        if root == "/" { throw UsageError(reason: "--root must not be /") }
    }
}
