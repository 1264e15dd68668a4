internal import Kernel
internal import KernelTypes
internal import OCISpec

/// What the process beside a running payload gives up for good: it reads what the payload writes, and a mistake in that
/// must not be worth the host's root.
///
/// Best effort: where the kernel refuses a part, the payload runs all the same, and nothing is worse than without.
enum SupervisorConfinement {
    /// The parent of a program of `exec`. It relays, passes signals on and waits: no file, no program, and of root's
    /// privileges only the one to signal another user's process.
    static func ofExec() {
        drop(keeping: .signals)
        guard forbidPrivileges() else { return }
        _ = try? Landlock.forbidFiles()
        try? SupervisorFilter.staying.load()
    }

    /// The supervisor of `run`, which at the end removes the cgroup and the state, unmounts the pin of the container's
    /// end, and reads the kernel's log for what killed the payload. poststop hooks are programs of the host with all of
    /// the host's privileges: where there are some, or mounts on the host to take away, nothing is given up.
    static func ofRun(changesHost: Bool) {
        if changesHost { return }
        drop(keeping: [.signals, .overrideAccess, .systemAdministration, .kernelLog])
        guard forbidPrivileges() else { return }
        try? SupervisorFilter.tidying.load()
    }

    private static func drop(keeping kept: CapabilitySet) {
        // An ordinary user has none.
        guard let permitted = try? Capabilities.current().permitted, !permitted.isEmpty else { return }
        let rest = permitted.intersection(kept)
        try? Capabilities.set(effective: rest, permitted: rest, inheritable: [])
    }

    private static func forbidPrivileges() -> Bool { (try? Processes.setNoNewPrivileges()) != nil }
}
