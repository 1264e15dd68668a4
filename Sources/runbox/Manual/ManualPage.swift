internal import ContainerRuntime
internal import OCISpec

/// A manual page, made from the command table in the macros of man(7).
struct ManualPage: Sendable {
    /// `runbox`, or `runbox-` and a command.
    let name: String
    let text: String

    /// - Parameter commands: all of them.
    static func all(_ commands: [Command]) -> [ManualPage] {
        [overview(commands.visible)] + commands.visible.map { page($0, commands.visible) }
    }

    private static func page(_ command: Command, _ commands: [Command]) -> ManualPage {
        let name = "runbox-\(command.name)"
        var page = Troff(title: name, summary: command.summary)
        page.section("SYNOPSIS")
        page.line("\\fBrunbox\\fR [\\fIglobal options\\fR] \\fB\(Troff.escaped(command.name))\\fR")
        page.line("[\\fIoptions\\fR] \\fI\(Troff.escaped(command.arguments))\\fR", unless: command.arguments.isEmpty)
        page.section("DESCRIPTION")
        page.paragraphs(command.details)
        page.section("OPTIONS")
        page.flags(command.allFlags)
        page.line(".PP")
        page.flowing("The global options are described in `runbox`(1).")
        if let examples = Examples.of(command.name) {
            page.section("EXAMPLES")
            page.paragraphs(examples)
        }
        page.section("SEE ALSO")
        let others = commands.filter { $0.name != command.name }.map { "runbox-\($0.name)" }
        page.references(["runbox"] + others)
        return ManualPage(name: name, text: page.text)
    }

    private static func overview(_ commands: [Command]) -> ManualPage {
        var page = Troff(title: "runbox", summary: "Open Container Initiative runtime")
        page.section("SYNOPSIS")
        page.line("\\fBrunbox\\fR [\\fIglobal options\\fR] \\fIcommand\\fR [\\fIoptions\\fR] [\\fIarguments\\fR...]")
        page.section("DESCRIPTION")
        page.paragraphs(description)
        page.section("GLOBAL OPTIONS")
        page.flags(GlobalOptions.flags)
        page.section("COMMANDS")
        for command in commands {
            page.line(".TP\n\\fBrunbox\\-\(Troff.escaped(command.name))\\fR(1)")
            page.flowing(command.summary)
        }
        page.section("EXIT STATUS")
        page.items(exitStatus)
        page.section("ENVIRONMENT")
        page.items(environment)
        page.section("FILES")
        page.items(files)
        page.section("EXAMPLES")
        page.paragraphs(examples)
        page.section("STANDARDS")
        page.flowing("Runtime Specification of the Open Container Initiative, version \(OCIVersion.implemented).")
        page.section("SEE ALSO")
        page.references(commands.map { "runbox-\($0.name)" })
        return ManualPage(name: "runbox", text: page.text)
    }

    private static let description = """
        runbox runs containers from OCI bundles: a folder with a config.json and a root file system. Engines
        (containerd, Docker, Podman, CRI-O) call it with the commands and flags of runc and crun; people call
        `runbox run bundle/`.

        Long flags are written with two dashes or one, and may be shortened as long as they stay unique. A
        value follows its flag as the next word or behind `=`. `--` ends the flags.
        """

    private static let exitStatus = [
        ("0", "The command did what it was asked for. `check`: there are no errors; `doctor`: containers can be run."),
        (
            "1",
            "runbox failed. The reason is one line on standard error, and one line of level `error` in the file of `--log`. `check`: there are errors, or warnings with `--strict`; `doctor`: something is missing that containers cannot be run without."
        ),
        ("124", "`wait`: the time of `--timeout` is over, and the container has not ended."),
        (
            "126",
            "`run`, `create`, `start`, `exec`: the container's program is there and cannot be executed."
        ),
        (
            "127",
            "`run`, `create`, `start`, `exec`: the container's program, or the interpreter or loader that it needs, is not there."
        ),
        (
            "128 + N",
            "A signal of this number ended the container's program (`run` in the foreground, `exec`, `wait`: 137 is SIGKILL, 143 SIGTERM), or `run` itself before the program ran."
        ),
        ("141", "What reads the output has left (128 + SIGPIPE). Nothing is said."),
        ("255", "`exec` failed, and the program is not at fault."),
        (
            "any other",
            "`run` in the foreground, `exec` and `wait` end with the exit status of the container's program, whatever it is: also one of the above. `state` and `wait --format json` tell them apart."
        ),
    ]

    private static let environment = [
        ("XDG_RUNTIME_DIR", "For ordinary users, state is kept in its folder `runbox`."),
        ("LISTEN_FDS", "Descriptors of socket activation, which `run` and `create` pass on to the program."),
        ("NOTIFY_SOCKET", "The service manager's socket for readiness, which is passed on to the program."),
        ("NO_COLOR", "With any value, nothing is coloured. Colours are for terminals only, in any case."),
    ]

    private static let files = [
        ("/run/runbox", "A folder for each container: its state, and a copy of its configuration."),
        ("config.json", "The configuration in a bundle; `runbox spec` writes one to begin with."),
        (
            "/var/lib/runbox/NAME",
            "The bundle that the systemd unit `runbox@NAME.service` runs; /usr/share/doc/runbox/service.md is the guide."
        ),
        ("/usr/share/runbox/seccomp.json", "Seccomp rules as engines use them; `/usr/local/share` by default."),
    ]

    private static let examples = """
        A shell from a folder with a root file system:

          mkdir -p bundle/rootfs
          runbox spec --bundle bundle
          runbox run bundle/

        In the background, as engines do it:

          runbox create --bundle bundle my-container
          runbox start my-container
          runbox stop my-container
          runbox delete my-container
        """
}
