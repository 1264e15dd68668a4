internal import OCISpec

extension HostChecks {
    func tools() -> [HostFinding] { [criu()] + systemd() + [resctrl()] }

    private func criu() -> HostFinding {
        let (id, cost) = ("tools.criu", "containers cannot be checkpointed and restored")
        guard let path = facts.tools.criu else {
            return .warn(id, "no CRIU", cost: cost, remedy: install("criu", fedora: "criu"))
        }
        let name = "CRIU" + (facts.tools.criuVersion.map { " \($0)" } ?? "")
        if let problem = facts.tools.criuProblem {
            return .warn(
                id, "\(name) (\(path)) does not work here: \(problem)", cost: cost,
                remedy: facts.tools.criuRemedy ?? (facts.isRoot ? "criu check says more" : "ask as root"))
        }
        var lacks: [String] = []
        if !facts.tools.tracksMemory { lacks.append("no pre-dumps, for want of CONFIG_MEM_SOFT_DIRTY") }
        if !facts.tools.loadsLazily { lacks.append("no lazy pages, for want of userfaultfd") }
        return .ok(id, (["\(name): \(path)"] + lacks).joined(separator: "; "))
    }

    private func systemd() -> [HostFinding] {
        let id = "tools.systemd"
        guard facts.tools.runsSystemd else {
            return [
                .warn(
                    id, "systemd does not run this host", cost: "cgroups are made by runbox itself (cgroupfs) only",
                    remedy: nil)
            ]
        }
        let version = facts.tools.systemdVersion.map { " \($0)" } ?? ""
        guard let bus = facts.tools.bus else {
            return [
                .warn(
                    id, "systemd\(version), and no bus to reach it at",
                    cost: facts.isRoot
                        ? "systemd cannot be asked for cgroups"
                        : "systemd cannot be asked for cgroups, as in a session by su or sudo",
                    remedy: facts.isRoot
                        ? install("dbus", fedora: "dbus-broker")
                        : "as root: loginctl enable-linger \(facts.userName); then export XDG_RUNTIME_DIR=/run/user/$(id -u)"
                )
            ]
        }
        return [.ok(id, "systemd\(version), bus at \(bus)")]
    }

    private func resctrl() -> HostFinding {
        let id = "tools.resctrl"
        let cost = "containers with linux.intelRdt cannot be made"
        guard facts.tools.hasResctrl else {
            return .warn(
                id, "no resctrl: this machine or kernel does not control caches and memory bandwidth", cost: cost,
                remedy: nil)
        }
        return facts.tools.isResctrlMounted
            ? .ok(id, "resctrl is mounted")
            : .warn(id, "resctrl is not mounted", cost: cost, remedy: "mount -t resctrl resctrl /sys/fs/resctrl")
    }
}
