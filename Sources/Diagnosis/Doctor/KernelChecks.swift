internal import Kernel
internal import KernelTypes
internal import OCISpec

extension HostChecks {
    /// One row for each system call: what it is for, and since when it is there.
    private static let calls: [(call: KernelProbe.Call, since: String, use: String)] = [
        (.clone3, "5.3", "no process of a container can be made"),
        (.pidfdOpen, "5.3", "processes cannot be held, waited for and signalled without mistaking them"),
        (.pidfdSendSignal, "5.1", "processes cannot be signalled without mistaking them"),
        (.openTree, "5.2", "nothing can be bind-mounted"), (.moveMount, "5.2", "nothing can be mounted safely"),
        (.fsopen, "5.2", "there is no private procfs for kernel parameters"),
        (.closeRange, "5.9", "descriptors of the host could leak into a container"),
        (.mountSetattr, "5.12", "mounts cannot be made read-only in one step"),
    ]

    func kernel() -> [HostFinding] {
        var findings = [version()]
        for row in Self.calls {
            findings.append(
                judge(
                    facts.kernel.answer(row.call), "kernel.call.\(row.call.rawValue)",
                    "system call \(row.call.rawValue)",
                    cost: row.use, remedy: newerKernel(row.since), essential: true))
        }
        findings.append(
            judge(
                facts.kernel.answer(.openat2), "kernel.call.openat2", "system call openat2",
                cost: "paths in root file systems are walked by hand, which is as safe and slower",
                remedy: newerKernel("5.6")))
        findings += processCreation() + namespaces()
        findings.append(
            facts.kernel.hasOverlay
                ? .ok("kernel.overlay", "overlay file system")
                : .warn(
                    "kernel.overlay", "no overlay file system",
                    cost: "engines copy images instead of stacking them; runbox itself does not need it",
                    remedy: facts.hasOwnKernel
                        ? "modprobe overlay; echo overlay > /etc/modules-load.d/overlay.conf"
                        : "a kernel with CONFIG_OVERLAY_FS"))
        return findings
    }

    private func version() -> HostFinding {
        let version = KernelRelease.version(facts.release)
        let summary = "Linux \(facts.release), \(facts.machine)"
        guard version >= (5, 12) else {
            return .missing(
                "kernel.version", summary, cost: "runbox needs Linux 5.12", remedy: newerKernel("5.12"), essential: true
            )
        }
        return .ok("kernel.version", summary, essential: true)
    }

    private func processCreation() -> [HostFinding] {
        [
            judge(
                facts.kernel.cloneIntoCgroup, "kernel.clone-into-cgroup", "processes start in their cgroup",
                cost: "no container with a cgroup can be made; only --cgroup-manager=disabled works",
                remedy: newerKernel("5.7"), essential: true),
            judge(
                facts.kernel.idMappedMounts, "kernel.idmapped-mounts", "mounts with id mappings of their own",
                cost: "mounts[].uidMappings and the options idmap and ridmap fail", remedy: newerKernel("5.12")),
            judge(
                facts.kernel.endsByPidfd, "kernel.pidfd-exit", "a pidfd shows how a reaped process ended",
                cost:
                    "how a detached container ended is known only when root's runbox wait was there, or before its parent reaps it",
                remedy: newerKernel("6.15")),
            devicePrograms(),
        ]
    }

    private func devicePrograms() -> HostFinding {
        let id = "kernel.device-programs"
        let cost = "containers with linux.resources.devices cannot be made, as the default of runbox spec has it"
        if case .refused = facts.kernel.devicePrograms, !facts.isRoot {
            return .warn(
                id, "eBPF programs for device rules: not for ordinary users",
                cost:
                    "an ordinary user's containers cannot have device rules; they have no devices of their own either",
                remedy: nil)
        }
        return judge(
            facts.kernel.devicePrograms, id, "eBPF programs for device rules", cost: cost,
            remedy: "a kernel with CONFIG_CGROUP_BPF")
    }

    private func namespaces() -> [HostFinding] {
        let missing = facts.kernel.missingNamespaces
        guard !missing.isEmpty else { return [.ok("kernel.namespaces", "all eight kinds of namespaces")] }
        return missing.map { kind in
            .missing(
                "kernel.namespace.\(kind)", "no \(kind) namespaces",
                cost: "containers with a \(kind) namespace cannot be made",
                remedy: kind == "time" ? newerKernel("5.6") : "a kernel with CONFIG_\(kind.inCapitals)_NS",
                essential: kind == "mount" || kind == "pid")
        }
    }
}
