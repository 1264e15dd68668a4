internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// The flags that `run` and `create` share.
enum LaunchFlags {
    static let shared: [Flag] =
        [
            Flag("bundle", short: "b", value: "DIR", "the bundle's folder (default: the current one)"),
            Flag("config", short: "f", value: "FILE", "another configuration file than config.json"),
            Flag("replace", "delete a container that has the name already, as delete --force does"),
            Flag("no-pivot", "change the root by chroot, for a root on an initramfs"),
            Flag("no-new-keyring", "stay in the caller's session keyring"),
            Flag("no-subreaper", "do not adopt the container's orphans"),
            strict,
        ] + forEveryProcess

    /// Of `exec`, too.
    static let forEveryProcess: [Flag] = [
        Flag("pid-file", value: "FILE", "write the process's number there, digits only"),
        Flag("console-socket", value: "SOCKET", "Unix socket that receives the terminal of a process that has one"),
        Flag("pidfd-socket", value: "SOCKET", "Unix socket that receives a descriptor of the process"),
        Flag("preserve-fds", value: "N", "let the program inherit what is open of the N descriptors from 3 on"),
    ]

    static let strict = Flag(
        "strict", "take what is merely odd in the configuration, such as unknown keys, for a mistake")
    static let detach = Flag("detach", short: "d", "return once the payload runs")

    /// This process, with the descriptors that the flags pass on.
    static func caller(_ parsed: ParsedArguments) throws(UsageError) -> Caller {
        var caller = Caller.current
        caller.preservedDescriptors = try parsed.number("preserve-fds") ?? 0
        caller.noteInherited()
        return caller
    }

    /// Before a process begins that this one does not stay with.
    static func leaveKeyboard() throws(Failure) {
        try attempt { () throws(RuntimeError) in
            try operation("take /dev/null for the terminal on standard input") { () throws(SystemError) in
                try StandardStreams.leaveKeyboard()
            }
        }
    }

    static func options(_ invocation: Invocation) throws(UsageError) -> LaunchOptions {
        let parsed = invocation.parsed
        var options = LaunchOptions()
        options.confinesCaller = true
        options.pidFile = parsed.value("pid-file").map(Paths.absolute)
        options.consoleSocket = parsed.value("console-socket").map(Paths.absolute)
        options.pidfdSocket = parsed.value("pidfd-socket").map(Paths.absolute)
        options.pivotRoot = !parsed.isOn("no-pivot")
        options.sessionKeyring = !parsed.isOn("no-new-keyring")
        options.adoptsOrphans = !parsed.isOn("no-subreaper")
        options.detach = parsed.isOn("detach")
        options.keep = parsed.isOn("keep")
        options.replace = parsed.isOn("replace")
        options.strict = parsed.isOn("strict")
        options.cgroupManager = invocation.global.cgroupManager
        options.service = try ServiceFlags.choices(parsed)
        if !options.service.isEmpty { options.serviceFolder = Paths.absolute(".") }
        return options
    }

    /// What the one argument means: a path, as `.` or anything with a slash, is the bundle; anything else is the
    /// container's name.
    struct Target {
        let bundle: ContainerBundle
        let id: ContainerID
    }

    static func target(_ invocation: Invocation) throws(Failure) -> Target {
        let parsed = invocation.parsed
        let argument = parsed.arguments[0]
        let isPath = argument.containsByte("/") || argument == "." || argument == ".."
        do throws(RuntimeError) {
            let bundle = try measured(.bundle) { () throws(RuntimeError) in
                try ContainerBundle(
                    isPath ? argument : parsed.value("bundle") ?? ".",
                    config: parsed.value("config").map { Self.config($0, isPath) }, strict: parsed.isOn("strict"),
                    warn: invocation.log.warn)
            }
            guard isPath else { return Target(bundle: bundle, id: try ContainerID(argument)) }
            if parsed.value("bundle") != nil {
                throw .failed(
                    reason: "the bundle is named twice: \(argument) and --bundle; give a container name with --bundle")
            }
            return Target(bundle: bundle, id: try name(bundle))
        } catch {
            throw Failure(explained(error, argument, isPath: isPath, parsed))
        }
    }

    /// Whoever types `run alpine` means an image, or a folder.
    private static func explained(
        _ error: RuntimeError, _ argument: String, isPath: Bool, _ parsed: ParsedArguments
    ) -> RuntimeError {
        guard case .bundle(let reason) = error, parsed.value("bundle") == nil, parsed.value("config") == nil else {
            return error
        }
        if isPath {
            return Files.exists(argument) ? error : .bundle(reason: "\(reason); \(ForeignWords.bundles)")
        }
        let folder = Files.exists("\(argument)/config.json") ? argument : "DIR"
        return .bundle(
            reason:
                "\(reason). \"\(argument)\" was taken for the container's name, and the current folder for its bundle: write runbox run \(folder)/ for a bundle's folder; \(ForeignWords.bundles)"
        )
    }

    /// A configuration file with a slash in its name counts from the working directory, another one from the bundle.
    static func config(_ name: String, _ isPath: Bool) -> String {
        name.containsByte("/") ? Paths.absolute(name) : name
    }

    /// The folder's name, with what no container's name may have replaced. Never another one where it is taken: what
    /// has it may be the same service, still running.
    private static func name(_ bundle: ContainerBundle) throws(RuntimeError) -> ContainerID {
        let folder = bundle.path.parts(by: "/").last ?? "container"
        let allowed = folder.unicodeScalars.map { ContainerID.allows($0) ? $0 : "_" }
        var trimmed = ""
        trimmed.unicodeScalars.append(contentsOf: allowed.drop { $0 == "." }.prefix(240))
        return try ContainerID(trimmed.isEmpty ? "container" : trimmed)
    }
}
