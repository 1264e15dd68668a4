/// A controller of cgroup v2, named as in `cgroup.controllers`.
///
/// The vocabulary is the kernel's, and it grows (cgroup-v2.rst, "Controllers"); `unified` may name one that this runtime has no other word for. So it is open.
package struct Controller: Hashable, Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }

    package static let cpu = Controller("cpu")
    package static let cpuset = Controller("cpuset")
    package static let hugetlb = Controller("hugetlb")
    package static let io = Controller("io")
    package static let memory = Controller("memory")
    package static let pids = Controller("pids")
    package static let rdma = Controller("rdma")
    /// The files `cgroup.*`, which every cgroup has.
    package static let core = Controller("cgroup")

    /// Whether it must be switched on in `cgroup.subtree_control` before its files appear.
    package var needsEnabling: Bool { self != .core }
}

/// One value for one file of the container's cgroup directory.
package struct Setting: Hashable, Sendable {
    /// What to write where the first file does not exist.
    package struct Alternative: Hashable, Sendable {
        package let file: String
        package let value: String
    }

    package let file: String
    /// Several lines are written one by one, for the kernel takes one line a write.
    package let value: String
    package let controller: Controller
    /// The field of config.json that asked for it, for messages.
    package let field: String
    /// Whether it is no loss when the kernel has no such file.
    package let optional: Bool
    package let alternative: Alternative?
    /// Another file of the directory whose number must be lower than this one, or the setting is refused.
    package let usageFile: String?

    /// Whether it asks for no limit, which is what every new cgroup has.
    var isUnlimited: Bool { value == "max" }

    package init(
        file: String, value: String, controller: Controller, field: String, optional: Bool = false,
        alternative: Alternative? = nil, usageFile: String? = nil
    ) {
        self.file = file
        self.value = value
        self.controller = controller
        self.field = field
        self.optional = optional
        self.alternative = alternative
        self.usageFile = usageFile
    }
}
