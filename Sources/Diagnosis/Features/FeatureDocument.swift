internal import KernelTypes
package import OCISpec
internal import Planning

/// `features`: what this runtime can do, taken from the tables that read configurations and from the plan itself.
/// Specification: features.md, features-linux.md.
///
/// Nothing of it depends on the host but `supportedFlags`, as the specification has it.
package enum FeatureDocument {
    /// - Parameters:
    ///   - version: the runtime's own.
    ///   - commit: what it was built from; may be empty.
    package static func gather(version: String, commit: String) -> Features {
        let trial = FeatureProbe()
        return Features(
            ociVersionMin: OCIVersion.oldest, ociVersionMax: OCIVersion.implemented,
            hooks: HookTiming.allCases.map { $0.rawValue }, mountOptions: MountOption.table.map { $0.name }.sorted(),
            linux: linux(trial),
            annotations: [
                KeyValue(key: "io.github.seccomp.libseccomp.version", value: SeccompLibrary.version),
                KeyValue(key: "run.oci.runbox.checkpoint.enabled", value: "true"),
                KeyValue(key: "run.oci.runbox.commit", value: commit),
                // docs/json.md
                KeyValue(key: "run.oci.runbox.json.version", value: "1"),
                KeyValue(key: "run.oci.runbox.version", value: version),
            ],
            potentiallyUnsafeConfigAnnotations: AnnotationName.potentiallyUnsafe)
    }

    private static func linux(_ trial: FeatureProbe) -> LinuxFeatures {
        var linux = LinuxFeatures()
        linux.namespaces = NamespaceType.allCases.map { $0.rawValue }.sorted()
        linux.capabilities = Capabilities.allNames
        linux.cgroup.version2 = true
        linux.cgroup.systemd = true
        linux.cgroup.systemdUser = true
        linux.cgroup.rdma = true
        linux.seccomp = seccomp(trial)
        linux.isAppArmorEnabled = trial.applies(.appArmor)
        linux.isSELinuxEnabled = trial.applies(.selinuxLabel) && trial.applies(.mountLabel)
        linux.intelRdt.isEnabled = true
        linux.intelRdt.schemata = true
        linux.intelRdt.monitoring = true
        var policy = LinuxFeatures.MemoryPolicy()
        policy.modes = MemoryPolicyMode.allCases.map { $0.rawValue }
        policy.flags = MemoryPolicyFlag.allCases.map { $0.rawValue }
        linux.memoryPolicy = policy
        linux.isIdMapEnabled = true
        linux.isNetDevicesEnabled = trial.applies(.netDevices)
        return linux
    }

    private static func seccomp(_ trial: FeatureProbe) -> LinuxFeatures.Seccomp {
        var seccomp = LinuxFeatures.Seccomp()
        let notifies = trial.applies(.seccompNotify)
        seccomp.actions = SeccompAction.allCases.filter { notifies || $0 != .notify }.map { $0.rawValue }.sorted()
        seccomp.operators = SeccompOperator.allCases.map { $0.rawValue }.sorted()
        // The plan warns of what this libseccomp does not know, and leaves it out.
        seccomp.architectures = SeccompArchitecture.allCases.filter { $0.token != nil }.map { $0.rawValue }.sorted()
        let known = SeccompFlag.allCases.filter { trial.applies(.seccompWaitKillable) || $0 != .waitKillableReceive }
        seccomp.knownFlags = known.map { $0.rawValue }
        seccomp.supportedFlags = known.filter { $0.isSupportedHere }.map { $0.rawValue }
        return seccomp
    }
}

extension SeccompFlag {
    fileprivate var isSupportedHere: Bool {
        switch self {
        // Asks for nothing where there is one thread.
        case .tsync: true
        case .log: SeccompSupport.isKnown(flag: SeccompSupport.log)
        case .specAllow: SeccompSupport.isKnown(flag: SeccompSupport.allowSpeculation)
        case .waitKillableReceive: SeccompSupport.knowsWaitKillable
        }
    }
}
