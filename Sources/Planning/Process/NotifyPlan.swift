internal import Errors
internal import KernelTypes
internal import OCISpec

/// Where a service manager waits for notifications of the payload; sd_notify(3).
///
/// The container cannot reach the manager's socket, and its messages would come from a process that the manager does
/// not know. So the runtime listens at a socket of its own, which the container sees by a mount, and passes the
/// messages on under its own name.
package struct NotifyPlan: Sendable, Equatable {
    /// The manager's socket: a path, or a name with `@` in front; from NOTIFY_SOCKET of the runtime's environment.
    package let address: String
    /// The folder of the socket in the container's state folder. The one around it keeps the host's users away from it.
    package let folder: String

    /// Whether the folder belongs to the service and outlives its containers.
    package let isStanding: Bool
    /// How often the payload has to say that it is alive, in microseconds; WATCHDOG_USEC, sd_watchdog_enabled(3).
    package let watchdog: UInt64?

    package static let socketName = "notify.sock"
    private static let folderName = "notify"
    package static let variable = "NOTIFY_SOCKET"

    /// The folder in a container's state folder.
    package static func folder(in state: String) -> String { "\(state)/\(folderName)/inside" }

    package init(address: String, folder: String) {
        self.address = address
        self.folder = folder
        isStanding = false
        watchdog = nil
    }

    /// Of a service, whose supervisor listens.
    /// - Parameter watchdog: microseconds.
    package init(standing folder: String, watchdog: UInt64?) {
        address = ""
        self.folder = folder
        isStanding = true
        self.watchdog = watchdog
    }

    /// The configuration with the mount and the variable that the payload needs.
    func added(to spec: Spec, findings: inout Findings) -> Spec {
        guard spec.process != nil, spec.linux?.namespaces?.contains(where: { $0.type == .mount }) == true else {
            if spec.process != nil {
                findings.warn(
                    "linux.namespaces", "NOTIFY_SOCKET is not passed on: the container has no mount namespace")
            }
            return spec
        }
        var spec = spec
        let place = Self.place(in: spec.mounts ?? [])
        spec.mounts =
            (spec.mounts ?? []) + [
                Mount(
                    destination: place, type: "bind", source: folder,
                    options: ["bind", "private", "nosuid", "nodev", "noexec", "ro"])
            ]
        let environment = spec.process?.env ?? []
        spec.process?.env =
            environment + ["\(Self.variable)=\(place)/\(Self.socketName)"]
            + (watchdog.map { ["WATCHDOG_USEC=\($0)"] } ?? [])
        return spec
    }

    /// `/run/notify` as in runc, but on a tmpfs of the container if there is one, so that nothing needs to be made in
    /// the image: it may be read-only.
    private static func place(in mounts: [Mount]) -> String {
        func isWritable(_ path: String) -> Bool {
            let last = mounts.last { $0.destination.cleanedPath == path }
            return last?.type == "tmpfs" && last?.options?.contains("ro") != true
        }
        if isWritable("/run") { return "/run/\(folderName)" }
        return isWritable("/dev") ? "/dev/\(folderName)" : "/run/\(folderName)"
    }
}
