/// A bundle's `config.json` (config.md, "Configuration").
///
/// The values are as written: what is absent is nil, nothing is defaulted, interpreted or checked against the host.
package struct Spec: Sendable, Hashable {
    /// The version of the specification that the document keeps to (config.md, "Specification version").
    package var ociVersion: String
    /// The program to run; `start` needs it, `create` does not.
    package var process: Process?
    /// The root file system; always there in a decoded document.
    package var root: Root?
    /// The host name within the UTS namespace (config.md, "Hostname").
    package var hostname: String?
    /// The NIS domain name within the UTS namespace (config.md, "Domainname").
    package var domainname: String?
    /// What is mounted below the root, in this order.
    package var mounts: [Mount]?
    /// Programs run at fixed points of the life cycle.
    package var hooks: Hooks?
    /// Free metadata, in the order of the text (config.md, "Annotations").
    package var annotations: [KeyValue]?
    /// What only Linux has.
    package var linux: Linux?

    /// A configuration by its parts.
    package init(
        ociVersion: String, process: Process? = nil, root: Root? = nil, hostname: String? = nil,
        domainname: String? = nil, mounts: [Mount]? = nil, hooks: Hooks? = nil, annotations: [KeyValue]? = nil,
        linux: Linux? = nil
    ) {
        self.ociVersion = ociVersion
        self.process = process
        self.root = root
        self.hostname = hostname
        self.domainname = domainname
        self.mounts = mounts
        self.hooks = hooks
        self.annotations = annotations
        self.linux = linux
    }
}

/// One entry of an object whose keys the user chose: an annotation, a sysctl, a cgroup file.
///
/// A list of these rather than a dictionary: order is kept, so that effects and messages come in the user's order.
package struct KeyValue: Sendable, Hashable {
    /// The key; never empty in a decoded document.
    package var key: String
    /// The value.
    package var value: String

    /// An entry by its parts.
    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}

extension Spec: Section {
    init(_ fields: inout Fields) {
        ociVersion = fields.requiredString("ociVersion")
        OCIVersion.check(ociVersion, fields)
        process = fields.section("process")
        root = fields.section("root")
        if root == nil, !fields.isPresent("root") {
            fields.missing("root")
        }
        hostname = fields.string("hostname")
        domainname = fields.string("domainname")
        mounts = fields.sections("mounts")
        hooks = fields.section("hooks")
        annotations = fields.map("annotations")
        linux = fields.section("linux")
        fields.ignore("vm", "windows", "solaris", "zos", "freebsd")
    }
}
