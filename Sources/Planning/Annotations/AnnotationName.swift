internal import CgroupPlanning
internal import OCISpec

/// Every annotation that means something to runtimes: what it asks for and where that is done. The vocabulary is
/// crun's.
///
/// All other annotations are free metadata: they are kept in the state and passed to hooks, nothing else.
package enum AnnotationName: String, Sendable, CaseIterable {
    case hookOutput = "run.oci.hooks.stdout"
    case hookErrors = "run.oci.hooks.stderr"
    case keepGroups = "run.oci.keep_original_groups"
    case pidfdReceiver = "run.oci.pidfd_receiver"
    case seccompProgram = "run.oci.seccomp_bpf_data"
    case unknownCalls = "run.oci.seccomp_fail_unknown_syscall"
    case delegatedCgroup = "run.oci.delegate-cgroup"
    case mountContext = "run.oci.mount_context_type"
    case seccompReceiver = "run.oci.seccomp.receiver"
    case seccompPlugins = "run.oci.seccomp.plugins"
    case systemdSubgroup = "run.oci.systemd.subgroup"
    case systemdV1 = "run.oci.systemd.force_cgroup_v1"
    case handler = "run.oci.handler"
    case wasmVariant = "module.wasm.image/variant"
    case containerType = "io.kubernetes.cri.container-type"
    case criuConfig = "org.criu.config"

    /// Beginnings of names that are settings of one thing each.
    static let systemdProperty = "org.systemd.property."
    static let microVM = "krun."
    /// What the settings of a service begin with; `Service/ServiceSetting.swift`.
    static let service = "org.runbox.service."

    /// What it asks for, and the file that does it.
    var effect: (does: String, place: String) {
        switch self {
        case .hookOutput: ("hooks' standard output is appended to this file", "Hooks/HookOutput.swift")
        case .hookErrors: ("hooks' standard error is appended to this file", "Hooks/HookOutput.swift")
        case .keepGroups: ("no setgroups: the runtime's own groups stay", "Confinement/Identity.swift")
        case .pidfdReceiver: ("a Unix socket that receives the init's pidfd", "Process/PidfdSocket.swift")
        case .seccompProgram:
            ("a ready filter, in base64, instead of linux.seccomp", "Annotations/AnnotationPlan.swift")
        case .unknownCalls: ("unknown system call names are errors", "Annotations/AnnotationPlan.swift")
        case .delegatedCgroup: ("a cgroup below the container's that is the payload's", "Cgroups/FS/Delegation.swift")
        case .mountContext: ("which SELinux option linux.mountLabel becomes", "Rootfs/MountLabel.swift")
        case .seccompReceiver:
            ("a Unix socket that receives the filter's notifications", "Confinement/SeccompListener.swift")
        case .seccompPlugins:
            (
                "shared objects that answer the filter's notifications: refused, nothing can load them",
                "Confinement/SeccompListener.swift"
            )
        case .systemdSubgroup:
            ("a cgroup below systemd's scope for the processes", "Cgroups/Systemd/ScopeManager.swift")
        case .systemdV1: ("a cgroup v1 mount for an old systemd: a warning, cgroup v2 only", "")
        case .handler: ("runs the payload by a library: refused, there is none", "Annotations/AnnotationPlan.swift")
        case .wasmVariant: ("WebAssembly payloads: refused, no handler", "Annotations/AnnotationPlan.swift")
        case .containerType: ("sandbox: handlers are not for this container", "Annotations/AnnotationPlan.swift")
        case .criuConfig: ("CRIU's configuration, for checkpoint", "Checkpoint/CriuCall.swift")
        }
    }

    /// Names, and beginnings that end in a dot, that change what a runtime does: an engine that lets others write
    /// annotations should keep them out. Specification: features.md, `potentiallyUnsafeConfigAnnotations`.
    package static let potentiallyUnsafe = [
        "run.oci.", AnnotationName.wasmVariant.rawValue, AnnotationName.containerType.rawValue,
        AnnotationName.criuConfig.rawValue, systemdProperty, microVM, service,
    ]
}
