internal import CgroupPlanning
internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes
package import OCISpec
package import Planning

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

    /// The memory nodes of this machine, as far as the configuration names some; nil where the kernel has no list.
    package static func memoryNodes(for spec: Spec) -> NumberSet? {
        guard spec.linux?.memoryPolicy?.nodes?.isEmpty == false else { return nil }
        return list("/sys/devices/system/node/has_memory").flatMap(NumberSet.init(kernelsNodes:))
    }

    /// What the kernel takes as the period of SCHED_DEADLINE, as far as the process asks for that.
    package static func deadlinePeriods(for process: OCISpec.Process?) -> ClosedRange<UInt64> {
        let usual = DeadlineRules.usualPeriods
        guard process?.scheduler?.policy == .deadline else { return usual }
        func nanoseconds(_ name: String) -> UInt64? {
            list("/proc/sys/kernel/sched_deadline_period_\(name)_us").flatMap { UInt64($0) }.map { $0 &* 1000 }
        }
        guard let least = nanoseconds("min"), let most = nanoseconds("max"), least <= most else { return usual }
        return least...most
    }

    /// A line of a file of the kernel's; nil where there is none, and the kernel has the last word.
    private static func list(_ path: String) -> String? {
        do throws(SystemError) {
            return try Files.readText(path).parts(by: "\n").first
        } catch {
            return nil
        }
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
