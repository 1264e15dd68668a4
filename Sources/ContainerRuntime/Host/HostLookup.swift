internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

extension Host {
    /// The machine this process runs on.
    /// - Parameter cgroupsPath: the field of the configuration, which decides whether the runtime's own cgroup matters.
    /// - Parameter usesResctrl: whether it matters where resctrl is mounted.
    /// - Parameter usesSystemd: whether it matters whose systemd would be asked.
    package static func current(
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
