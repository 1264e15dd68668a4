/// A step of making, starting or deleting a container. Its ``words`` begin the error message when it fails.
public enum Step: UInt8, Sendable, CaseIterable {
    case sources, clone, intermediate, clocks, mappings, identity, namespaces, keyring, loopback
    case prepareRoot, mounts, devices, limits, seccompFilter, runtimeHooks, createContainerHooks, pivot, terminal,
        finishRoot
    case names, sysctl, hiddenPaths, processAttributes, resourceLimits, workingDirectory, seccomp, credentials, program,
        record, pidFile, gate
    case startContainerHooks, execute, poststartHooks
    case join, seccompListener, labels
    case pidfdSocket, netDevices, delegatedCgroup, cgroup
    case bundle, plan
    case seccompAgent

    /// What was being done, as the beginning of a sentence that goes on with what it was done to.
    public var words: String {
        switch self {
        case .sources: "open mount sources"
        case .clone: "make the container's process"
        case .intermediate: "enter other containers' namespaces"
        case .clocks: "set the clocks of the time namespace"
        case .mappings: "write the user namespace mappings"
        case .identity: "become root of the user namespace"
        case .namespaces: "enter namespaces"
        case .keyring: "join a session keyring"
        case .loopback: "bring the loopback interface up"
        case .prepareRoot: "prepare the root file system"
        case .mounts: "mount"
        case .devices: "make devices"
        case .limits: "apply the resource limits"
        case .seccompFilter: "compile the seccomp filter"
        case .runtimeHooks, .createContainerHooks, .startContainerHooks, .poststartHooks: "run hooks"
        case .pivot: "change the root"
        case .terminal: "set up the terminal"
        case .finishRoot: "finish the root file system"
        case .join: "enter the container"
        case .names: "set host and domain name"
        case .sysctl: "set kernel parameters"
        case .hiddenPaths: "hide paths"
        case .processAttributes: "set process attributes"
        case .resourceLimits: "set resource limits"
        case .workingDirectory: "change to the working directory"
        case .seccomp: "load the seccomp filter"
        case .credentials: "change user and capabilities"
        case .program, .execute: "unable to start container process"
        // runc's words, which its engines' tests look for.
        case .seccompAgent: "failed to connect with seccomp agent"
        case .seccompListener: "hand over the seccomp listener"
        case .labels: "set the security label"
        case .record: "write the state"
        case .pidFile: "write the pid file"
        case .gate: "wait for the start"
        case .pidfdSocket: "hand over the pidfd"
        case .netDevices: "move network interfaces"
        case .delegatedCgroup: "enter the delegated cgroup"
        case .cgroup: "make the cgroup"
        case .bundle: "read the bundle"
        case .plan: "plan the container"
        }
    }
}
