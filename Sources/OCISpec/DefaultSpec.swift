import JSON

/// The text of the `config.json` that `spec` writes: a shell in a terminal, with what an engine's container has.
///
/// The content is the other runtimes' so that instructions written for them hold; keys always come in the same order.
///
/// - Parameters:
///   - rootless: the host's user and group that the container's root stands for, when a user without privileges is
///     to run it: a user namespace is added, and what needs privileges goes.
///   - cgroupNamespace: whether the host can give the container a cgroup namespace.
///   - wishes: what is to be otherwise than usual.
/// - Returns: JSON indented by tabs, with a line break at the end.
package func defaultSpecJSON(
    rootless: (uid: UInt32, gid: UInt32)?, cgroupNamespace: Bool, wishes: SpecWishes = SpecWishes()
) -> String {
    let content = DefaultSpec(rootless: rootless, cgroupNamespace: cgroupNamespace, wishes: wishes)
    var writer = Writer(style: .tabs)
    content.write(to: &writer)
    return String(decoding: writer.finish(), as: UTF8.self) + "\n"
}

private struct DefaultSpec {
    let rootless: (uid: UInt32, gid: UInt32)?
    let cgroupNamespace: Bool
    let wishes: SpecWishes

    private var hasOwnNetwork: Bool {
        switch wishes.network {
        case .usual: rootless == nil
        case .host: false
        case .own: true
        }
    }

    func write(to writer: inout Writer) {
        writer.object { writer in
            writer.member("ociVersion", OCIVersion.implemented)
            writer.key("process")
            writeProcess(to: &writer)
            writer.key("root")
            writer.object { writer in
                writer.member("path", "rootfs")
                writer.member("readonly", wishes.readOnly ?? true)
            }
            writer.member("hostname", wishes.hostname ?? "runbox")
            writer.key("mounts")
            writeMounts(to: &writer)
            if !wishes.annotations.isEmpty {
                writer.key("annotations")
                writer.object { map in
                    for annotation in wishes.annotations { map.member(annotation.key, annotation.value) }
                }
            }
            writer.key("linux")
            writeLinux(to: &writer)
        }
    }

    private func writeProcess(to writer: inout Writer) {
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        let path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        writer.object { writer in
            writer.member("terminal", wishes.terminal)
            writer.key("user")
            writer.object { writer in
                writer.member("uid", wishes.user?.uid ?? 0)
                writer.member("gid", wishes.user?.gid ?? 0)
                if let groups = wishes.user?.additionalGids, !groups.isEmpty {
                    writer.key("additionalGids")
                    writer.array { writer in
                        for group in groups { writer.integer(group) }
                    }
                }
            }
            writer.member("args", wishes.arguments ?? ["sh"])
            writer.member("env", wishes.merged(wishes.terminal ? [path, "TERM=xterm"] : [path]))
            writer.member("cwd", wishes.directory ?? "/")
            writer.key("capabilities")
            writer.object { writer in
                for set in ["bounding", "effective", "permitted"] {
                    writer.member(set, capabilities)
                }
            }
            writer.key("rlimits")
            writer.array { writer in
                writer.object { writer in
                    writer.member("type", RLimitType.openFiles.rawValue)
                    writer.member("hard", 1024)
                    writer.member("soft", 1024)
                }
            }
            writer.member("noNewPrivileges", true)
        }
    }

    private func writeMounts(to writer: inout Writer) {
        let guarded = ["nosuid", "noexec", "nodev"]
        let terminals = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
        // The group tty is not mapped in a user namespace of one ID, and the kernel refuses an owner it cannot map.
        let terminalGroup = rootless == nil ? ["gid=5"] : []
        // A user namespace that does not own its network namespace may not mount sysfs; the host's is shown instead.
        let sysfs =
            rootless == nil || hasOwnNetwork ? ("sysfs", "sysfs", guarded) : ("none", "/sys", ["rbind"] + guarded)
        let mounts: [(destination: String, type: String, source: String, options: [String])] = [
            ("/proc", "proc", "proc", []),
            ("/dev", "tmpfs", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            ("/dev/pts", "devpts", "devpts", terminals + terminalGroup),
            ("/dev/shm", "tmpfs", "shm", guarded + ["mode=1777", "size=65536k"]),
            ("/dev/mqueue", "mqueue", "mqueue", guarded),
            ("/sys", sysfs.0, sysfs.1, sysfs.2 + ["ro"]),
            ("/sys/fs/cgroup", "cgroup", "cgroup", guarded + ["relatime", "ro"]),
        ]
        writer.array { writer in
            for mount in mounts {
                write(mount.destination, mount.type, mount.source, mount.options, to: &writer)
            }
            for mount in wishes.mounts {
                write(mount.destination, mount.type, mount.source, mount.options ?? [], to: &writer)
            }
        }
    }

    private func write(
        _ destination: String, _ type: String?, _ source: String?, _ options: [String], to writer: inout Writer
    ) {
        writer.object { writer in
            writer.member("destination", destination)
            if let type { writer.member("type", type) }
            if let source { writer.member("source", source) }
            if !options.isEmpty { writer.member("options", options) }
        }
    }

    private func writeLinux(to writer: inout Writer) {
        writer.object { writer in
            // Another user than root is one of the subordinate IDs, which the runtime maps where nothing is said.
            if let rootless, (wishes.user?.uid ?? 0) == 0, (wishes.user?.gid ?? 0) == 0 {
                writeMapping("uidMappings", hostID: rootless.uid, to: &writer)
                writeMapping("gidMappings", hostID: rootless.gid, to: &writer)
            }
            if rootless == nil || hasLimits { writeResources(to: &writer) }
            writer.key("namespaces")
            writer.array { writer in
                for type in namespaces {
                    writer.object { writer in
                        writer.member("type", type.rawValue)
                    }
                }
            }
            if let seccomp = wishes.seccomp {
                writer.key("seccomp")
                writer.verbatim(seccomp)
            }
            writer.member("maskedPaths", Self.maskedPaths)
            writer.member("readonlyPaths", Self.readonlyPaths)
        }
    }

    private var hasLimits: Bool { wishes.memory != nil || wishes.cpuQuota != nil || wishes.tasks != nil }

    private var namespaces: [NamespaceType] {
        let network: [NamespaceType] = hasOwnNetwork ? [.network] : []
        let user: [NamespaceType] = rootless == nil ? [] : [.user]
        return [.pid] + network + [.ipc, .uts, .mount] + (cgroupNamespace ? [.cgroup] : []) + user
    }

    private func writeMapping(_ key: String, hostID: UInt32, to writer: inout Writer) {
        writer.key(key)
        writer.array { writer in
            writer.object { writer in
                writer.member("containerID", 0)
                writer.member("hostID", hostID)
                writer.member("size", 1)
            }
        }
    }

    private func writeResources(to writer: inout Writer) {
        writer.key("resources")
        writer.object { writer in
            if rootless == nil { writeDeviceRules(to: &writer) }
            if let memory = wishes.memory {
                writer.key("memory")
                writer.object { $0.member("limit", memory) }
            }
            if let quota = wishes.cpuQuota {
                writer.key("cpu")
                writer.object { writer in
                    writer.member("quota", quota)
                    writer.member("period", SpecWishes.cpuPeriod)
                }
            }
            if let tasks = wishes.tasks {
                writer.key("pids")
                writer.object { $0.member("limit", tasks) }
            }
        }
    }

    private func writeDeviceRules(to writer: inout Writer) {
        writer.key("devices")
        writer.array { writer in
            writer.object { writer in
                writer.member("allow", false)
                writer.member("access", "rwm")
            }
        }
    }

    private static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
        "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
    ]

    private static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
}
