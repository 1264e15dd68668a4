/// Where the specification speaks of a field: the document and its heading.
package enum Clause {
    /// The clause of the field at a path such as `linux.resources.memory.limit`: that of the longest beginning that has
    /// one.
    package static func of(path: String) -> String {
        let name = path.utf8
        var best = (count: -1, clause: "config.md, Configuration")
        for entry in table where name.starts(with: entry.path.utf8) && entry.path.utf8.count > best.count {
            let next = name.dropFirst(entry.path.utf8.count).first
            guard entry.path.isEmpty || next == nil || next == UInt8(ascii: ".") || next == UInt8(ascii: "[") else {
                continue
            }
            best = (entry.path.utf8.count, entry.clause)
        }
        return best.clause
    }

    private static let table: [(path: String, clause: String)] = [
        ("ociVersion", "config.md, Specification version"), ("root", "config.md, Root"),
        ("mounts", "config.md, Mounts"), ("process", "config.md, Process"),
        ("process.args", "config.md, POSIX process"), ("process.env", "config.md, Process"),
        ("process.rlimits", "config.md, POSIX process"), ("process.apparmorProfile", "config.md, Linux Process"),
        ("process.capabilities", "config.md, Linux Process"), ("process.noNewPrivileges", "config.md, Linux Process"),
        ("process.oomScoreAdj", "config.md, Linux Process"), ("process.scheduler", "config.md, Linux Process"),
        ("process.selinuxLabel", "config.md, Linux Process"), ("process.ioPriority", "config.md, Linux Process"),
        ("process.execCPUAffinity", "config.md, Linux Process"), ("process.user", "config.md, POSIX-platform User"),
        ("hostname", "config.md, Hostname"), ("domainname", "config.md, Domainname"),
        ("hooks", "config.md, POSIX-platform Hooks"), ("hooks.prestart", "config.md, Prestart"),
        ("hooks.createRuntime", "config.md, CreateRuntime Hooks"),
        ("hooks.createContainer", "config.md, CreateContainer Hooks"),
        ("hooks.startContainer", "config.md, StartContainer Hooks"), ("hooks.poststart", "config.md, Poststart"),
        ("hooks.poststop", "config.md, Poststop"), ("annotations", "config.md, Annotations"),
        ("linux", "config-linux.md, Linux Container Configuration"),
        ("linux.namespaces", "config-linux.md, Namespaces"),
        ("linux.uidMappings", "config-linux.md, User namespace mappings"),
        ("linux.gidMappings", "config-linux.md, User namespace mappings"),
        ("linux.timeOffsets", "config-linux.md, Offset for Time Namespace"),
        ("linux.devices", "config-linux.md, Devices"), ("linux.netDevices", "config-linux.md, Network Devices"),
        ("linux.cgroupsPath", "config-linux.md, Cgroups Path"), ("linux.resources", "config-linux.md, Control groups"),
        ("linux.resources.devices", "config-linux.md, Allowed Device list"),
        ("linux.resources.memory", "config-linux.md, Memory"), ("linux.resources.cpu", "config-linux.md, CPU"),
        ("linux.resources.blockIO", "config-linux.md, Block IO"),
        ("linux.resources.hugepageLimits", "config-linux.md, Huge page limits"),
        ("linux.resources.network", "config-linux.md, Network"), ("linux.resources.pids", "config-linux.md, PIDs"),
        ("linux.resources.rdma", "config-linux.md, RDMA"), ("linux.resources.unified", "config-linux.md, Unified"),
        ("linux.intelRdt", "config-linux.md, IntelRdt"), ("linux.memoryPolicy", "config-linux.md, Memory policy"),
        ("linux.sysctl", "config-linux.md, Sysctl"), ("linux.seccomp", "config-linux.md, Seccomp"),
        ("linux.rootfsPropagation", "config-linux.md, Rootfs Mount Propagation"),
        ("linux.maskedPaths", "config-linux.md, Masked Paths"),
        ("linux.readonlyPaths", "config-linux.md, Readonly Paths"),
        ("linux.mountLabel", "config-linux.md, Mount Label"), ("linux.personality", "config-linux.md, Personality"),
    ]

    /// The clause of what `message` says of a field: unknown keys have one of their own, and so have the words of
    /// mounts.
    package static func of(path: String, message: String) -> String {
        if message.utf8.starts(with: "unknown key".utf8) { return "config.md, Extensibility" }
        let isOption =
            path.utf8.starts(with: "mounts[".utf8) && path.utf8.split(separator: UInt8(ascii: ".")).count == 2
        if isOption, path.utf8.split(separator: UInt8(ascii: "."))[1].starts(with: "options".utf8) {
            return "config.md, Linux mount options"
        }
        return of(path: path)
    }
}
