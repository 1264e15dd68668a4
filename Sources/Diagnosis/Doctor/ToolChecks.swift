internal import OCISpec

extension HostChecks {
    func tools() -> [HostFinding] { [criu()] + systemd() + [resctrl()] }

    private func criu() -> HostFinding {
        if let path = facts.tools.criu { return .ok("tools.criu", "CRIU: \(path)") }
        return .warn(
            "tools.criu", "no CRIU", cost: "containers cannot be checkpointed and restored",
            remedy: install("criu", fedora: "criu"))
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
