internal import ContainerRuntime
internal import Errors
internal import JSON
internal import Kernel
internal import Services

extension Command {
    static let state = Command(
        name: "state", arguments: "CONTAINER", count: 1...1, summary: "print a container's state as JSON",
        details: """
            The keys are those of the OCI specification (ociVersion, id, status, pid, bundle, annotations)
            and rootfs, created, owner, systemd-scope as other runtimes have them. status is one of
            creating, created, running, paused, stopped; pid is 0 when the container has stopped.

            runbox adds started, when the payload began; checkpointed and restored, when it was saved and
            made of a checkpoint; and for a stopped container exit: code (128 + the
            number for a signal), signal, oomKilled, limit (whose memory limit), startedAt, finishedAt
            (finishedBefore when no process waited for it) and observedBy. An end that could not be learnt has
            unknown, which says why.

            Of a service, the object service has its status, ready, health, restarts, lastExit, nextStart and
            supervisor; between two containers its state is that of a stopped one.
            """,
        flags: []
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let service = ServiceFolder(root: invocation.global.root, name: container.id.description).view
        let state = try attempt { () throws(RuntimeError) in
            do throws(RuntimeError) {
                return try container.state()
            } catch {
                // Between two containers, it is there all the same.
                if case .missing = error, let service { return ContainerState(service) }
                throw error
            }
        }
        var writer = Writer(style: .indented(2))
        state.write(to: &writer, systemdScope: true, service: service)
        try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
        return 0
    }
}

extension ContainerState {
    /// The keys of `state`; those of one entry of `list` without the scope.
    func write(to writer: inout Writer, systemdScope: Bool, service: ServiceRecord? = nil) {
        writer.object { object in
            object.member("ociVersion", ociVersion)
            object.member("id", id)
            object.member("pid", pid)
            object.member("status", status.rawValue)
            object.member("bundle", bundle)
            object.member("rootfs", rootfs)
            object.member("created", created)
            if let started { object.member("started", started) }
            if let checkpointed { object.member("checkpointed", checkpointed) }
            if let restored { object.member("restored", restored) }
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
            if let service {
                object.key("service")
                service.write(to: &object)
            }
        }
    }

    /// Of a service that has no container at this moment.
    init(_ service: ServiceRecord) {
        self.init(
            id: service.name, bundle: service.bundle, created: service.created, exit: service.lastExit,
            owner: Credentials.effectiveUser)
    }
}
