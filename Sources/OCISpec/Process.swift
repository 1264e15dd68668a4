/// The container's process (config.md, "Process").
package struct Process: Sendable, Hashable {
    /// Whether it gets a terminal; false where absent.
    package var terminal: Bool?
    /// The terminal's size; ignored without a terminal.
    package var consoleSize: ConsoleSize?
    /// Who it runs as. A document without it means user and group 0, as the runtimes before this one read it.
    package var user: User
    /// Its argv; the first is looked up as `execvp` does. Not empty where present.
    package var args: [String]?
    /// Its environment, `KEY=value`.
    package var env: [String]?
    /// Its working directory inside the container; absolute.
    package var cwd: String
    /// Its capability sets; names as written.
    package var capabilities: Capabilities?
    /// Its resource limits, each type once.
    package var rlimits: [RLimit]?
    /// Whether it and its children can never gain privileges by `execve`.
    package var noNewPrivileges: Bool?
    /// The name of its AppArmor profile.
    package var apparmorProfile: String?
    /// How readily the kernel kills it when memory runs out, −1000 to 1000; absent means untouched.
    package var oomScoreAdj: Int?
    /// Its scheduling.
    package var scheduler: Scheduler?
    /// Its SELinux label.
    package var selinuxLabel: String?
    /// Its I/O priority.
    package var ioPriority: IOPriority?
    /// The CPUs that a process of `exec` runs on; not for the container's first process.
    package var execCPUAffinity: CPUAffinity?

    /// A process by its parts.
    package init(
        terminal: Bool? = nil, consoleSize: ConsoleSize? = nil, user: User, args: [String]? = nil,
        env: [String]? = nil, cwd: String, capabilities: Capabilities? = nil, rlimits: [RLimit]? = nil,
        noNewPrivileges: Bool? = nil, apparmorProfile: String? = nil, oomScoreAdj: Int? = nil,
        scheduler: Scheduler? = nil, selinuxLabel: String? = nil, ioPriority: IOPriority? = nil,
        execCPUAffinity: CPUAffinity? = nil
    ) {
        self.terminal = terminal
        self.consoleSize = consoleSize
        self.user = user
        self.args = args
        self.env = env
        self.cwd = cwd
        self.capabilities = capabilities
        self.rlimits = rlimits
        self.noNewPrivileges = noNewPrivileges
        self.apparmorProfile = apparmorProfile
        self.oomScoreAdj = oomScoreAdj
        self.scheduler = scheduler
        self.selinuxLabel = selinuxLabel
        self.ioPriority = ioPriority
        self.execCPUAffinity = execCPUAffinity
    }
}

extension Process {
    /// The process of a document for `exec`, with the container's for what the document leaves open, as in runc.
    package func completed(by template: Process?) -> Process {
        var process = self
        process.capabilities = capabilities ?? template?.capabilities
        process.rlimits = rlimits ?? template?.rlimits
        process.oomScoreAdj = oomScoreAdj ?? template?.oomScoreAdj
        process.scheduler = scheduler ?? template?.scheduler
        process.ioPriority = ioPriority ?? template?.ioPriority
        process.execCPUAffinity = execCPUAffinity ?? template?.execCPUAffinity
        process.noNewPrivileges = noNewPrivileges ?? template?.noNewPrivileges
        if apparmorProfile?.isEmpty != false { process.apparmorProfile = template?.apparmorProfile }
        if selinuxLabel?.isEmpty != false { process.selinuxLabel = template?.selinuxLabel }
        return process
    }
}

extension Process: Section {
    init(_ fields: inout Fields) {
        terminal = fields.boolean("terminal")
        consoleSize = fields.section("consoleSize")
        user = fields.section("user") ?? User(uid: 0, gid: 0)
        args = fields.strings("args")
        env = fields.strings("env")
        cwd = fields.requiredAbsolutePath("cwd")
        capabilities = fields.section("capabilities")
        rlimits = fields.sections("rlimits")
        noNewPrivileges = fields.boolean("noNewPrivileges")
        apparmorProfile = fields.string("apparmorProfile")
        oomScoreAdj = fields.integer("oomScoreAdj", in: -1000...1000)
        scheduler = fields.section("scheduler")
        selinuxLabel = fields.string("selinuxLabel")
        ioPriority = fields.section("ioPriority")
        execCPUAffinity = fields.section("execCPUAffinity")
        fields.ignore("commandLine")
        fields.refuseRepeats(of: "type", in: "rlimits")
        if fields.isEmptyArray("args") {
            fields.error("args", "must name the program to run, found an empty array")
        }
    }
}

/// A terminal's size in characters (config.md, "Process").
package struct ConsoleSize: Sendable, Hashable {
    /// Lines.
    package var height: UInt
    /// Characters a line.
    package var width: UInt

    /// A size by its parts.
    package init(height: UInt, width: UInt) {
        self.height = height
        self.width = width
    }
}

extension ConsoleSize: Section {
    init(_ fields: inout Fields) {
        height = fields.requiredInteger("height")
        width = fields.requiredInteger("width")
    }
}

/// Who a process runs as, in IDs of the container (config.md, "POSIX-platform User").
package struct User: Sendable, Hashable {
    /// The user ID.
    package var uid: UInt32
    /// The group ID.
    package var gid: UInt32
    /// The file mode bits that are cleared on creation, as a plain number (decimal 18 is octal 022).
    package var umask: UInt32?
    /// Supplementary groups.
    package var additionalGids: [UInt32]?

    /// A user by its parts.
    package init(uid: UInt32, gid: UInt32, umask: UInt32? = nil, additionalGids: [UInt32]? = nil) {
        self.uid = uid
        self.gid = gid
        self.umask = umask
        self.additionalGids = additionalGids
    }
}

extension User: Section {
    init(_ fields: inout Fields) {
        uid = fields.requiredInteger("uid")
        gid = fields.integerOrZero("gid")
        umask = fields.integer("umask")
        additionalGids = fields.integers("additionalGids")
        fields.ignore("username")
    }
}

/// The five capability sets, by names such as `CAP_KILL` (config.md, "Linux Process").
///
/// Names are kept as written, because one that the kernel lacks is worth a warning, not an error.
package struct Capabilities: Sendable, Hashable {
    /// What may ever be gained.
    package var bounding: [String]?
    /// What is in force.
    package var effective: [String]?
    /// What `execve` may hand on.
    package var inheritable: [String]?
    /// What may be put in force.
    package var permitted: [String]?
    /// What an `execve` of an unprivileged program keeps.
    package var ambient: [String]?

    /// Sets by their kind.
    package init(
        bounding: [String]? = nil, effective: [String]? = nil, inheritable: [String]? = nil,
        permitted: [String]? = nil, ambient: [String]? = nil
    ) {
        self.bounding = bounding
        self.effective = effective
        self.inheritable = inheritable
        self.permitted = permitted
        self.ambient = ambient
    }
}

extension Capabilities: Section {
    init(_ fields: inout Fields) {
        bounding = fields.strings("bounding")
        effective = fields.strings("effective")
        inheritable = fields.strings("inheritable")
        permitted = fields.strings("permitted")
        ambient = fields.strings("ambient")
    }
}
