internal import JSON

/// What a runtime says it can do: the Features structure (features.md, features-linux.md). It describes the runtime,
/// not of the host.
package struct Features: Sendable, Hashable {
    /// The oldest version of the specification that is understood.
    package var ociVersionMin: String
    /// The newest one.
    package var ociVersionMax: String
    /// The hooks that are called.
    package var hooks: [String]
    /// The mount options that are understood, without those of file systems.
    package var mountOptions: [String]
    /// What belongs to Linux.
    package var linux: LinuxFeatures
    /// Facts about the runtime.
    package var annotations: [KeyValue]
    /// Annotations of a configuration that change what the runtime does; one that ends with a dot means all that begin
    /// so.
    package var potentiallyUnsafeConfigAnnotations: [String]

    /// Features by their parts.
    package init(
        ociVersionMin: String, ociVersionMax: String, hooks: [String], mountOptions: [String], linux: LinuxFeatures,
        annotations: [KeyValue], potentiallyUnsafeConfigAnnotations: [String]
    ) {
        self.ociVersionMin = ociVersionMin
        self.ociVersionMax = ociVersionMax
        self.hooks = hooks
        self.mountOptions = mountOptions
        self.linux = linux
        self.annotations = annotations
        self.potentiallyUnsafeConfigAnnotations = potentiallyUnsafeConfigAnnotations
    }

    /// The document, four spaces for each level, without a line break at its end.
    package func json() -> [UInt8] {
        var writer = Writer(style: .indented(4))
        writer.object { object in
            object.member("ociVersionMin", ociVersionMin)
            object.member("ociVersionMax", ociVersionMax)
            object.member("hooks", hooks)
            object.member("mountOptions", mountOptions)
            object.key("linux")
            linux.write(to: &object)
            object.key("annotations")
            object.object { map in
                for annotation in annotations { map.member(annotation.key, annotation.value) }
            }
            object.member("potentiallyUnsafeConfigAnnotations", potentiallyUnsafeConfigAnnotations)
        }
        return writer.finish()
    }
}

/// The part of the Features structure for Linux (features-linux.md).
package struct LinuxFeatures: Sendable, Hashable {
    /// Who can make cgroups, and of which version.
    package struct Cgroup: Sendable, Hashable {
        package var version1 = false
        package var version2 = false
        package var systemd = false
        package var systemdUser = false
        package var rdma = false
        package init() {}
    }

    /// What a seccomp section may say.
    package struct Seccomp: Sendable, Hashable {
        package var actions: [String] = []
        package var operators: [String] = []
        package var architectures: [String] = []
        package var knownFlags: [String] = []
        /// Those of the known flags that this kernel takes, too.
        package var supportedFlags: [String] = []
        package init() {}
    }

    /// What `linux.intelRdt` may say.
    package struct IntelRdt: Sendable, Hashable {
        package var isEnabled = false
        package var schemata = false
        package var monitoring = false
        package init() {}
    }

    /// The values of `linux.memoryPolicy`.
    package struct MemoryPolicy: Sendable, Hashable {
        package var modes: [String] = []
        package var flags: [String] = []
        package init() {}
    }

    /// Types of namespaces.
    package var namespaces: [String] = []
    /// Names of capabilities.
    package var capabilities: [String] = []
    package var cgroup = Cgroup()
    package var seccomp = Seccomp()
    package var isAppArmorEnabled = false
    package var isSELinuxEnabled = false
    package var intelRdt = IntelRdt()
    /// nil where the field is not applied at all.
    package var memoryPolicy: MemoryPolicy?
    /// Whether mounts may have id mappings.
    package var isIdMapEnabled = false
    package var isNetDevicesEnabled = false

    /// Nothing but what is switched on afterwards.
    package init() {}

    fileprivate func write(to writer: inout Writer) {
        writer.object { object in
            object.member("namespaces", namespaces)
            object.member("capabilities", capabilities)
            object.member("cgroup") { group in
                group.member("v1", cgroup.version1)
                group.member("v2", cgroup.version2)
                group.member("systemd", cgroup.systemd)
                group.member("systemdUser", cgroup.systemdUser)
                group.member("rdma", cgroup.rdma)
            }
            object.member("seccomp") { section in
                section.member("enabled", true)
                section.member("actions", seccomp.actions)
                section.member("operators", seccomp.operators)
                section.member("archs", seccomp.architectures)
                section.member("knownFlags", seccomp.knownFlags)
                section.member("supportedFlags", seccomp.supportedFlags)
            }
            object.member("apparmor") { $0.member("enabled", isAppArmorEnabled) }
            object.member("selinux") { $0.member("enabled", isSELinuxEnabled) }
            object.member("intelRdt") { rdt in
                rdt.member("enabled", intelRdt.isEnabled)
                rdt.member("schemata", intelRdt.schemata)
                rdt.member("monitoring", intelRdt.monitoring)
            }
            if let memoryPolicy {
                object.member("memoryPolicy") { policy in
                    policy.member("modes", memoryPolicy.modes)
                    policy.member("flags", memoryPolicy.flags)
                }
            }
            object.member("mountExtensions") { extensions in
                extensions.member("idmap") { $0.member("enabled", isIdMapEnabled) }
            }
            object.member("netDevices") { $0.member("enabled", isNetDevicesEnabled) }
        }
    }
}

extension Writer {
    /// Writes a member that is an object.
    fileprivate mutating func member(_ name: String, _ body: (inout Writer) -> Void) {
        key(name)
        object(body)
    }
}
