internal import Kernel
internal import KernelTypes
internal import OCISpec

extension HostChecks {
    /// systemd mounts what its own parameter says, whatever the kernel has.
    private var onlyVersion2: String {
        (facts.tools.runsSystemd ? "systemd.unified_cgroup_hierarchy=1 " : "") + "cgroup_no_v1=all"
    }

    /// What each controller is for; those that few hosts need are no more than a warning.
    private static let controllers: [(name: String, cost: String, isUsual: Bool)] = [
        ("cpu", "linux.resources.cpu.shares, quota, period, idle and burst are refused", true),
        ("cpuset", "linux.resources.cpu.cpus and mems are refused", true),
        ("memory", "memory limits are refused, and kills for memory are not reported", true),
        ("pids", "linux.resources.pids is refused", true), ("io", "linux.resources.blockIO is refused", true),
        ("hugetlb", "linux.resources.hugepageLimits is refused", false),
        ("rdma", "linux.resources.rdma is refused", false),
    ]

    func cgroup() -> [HostFinding] {
        let mode = mode()
        guard facts.cgroup.mode == .unified || facts.cgroup.mode == .hybrid else { return [mode] }
        return [mode] + Self.controllers.map { controller($0.name, cost: $0.cost, isUsual: $0.isUsual) } + place()
            + files()
    }

    private func mode() -> HostFinding {
        let id = "cgroup.mode"
        switch facts.cgroup.mode {
        case .unified: return .ok(id, "cgroup v2", essential: true)
        case .hybrid:
            return .warn(
                id, "cgroup v2 beside v1 (hybrid)", cost: "controllers that v1 has taken are missing in v2",
                remedy: boot(with: onlyVersion2))
        case .legacy:
            return .missing(
                id, "cgroup v1 only", cost: "no containers but with --cgroup-manager=disabled: runbox uses cgroup v2",
                remedy: boot(with: onlyVersion2), essential: true)
        case .none:
            return .missing(
                id, "no cgroups are mounted", cost: "no containers but with --cgroup-manager=disabled",
                remedy: "mount -t cgroup2 none /sys/fs/cgroup", essential: true)
        }
    }

    private func controller(_ name: String, cost: String, isUsual: Bool) -> HostFinding {
        let id = "cgroup.controller.\(name)"
        if facts.cgroup.controllers.contains(name) { return .ok(id, "controller \(name)") }
        let (why, remedy) = absence(name)
        let summary = "no controller \(name)\(why)"
        return isUsual
            ? .missing(id, summary, cost: cost, remedy: remedy) : .warn(id, summary, cost: cost, remedy: remedy)
    }

    private func absence(_ name: String) -> (why: String, remedy: String) {
        if facts.cgroup.inVersion1.contains(name) {
            return (": cgroup v1 has it", boot(with: "cgroup_no_v1=\(name == "io" ? "blkio" : name)"))
        }
        if facts.cgroup.switchedOff.contains(name) {
            return (": switched off at boot", boot(with: "cgroup_enable=\(name == "io" ? "blkio" : name)"))
        }
        let option = name == "io" ? "BLK_CGROUP" : name == "memory" ? "MEMCG" : "CGROUP_\(name.inCapitals)"
        return (": not in this kernel", "a kernel with CONFIG_\(name == "cpuset" ? "CPUSETS" : option)")
    }

    /// Whether this user may make cgroups, and with which controllers.
    private func place() -> [HostFinding] {
        let parent = facts.cgroup.parent
        if facts.isRoot {
            return [
                facts.cgroup.isParentWritable
                    ? .ok("cgroup.write", "cgroups can be made below \(parent)", essential: true)
                    : .missing(
                        "cgroup.write", "no cgroups can be made below \(parent)",
                        cost: "no containers but with --cgroup-manager=disabled",
                        remedy:
                            "mount -o remount,rw /sys/fs/cgroup, or run runbox outside of the container that it is in",
                        essential: true)
            ]
        }
        return [delegation()]
    }

    private func delegation() -> HostFinding {
        let id = "cgroup.delegation"
        let cost = "containers of this user have no limits, and cannot be paused"
        let file = "/etc/systemd/system/user@.service.d/delegate.conf"
        let remedy =
            "as root: mkdir -p /etc/systemd/system/user@.service.d; printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > \(file); systemctl daemon-reload; then log in again"
        guard let delegated = facts.cgroup.delegated else {
            if facts.cgroup.isParentWritable { return .ok(id, "cgroups can be made below \(facts.cgroup.parent)") }
            return .missing(
                id, "no cgroup is delegated to \(facts.userName)", cost: cost,
                remedy: facts.tools.runsSystemd
                    ? remedy
                    : "as root: make a cgroup, and give it to \(facts.userName) with its cgroup.procs and cgroup.subtree_control"
            )
        }
        let lacking = ["cpu", "cpuset", "io", "memory", "pids"].filter {
            facts.cgroup.controllers.contains($0) && !delegated.contains($0)
        }
        if !lacking.isEmpty {
            return .warn(
                id, "not delegated to \(facts.userName): \(lacking.joined(separator: " "))",
                cost: "limits of these controllers are refused", remedy: remedy)
        }
        guard facts.cgroup.isParentWritable else {
            return .warn(
                id, "\(facts.userName) has a delegated cgroup, and this session is outside of it", cost: cost,
                remedy: "systemd-run --user --scope runbox …")
        }
        return .ok(id, "delegated to \(facts.userName): \(delegated.joined(separator: " "))")
    }

    private func files() -> [HostFinding] {
        // A tree whose only cgroup is its root shows none of these files.
        let version = KernelRelease.version(facts.release)
        let hasKill = facts.cgroup.hasKill ?? (version >= (5, 14))
        let hasFreeze = facts.cgroup.hasFreeze ?? (version >= (5, 2))
        return [
            hasKill
                ? .ok("cgroup.kill", "all of a cgroup can be killed at once")
                : .warn(
                    "cgroup.kill", "no cgroup.kill", cost: "processes are killed one by one while the cgroup is frozen",
                    remedy: newerKernel("5.14")),
            hasFreeze
                ? .ok("cgroup.freeze", "containers can be paused")
                : .missing("cgroup.freeze", "no cgroup.freeze", cost: "pause fails", remedy: newerKernel("5.2")),
            facts.cgroup.hasPressure
                ? .ok("cgroup.pressure", "pressure is measured (PSI)")
                : .warn(
                    "cgroup.pressure", "pressure is not measured (PSI)",
                    cost: "statistics lack how long a container waited for cpu, memory and io",
                    remedy: boot(with: "psi=1")),
        ]
    }
}
