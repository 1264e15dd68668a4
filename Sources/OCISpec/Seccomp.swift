/// The system call filter (config-linux.md, "Seccomp").
package struct Seccomp: Sendable, Hashable {
    /// What happens to a call that no rule names.
    package var defaultAction: SeccompAction
    /// The errno of `defaultAction`; EPERM where absent.
    package var defaultErrnoRet: UInt32?
    /// Architectures besides the native one.
    package var architectures: [SeccompArchitecture]?
    /// Flags of seccomp(2). Absent and empty differ: absent leaves the choice to the runtime.
    package var flags: [SeccompFlag]?
    /// The socket of the agent that gets the notification descriptor.
    package var listenerPath: String?
    /// What the agent gets along with it; only with `listenerPath`.
    package var listenerMetadata: String?
    /// The rules, in the order of the text.
    package var syscalls: [SeccompRule]?

    /// A filter by its parts.
    package init(
        defaultAction: SeccompAction, defaultErrnoRet: UInt32? = nil, architectures: [SeccompArchitecture]? = nil,
        flags: [SeccompFlag]? = nil, listenerPath: String? = nil, listenerMetadata: String? = nil,
        syscalls: [SeccompRule]? = nil
    ) {
        self.defaultAction = defaultAction
        self.defaultErrnoRet = defaultErrnoRet
        self.architectures = architectures
        self.flags = flags
        self.listenerPath = listenerPath
        self.listenerMetadata = listenerMetadata
        self.syscalls = syscalls
    }
}

extension Seccomp: Section {
    init(_ fields: inout Fields) {
        defaultAction = fields.requiredWord("defaultAction", placeholder: .allow)
        defaultErrnoRet = fields.integer("defaultErrnoRet")
        architectures = fields.words("architectures")
        flags = fields.words("flags")
        listenerPath = fields.string("listenerPath")
        listenerMetadata = fields.string("listenerMetadata")
        syscalls = fields.sections("syscalls")
        fields.checkErrno("defaultErrnoRet", defaultErrnoRet, of: "defaultAction", defaultAction)
        if listenerMetadata != nil, !fields.isPresent("listenerPath") {
            fields.error("listenerMetadata", "must not be set without \"listenerPath\"")
        }
    }
}

/// What happens to some system calls.
package struct SeccompRule: Sendable, Hashable {
    /// The calls' names; at least one.
    package var names: [String]
    /// What happens.
    package var action: SeccompAction
    /// The errno of `action`; EPERM where absent.
    package var errnoRet: UInt32?
    /// Conditions on the arguments; all must hold.
    package var args: [SeccompArgument]?

    /// A rule by its parts.
    package init(names: [String], action: SeccompAction, errnoRet: UInt32? = nil, args: [SeccompArgument]? = nil) {
        self.names = names
        self.action = action
        self.errnoRet = errnoRet
        self.args = args
    }
}

extension SeccompRule: Section {
    init(_ fields: inout Fields) {
        names = fields.strings("names") ?? []
        action = fields.requiredWord("action", placeholder: .allow)
        errnoRet = fields.integer("errnoRet")
        args = fields.sections("args")
        fields.checkErrno("errnoRet", errnoRet, of: "action", action)
        if !fields.isPresent("names") {
            fields.missing("names")
        } else if fields.isEmptyArray("names") {
            fields.warning("names", "names no system call; the rule has no effect")
        } else if names.contains("") {
            fields.error("names", "the name of a system call must not be empty")
        }
    }
}

/// A condition on one argument of a system call.
package struct SeccompArgument: Sendable, Hashable {
    /// Which argument, 0 to 5.
    package var index: UInt32
    /// What it is compared with; the mask of a masked comparison.
    package var value: UInt64
    /// What the masked argument is compared with.
    package var valueTwo: UInt64?
    /// How it is compared.
    package var op: SeccompOperator

    /// A condition by its parts.
    package init(index: UInt32, value: UInt64, valueTwo: UInt64? = nil, op: SeccompOperator) {
        self.index = index
        self.value = value
        self.valueTwo = valueTwo
        self.op = op
    }
}

extension SeccompArgument: Section {
    init(_ fields: inout Fields) {
        index = fields.requiredInteger("index", in: 0...5)
        value = fields.requiredInteger("value")
        valueTwo = fields.integer("valueTwo")
        op = fields.requiredWord("op", placeholder: .equal)
    }
}

extension Fields {
    /// Checks an errno against its action: only two actions carry one, and the kernel takes at most 4095 as an errno
    /// and 65535 as a tracer's message.
    fileprivate func checkErrno(
        _ key: StaticString, _ errno: UInt32?, of actionKey: StaticString, _ action: SeccompAction
    ) {
        guard let errno, isString(actionKey) else { return }
        switch action {
        case .errno where errno > 4095:
            error(key, "expected a number from 0 to 4095, found \(errno)")
        case .trace where errno > 65535:
            error(key, "expected a number from 0 to 65535, found \(errno)")
        case .errno, .trace:
            return
        case .kill, .killProcess, .killThread, .trap, .allow, .log, .notify:
            error(key, "the action \(action.rawValue) does not return an errno")
        }
    }
}
