internal import ContainerRuntime
internal import Errors
internal import JSON

extension Command {
    static let state = Command(
        name: "state", arguments: "CONTAINER", count: 1...1, summary: "print a container's state as JSON",
        details: """
            The keys are those of the OCI specification (ociVersion, id, status, pid, bundle, annotations)
            and rootfs, created, owner, systemd-scope as other runtimes have them. status is one of
            creating, created, running, paused, stopped; pid is 0 when the container has stopped.

            runbox adds started, when the payload began, and for a stopped container exit: code (128 + the
            number for a signal), signal, oomKilled, limit (whose memory limit), startedAt, finishedAt
            (finishedBefore when no process waited for it) and observedBy. An end that could not be learnt has
            unknown, which says why.
            """,
        flags: []
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let state = try attempt { () throws(RuntimeError) in try container.state() }
        var writer = Writer(style: .indented(2))
        state.write(to: &writer, systemdScope: true)
        try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
        return 0
    }
}

extension ContainerState {
    /// The keys of `state`; those of one entry of `list` without the scope.
    func write(to writer: inout Writer, systemdScope: Bool) {
        writer.object { object in
            object.member("ociVersion", ociVersion)
            object.member("id", id)
            object.member("pid", pid)
            object.member("status", status.rawValue)
            object.member("bundle", bundle)
            object.member("rootfs", rootfs)
            object.member("created", created)
            if let started { object.member("started", started) }
            if !annotations.isEmpty {
                object.key("annotations")
                object.object { map in
                    for (key, value) in annotations.sorted(by: { $0.key < $1.key }) { map.member(key, value) }
                }
            }
            object.member("owner", ownerName)
            if systemdScope { object.member("systemd-scope", self.systemdScope) }
            if let exit {
                object.key("exit")
                exit.write(to: &object)
            }
        }
    }
}
