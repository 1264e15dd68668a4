internal import ContainerRuntime
internal import Errors

extension Command {
    /// Engines ask for the help texts of `checkpoint` and `restore` to find out which flags there are, so both know the
    /// flags of runc and crun.
    static let checkpoint = Command(
        name: "checkpoint", arguments: "CONTAINER", count: 1...1,
        summary: "save a running container (not possible with this version)",
        details: """
            The flags are those of runc and crun. This version of runbox does not drive CRIU, which
            saves and restores processes: the command ends with an error, and the container goes on.
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
        let container = try invocation.container()
        let state = try attempt { () throws(RuntimeError) in try container.state() }
        guard state.status == .running || state.status == .paused else {
            throw Failure("Container cannot be checkpointed in \(state.status.rawValue) state")
        }
        throw Checkpointing.missing
    }

    static let restore = Command(
        name: "restore", arguments: "CONTAINER", count: 1...1,
        summary: "restore a container that was saved (not possible with this version)",
        details: """
            The flags are those of runc and crun. This version of runbox does not drive CRIU, which
            saves and restores processes: the command ends with an error.
            """,
        flags: Checkpointing.shared + [
            Flag("bundle", short: "b", value: "DIR", "the bundle's folder (default: the current one)"),
            LaunchFlags.detach,
            Flag("pid-file", value: "FILE", "write the process's number there, digits only"),
            Flag("console-socket", value: "SOCKET", "Unix socket that receives the terminal"),
            Flag("no-subreaper", "do not adopt the container's orphans"),
            Flag("no-pivot", "change the root by chroot, for a root on an initramfs"),
            Flag("tcp-close", "close the connections that were open"),
            Flag("lsm-profile", value: "TYPE:NAME", "another LSM profile than the saved one"),
            Flag("lsm-mount-context", value: "CONTEXT", "another SELinux context of mounts than the saved one"),
        ]
    ) { _ throws(Failure) in
        throw Checkpointing.missing
    }
}

/// What both commands share.
private enum Checkpointing {
    static let shared: [Flag] = [
        Flag("image-path", value: "DIR", "where the checkpoint is (default: checkpoint)"),
        Flag("work-path", value: "DIR", "where CRIU keeps its log"),
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

    static let missing = Failure(
        "checkpoint and restore need CRIU, which this version of runbox cannot drive; use runc or crun for containers that are to be saved"
    )
}
