internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import Planning

extension Command {
    static let checkpoint = Command(
        name: "checkpoint", arguments: "CONTAINER", count: 1...1,
        summary: "save a running container by CRIU",
        details: """
            CRIU saves the processes to the folder of --image-path, and `runbox restore` lets them run on
            from there. The container ends with that and is deleted, unless --leave-running or --pre-dump
            is given. When it cannot be saved, it runs on, and the error says why in CRIU's words.

            With --pre-dump only memory is saved; a checkpoint with --parent-path saves what has changed
            since, so that the container stands still for a shorter time.
            """,
        flags: Checkpointing.shared + [
            Flag("leave-running", "let the container run on"),
            Flag("parent-path", value: "DIR", "an earlier checkpoint, relative to the image path"),
            Flag("tcp-skip-in-flight", "leave out connections that are not established yet"),
            Flag("link-remap", "save files that were deleted while they are open"),
            Flag("page-server", value: "ADDRESS:PORT", "send the memory there"),
            Flag("status-fd", value: "N", "write a byte to this descriptor when the pages can be served"),
            Flag("pre-dump", "save the memory only, and let the container run on"),
        ]
    ) { invocation throws(Failure) in
        let options = try understand(invocation.command) { () throws(UsageError) in
            try Checkpointing.checkpoint(invocation.parsed)
        }
        let container = try invocation.container()
        try attempt { () throws(RuntimeError) in try container.checkpoint(options, warn: invocation.log.warn) }
        return 0
    }

    static let restore = Command(
        name: "restore", arguments: "CONTAINER", count: 1...1,
        summary: "make a container of a checkpoint",
        details: """
            The processes run on from where `runbox checkpoint` has saved them, under the container's name or
            another one, on this host or another one. The bundle's config.json says what CRIU does not
            save: cgroup and limits, sources of bind mounts, namespaces to join, hooks.

            In the foreground, signals are passed on to the payload, and the exit status is the payload's,
            as with `run`. When the container cannot be restored, nothing of it is left, and the error says
            why in CRIU's words.
            """,
        flags: Checkpointing.shared + [
            Flag("bundle", short: "b", value: "DIR", "the bundle's folder (default: the current one)"),
            LaunchFlags.detach,
            LaunchFlags.strict,
            Flag("pid-file", value: "FILE", "write the process's number there, digits only"),
            Flag("console-socket", value: "SOCKET", "Unix socket that receives the terminal"),
            Flag("no-subreaper", "do not adopt the container's orphans"),
            Flag("no-pivot", "accepted for engines, with a warning: CRIU changes the root its own way"),
            Flag("preserve-fds", value: "N", "put the caller's N descriptors from 3 on in the place of the saved"),
            Flag("mount", value: "SOURCE:DESTINATION", repeats: true, "another source of a bind mount"),
            Flag("tcp-close", "close the connections that were open"),
            Flag("lsm-profile", value: "TYPE:NAME", "another LSM profile than the saved one"),
            Flag("lsm-mount-context", value: "CONTEXT", "another SELinux context of mounts than the saved one"),
        ],
        touchesContainers: true
    ) { invocation throws(Failure) in
        let restoring = try understand(invocation.command) { () throws(UsageError) in
            try Checkpointing.restore(invocation.parsed)
        }
        let options = try invocation.launchOptions()
        let caller = try understand(invocation.command) { () throws(UsageError) in
            try LaunchFlags.caller(invocation.parsed)
        }
        let target = try LaunchFlags.target(invocation)
        let container = Container(target.id, store: Store(root: invocation.global.root))
        return try attempt { () throws(RuntimeError) in
            try container.restore(
                target.bundle, options: options, restoring: restoring, caller: caller, started: invocation.steps.write,
                warn: invocation.log.warn)
        }
    }
}

/// What both commands share.
private enum Checkpointing {
    static let shared: [Flag] = [
        Flag("image-path", value: "DIR", "where the checkpoint is (default: checkpoint)"),
        Flag("work-path", value: "DIR", "where CRIU keeps its log (default: the image path)"),
        Flag("criu", value: "FILE", "another CRIU than that on PATH"),
        Flag("tcp-established", "with established TCP connections"),
        Flag("ext-unix-sk", "with Unix sockets to the outside"),
        Flag("shell-job", "with a terminal that came from the outside"),
        Flag("file-locks", "with file locks"),
        Flag("lazy-pages", "load the memory when it is used"),
        Flag("manage-cgroups-mode", value: "MODE", choices: "soft full strict ignore", "soft, full, strict or ignore"),
        Flag("network-lock", value: "METHOD", choices: "iptables nftables skip", "iptables, nftables or skip"),
        Flag("empty-ns", value: "KIND", choices: "network", "leave a namespace's content out: network"),
        Flag("auto-dedup", "remove pages that a later checkpoint has, too"),
    ]

    static func settings(_ parsed: ParsedArguments) throws(UsageError) -> CheckpointSettings {
        var settings = CheckpointSettings(imagePath: Paths.absolute(parsed.value("image-path") ?? "checkpoint"))
        settings.workPath = parsed.value("work-path").map(Paths.absolute)
        settings.program = parsed.value("criu").map(Paths.absolute)
        settings.establishedTCP = parsed.isOn("tcp-established")
        settings.externalUnixSockets = parsed.isOn("ext-unix-sk")
        settings.shellJob = parsed.isOn("shell-job")
        settings.fileLocks = parsed.isOn("file-locks")
        settings.lazyPages = parsed.isOn("lazy-pages")
        settings.autoDedup = parsed.isOn("auto-dedup")
        settings.leavesNetworkOut = try word("empty-ns", parsed) { $0 == "network" ? true : nil } ?? false
        settings.cgroups = try word("manage-cgroups-mode", parsed) { CgroupRestoration(rawValue: $0) } ?? .soft
        settings.connectionLock = try word("network-lock", parsed) { ConnectionLock(rawValue: $0) }
        return settings
    }

    private static func word<Value>(
        _ flag: String, _ parsed: ParsedArguments, _ meaning: (String) -> Value?
    ) throws(UsageError) -> Value? {
        guard let text = parsed.value(flag), !text.isEmpty else { return nil }
        if let value = meaning(text) { return value }
        let known = shared.first { $0.name == flag }?.choices?.parts(by: " ").joined(separator: ", ") ?? ""
        throw UsageError(reason: "invalid value \"\(text)\" for flag --\(flag): \(known)")
    }

    static func checkpoint(_ parsed: ParsedArguments) throws(UsageError) -> CheckpointOptions {
        var options = CheckpointOptions(try settings(parsed))
        options.leavesRunning = parsed.isOn("leave-running")
        options.isPreDump = parsed.isOn("pre-dump")
        options.parentPath = parsed.value("parent-path").flatMap { $0.isEmpty ? nil : $0 }
        options.skipsTCPInFlight = parsed.isOn("tcp-skip-in-flight")
        options.linkRemap = parsed.isOn("link-remap")
        options.statusDescriptor = try parsed.number("status-fd").flatMap { $0 < 0 ? nil : Int32(clamping: $0) }
        if let text = parsed.value("page-server"), !text.isEmpty { options.pageServer = try server(text) }
        if options.isPreDump, options.settings.lazyPages {
            throw UsageError(reason: "--pre-dump contradicts --lazy-pages; leave one of them out")
        }
        if options.statusDescriptor != nil, !options.settings.lazyPages {
            throw UsageError(reason: "--status-fd is for --lazy-pages, which is not given")
        }
        return options
    }

    /// An IPv6 address has colons of its own, and may stand in brackets.
    private static func server(_ text: String) throws(UsageError) -> (address: String, port: Int32) {
        var parts = text.parts(by: ":", keepingEmpty: true)
        let last = parts.popLast() ?? ""
        var address = parts.joined(separator: ":")
        if address.begins(with: "["), address.ends(with: "]") {
            address = String(decoding: address.utf8.dropFirst().dropLast(), as: UTF8.self)
        }
        guard let port = UInt16(last), port > 0, !address.isEmpty else {
            throw UsageError(reason: "invalid value \"\(text)\" for flag --page-server: ADDRESS:PORT is needed")
        }
        return (address, Int32(port))
    }

    static func restore(_ parsed: ParsedArguments) throws(UsageError) -> RestoreOptions {
        var options = RestoreOptions(try settings(parsed))
        options.closesTCP = parsed.isOn("tcp-close")
        options.lsmProfile = parsed.value("lsm-profile").flatMap { $0.isEmpty ? nil : $0 }
        options.lsmMountContext = parsed.value("lsm-mount-context").flatMap { $0.isEmpty ? nil : $0 }
        for text in parsed.values("mount") {
            let parts = text.parts(by: ":", keepingEmpty: true, most: 2)
            guard parts.count == 2, !parts[0].isEmpty, parts[1].isAbsolutePath else {
                throw UsageError(
                    reason: "invalid value \"\(text)\" for flag --mount: SOURCE:DESTINATION is needed, both absolute")
            }
            options.mounts.append((destination: parts[1], source: Paths.absolute(parts[0])))
        }
        return options
    }
}
