/// Programs run at fixed points of a container's life (config.md, "POSIX-platform Hooks"). Each list runs in its order.
package struct Hooks: Sendable, Hashable {
    /// Deprecated: in the runtime's namespaces during `create`, before `createRuntime`.
    package var prestart: [Hook]?
    /// In the runtime's namespaces during `create`, after the namespaces exist and before the root is changed.
    package var createRuntime: [Hook]?
    /// In the container's namespaces during `create`, before the root is changed; paths are the host's.
    package var createContainer: [Hook]?
    /// In the container during `start`, before the user's program.
    package var startContainer: [Hook]?
    /// In the runtime's namespaces after the user's program was executed.
    package var poststart: [Hook]?
    /// In the runtime's namespaces after the container was deleted.
    package var poststop: [Hook]?

    /// Hooks by their kind.
    package init(
        prestart: [Hook]? = nil, createRuntime: [Hook]? = nil, createContainer: [Hook]? = nil,
        startContainer: [Hook]? = nil, poststart: [Hook]? = nil, poststop: [Hook]? = nil
    ) {
        self.prestart = prestart
        self.createRuntime = createRuntime
        self.createContainer = createContainer
        self.startContainer = startContainer
        self.poststart = poststart
        self.poststop = poststop
    }
}

/// One program to run at its point of the life cycle.
package struct Hook: Sendable, Hashable {
    /// The program; absolute.
    package var path: String
    /// Its argv, the name it goes by included.
    package var args: [String]?
    /// Its environment, `KEY=value`.
    package var env: [String]?
    /// Seconds until it is aborted; above 0.
    package var timeout: Int?

    /// A hook by its parts.
    package init(path: String, args: [String]? = nil, env: [String]? = nil, timeout: Int? = nil) {
        self.path = path
        self.args = args
        self.env = env
        self.timeout = timeout
    }
}

extension Hooks: Section {
    init(_ fields: inout Fields) {
        prestart = fields.sections("prestart")
        createRuntime = fields.sections("createRuntime")
        createContainer = fields.sections("createContainer")
        startContainer = fields.sections("startContainer")
        poststart = fields.sections("poststart")
        poststop = fields.sections("poststop")
    }
}

extension Hook: Section {
    init(_ fields: inout Fields) {
        path = fields.requiredAbsolutePath("path")
        args = fields.strings("args")
        env = fields.strings("env")
        timeout = fields.integer("timeout")
        if let timeout, timeout <= 0 {
            fields.error("timeout", "a timeout must be greater than zero, found \(timeout)")
        }
    }
}
