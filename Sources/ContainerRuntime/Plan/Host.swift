internal import Cgroups
internal import Kernel

/// What planning needs to know of the machine. It is a value, so that plans are tested without privileges.
struct Host: Sendable {
    var effectiveUser: UInt32
    var effectiveGroup: UInt32
    var cgroups: CgroupHost
    /// Where resctrl is mounted; nil where it is not, or was not asked for.
    var resctrl: String?
    /// Which security modules enforce, as far as the configuration asks.
    var modules = SecurityModules.unasked
    /// Whether scopes are to be units of the user's own systemd. It was looked at only if systemd is to make the cgroup.
    var hasOwnSystemd = false

    /// For an ordinary user whose configuration has none; nil with every other.
    var mappings: DefaultMappings?

    /// The machine this process runs on.
    /// - Parameter cgroupsPath: the field of the configuration, which decides whether the runtime's own cgroup matters.
    /// - Parameter usesResctrl: whether it matters where resctrl is mounted.
    /// - Parameter usesSystemd: whether it matters whose systemd would be asked.
    static func current(
        cgroupsPath: String?, usesResctrl: Bool = false, usesSystemd: Bool = false
    ) throws(CgroupError) -> Host {
        let user = Credentials.effectiveUser
        return Host(
            effectiveUser: user, effectiveGroup: Credentials.effectiveGroup,
            cgroups: try CgroupHost.discover(for: cgroupsPath, asUser: user != 0),
            resctrl: usesResctrl ? try resctrlRoot() : nil, hasOwnSystemd: usesSystemd && SystemdUser.isOwn)
    }

    private static func resctrlRoot() throws(CgroupError) -> String? {
        do throws(SystemError) {
            return resctrlRoot(in: try MountTable.read())
        } catch {
            throw CgroupError("looking for resctrl: \(error)", code: error.code)
        }
    }

    static func resctrlRoot(in mounts: [MountTable.Entry]) -> String? {
        mounts.first { $0.type == "resctrl" }?.path
    }
}
