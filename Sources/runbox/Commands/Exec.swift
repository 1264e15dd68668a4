internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import OCISpec
internal import Planning

extension Command {
    static let exec = Command(
        name: "exec", arguments: "CONTAINER PROGRAM [ARGUMENT...]", count: 1 ... .max,
        summary: "run another program in a container",
        details: """
            The program is looked up on the container's PATH and gets the environment, user, capabilities
            and limits of the container's own process, as far as flags do not change them; with --process,
            a file with a process object of the OCI specification says all of it. What follows CONTAINER
            belongs to the program, flags too.

            In the foreground, signals are passed on to the program, and the exit status is the program's,
            or 128 + the signal's number. A failure of runbox itself exits with 255; with 127 or 126 when the
            program is missing or not executable.
            """,
        flags: [
            Flag(
                "process", short: "p", value: "FILE", "a process object; the flags about the process do not count then"),
            Flag("cwd", value: "DIR", "the working directory (default: the container's)"),
            Flag("env", short: "e", value: "NAME=VALUE", repeats: true, "set a variable"),
            Flag("tty", short: "t", "give the program a terminal"),
            Flag("user", short: "u", value: "UID[:GID]", "run as this user (default: the container's)"),
            Flag("additional-gids", short: "g", value: "GID", repeats: true, "add a supplementary group"),
            Flag("cap", short: "c", value: "CAP", repeats: true, "add a capability"),
            Flag("no-new-privs", "never let the program gain privileges"),
            Flag("apparmor", value: "PROFILE", "confine the program with this AppArmor profile"),
            Flag("process-label", value: "LABEL", "give the program this SELinux label"),
            Flag("cgroup", value: "PATH", "start in this cgroup below the container's"),
            Flag("ignore-paused", "also in a paused container, where the program runs when it is resumed"),
            LaunchFlags.detach,
        ] + LaunchFlags.forEveryProcess,
        touchesContainers: true, takesProgram: true
    ) { invocation throws(Failure) in
        let options = try understand(invocation.command) { () throws(UsageError) in try execOptions(invocation.parsed) }
        let caller = try understand(invocation.command) { () throws(UsageError) in
            try LaunchFlags.caller(invocation.parsed)
        }
        let container = try invocation.container()
        if options.detach { try LaunchFlags.leaveKeyboard() }
        do throws(RuntimeError) {
            return try container.execInForeground(
                options, caller: caller, started: invocation.steps.write, warn: invocation.log.warn)
        } catch {
            throw Failure(execution: error)
        }
    }

    private static func execOptions(_ parsed: ParsedArguments) throws(UsageError) -> ExecOptions {
        var options = ExecOptions()
        options.processFile = parsed.value("process").map(Paths.absolute)
        options.arguments = Array(parsed.arguments.dropFirst())
        // Some callers set the program apart in the usual way.
        if options.arguments.first == "--" { options.arguments.removeFirst() }
        options.directory = parsed.value("cwd")
        options.environment = parsed.values("env")
        options.terminal = parsed.isOn("tty")
        if let text = parsed.value("user") {
            guard let user = ExecOptions.User(text) else {
                throw UsageError(
                    reason: "invalid value \"\(text)\" for flag --user: UID or UID:GID in digits is needed")
            }
            options.user = user
        }
        for text in parsed.values("additional-gids") {
            guard let group = ExecOptions.User(text), group.group == nil else {
                throw UsageError(reason: "invalid value \"\(text)\" for flag --additional-gids: a number is needed")
            }
            options.additionalGroups.append(group.user)
        }
        options.capabilities = parsed.values("cap").map { name in
            let name = name.inCapitals
            return name.begins(with: "CAP_") ? name : "CAP_\(name)"
        }
        if parsed.isOn("no-new-privs") { options.noNewPrivileges = true }
        options.apparmorProfile = parsed.value("apparmor")
        options.selinuxLabel = parsed.value("process-label")
        options.cgroup = parsed.value("cgroup")
        options.ignorePaused = parsed.isOn("ignore-paused")
        options.detach = parsed.isOn("detach")
        options.confinesCaller = true
        options.pidFile = parsed.value("pid-file").map(Paths.absolute)
        options.consoleSocket = parsed.value("console-socket").map(Paths.absolute)
        options.pidfdSocket = parsed.value("pidfd-socket").map(Paths.absolute)
        return options
    }
}

extension Failure {
    /// Of `exec`: with runc's message, and with its status for whatever is not the program's fault.
    fileprivate init(execution error: RuntimeError) {
        let plain = Failure(error)
        self.init(
            messages: ["exec failed: \(plain.messages.first ?? "")"] + plain.messages.dropFirst(),
            exitStatus: plain.exitStatus == 1 ? 255 : plain.exitStatus)
    }
}
