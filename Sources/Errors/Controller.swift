/// A controller of cgroup v2, named as in `cgroup.controllers`.
///
/// The vocabulary is the kernel's, and it grows (cgroup-v2.rst, "Controllers"); `unified` may name one that this
/// runtime does not know otherwise. So it is open.
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
