import JSON

/// Where a container is in its life (runtime.md, "State").
public enum ContainerStatus: String, Sendable, Word {
    /// Its environment is being made.
    case creating
    /// It waits for `start`.
    case created
    /// Its payload runs.
    case running
    /// Its cgroup is frozen. Not of the specification, which allows more; the other runtimes call it so.
    case paused
    /// Its process has ended.
    case stopped
}

/// A container's state, as hooks and `state` show it (runtime.md, "State").
package struct State: Sendable, Hashable {
    /// The version of the specification that the state keeps to.
    package var ociVersion: String
    /// The container's ID.
    package var id: String
    /// Where it is in its life.
    package var status: ContainerStatus
    /// The container's process, as seen by the reader; 0 where there is none.
    package var pid: Int
    /// The bundle's directory, absolute.
    package var bundle: String
    /// The configuration's annotations.
    package var annotations: [KeyValue]?

    /// A state by its parts.
    package init(
        ociVersion: String, id: String, status: ContainerStatus, pid: Int, bundle: String,
        annotations: [KeyValue]? = nil
    ) {
        self.ociVersion = ociVersion
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
        self.annotations = annotations
    }

    /// The state as one line of JSON without a line break: what hooks get on their standard input.
    package func json() -> [UInt8] {
        var writer = Writer()
        write(to: &writer)
        return writer.finish()
    }

    fileprivate func write(to writer: inout Writer) {
        writer.object { writer in
            writer.member("ociVersion", ociVersion)
            writer.member("id", id)
            writer.member("status", status.rawValue)
            writer.member("pid", pid)
            writer.member("bundle", bundle)
            guard let annotations else { return }
            writer.key("annotations")
            writer.object { writer in
                for annotation in annotations {
                    writer.member(annotation.key, annotation.value)
                }
            }
        }
    }
}

extension State: Section {
    init(_ fields: inout Fields) {
        ociVersion = fields.requiredString("ociVersion")
        id = fields.requiredString("id")
        status = fields.requiredWord("status", placeholder: .stopped)
        pid = fields.integer("pid", in: 0...Int.max) ?? 0
        bundle = fields.requiredString("bundle")
        annotations = fields.map("annotations")
        if status == .created || status == .running, !fields.isPresent("pid") {
            fields.missing("pid")
        }
    }
}

/// What a seccomp agent gets along with the notification descriptor (config-linux.md, "The Container Process State").
package struct ContainerProcessState: Sendable, Hashable {
    /// The version of the specification that it keeps to.
    package var ociVersion: String
    /// What the descriptors that travel along are, in their order: `seccompFd`.
    package var fds: [String]
    /// The process, as the runtime sees it.
    package var pid: Int
    /// `linux.seccomp.listenerMetadata`, untouched.
    package var metadata: String?
    /// The container's state.
    package var state: State

    /// A state by its parts.
    package init(ociVersion: String, fds: [String], pid: Int, metadata: String? = nil, state: State) {
        self.ociVersion = ociVersion
        self.fds = fds
        self.pid = pid
        self.metadata = metadata
        self.state = state
    }

    /// The state as one line of JSON without a line break.
    package func json() -> [UInt8] {
        var writer = Writer()
        writer.object { writer in
            writer.member("ociVersion", ociVersion)
            writer.member("fds", fds)
            writer.member("pid", pid)
            if let metadata {
                writer.member("metadata", metadata)
            }
            writer.key("state")
            state.write(to: &writer)
        }
        return writer.finish()
    }
}
