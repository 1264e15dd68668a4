/// How the cgroups below the container's, and their settings, are saved and restored; `--manage-cgroups-mode`.
package enum CgroupRestoration: String, Sendable {
    /// What is not there is made again, with its settings.
    case soft
    /// Settings are restored also where the cgroup is there.
    case full
    /// A cgroup that is there is an error.
    case strict
    /// Neither saved nor restored: all processes are in the container's own cgroup.
    case ignore
}

/// How a container's connections are held still; `--network-lock`.
package enum ConnectionLock: String, Sendable {
    case iptables, nftables, skip
}

/// What `checkpoint` and `restore` have in common.
package struct CheckpointSettings: Sendable {
    /// The folder of the image, absolute.
    package var imagePath: String
    /// Where CRIU has its log; nil: with the image.
    package var workPath: String?
    package var establishedTCP = false
    package var externalUnixSockets = false
    package var shellJob = false
    package var fileLocks = false
    package var lazyPages = false
    package var autoDedup = false
    package var cgroups = CgroupRestoration.soft
    /// nil leaves it to CRIU.
    package var connectionLock: ConnectionLock?
    /// The container's network namespace is made anew without what was in it.
    package var leavesNetworkOut = false
    /// Where CRIU is; nil looks for it on PATH.
    package var program: String?

    package init(imagePath: String) { self.imagePath = imagePath }
}

/// What `checkpoint` is asked for.
package struct CheckpointOptions: Sendable {
    package var settings: CheckpointSettings
    package var leavesRunning = false
    /// Saves memory only, and the container runs on.
    package var isPreDump = false
    /// An earlier checkpoint, of which only the differences are saved: absolute, or from the image's folder.
    package var parentPath: String?
    package var skipsTCPInFlight = false
    package var linkRemap = false
    package var pageServer: (address: String, port: Int32)?
    /// The caller's descriptor that gets a byte when pages can be served.
    package var statusDescriptor: Int32?

    package init(_ settings: CheckpointSettings) { self.settings = settings }
}

/// What `restore` is asked for, beyond what every start of a container is.
package struct RestoreOptions: Sendable {
    package var settings: CheckpointSettings
    package var closesTCP = false
    package var lsmProfile: String?
    package var lsmMountContext: String?
    /// Other sources of bind mounts than config.json's: destination and source.
    package var mounts: [(destination: String, source: String)] = []

    package init(_ settings: CheckpointSettings) { self.settings = settings }
}
