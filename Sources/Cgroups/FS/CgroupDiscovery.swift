package import CgroupPlanning
package import Errors
internal import Kernel
internal import KernelTypes

extension CgroupHost {
    /// Looks around: two calls of statfs on almost every host (cgroups(7), "Cgroups version 2").
    /// - Parameter cgroupsPath: the field of the configuration. Only a relative or missing one needs the own cgroup to
    ///   be read.
    /// - Parameter asUser: an ordinary user's own cgroup always matters: it decides which others can be entered.
    package static func discover(for cgroupsPath: String?, asUser: Bool = false) throws(CgroupError) -> CgroupHost {
        let own = cgroupsPath?.utf8.first == UInt8(ascii: "/") && !asUser ? nil : try readOwnPath()
        // A path that is not there is no cgroup tree: the next one may be.
        if let status = try? Files.fileSystem(standardRoot), status.isCgroup2 {
            return CgroupHost(root: standardRoot, ownPath: own, ownService: .find(own, root: standardRoot))
        }
        if let status = try? Files.fileSystem(hybridRoot), status.isCgroup2 {
            return CgroupHost(
                root: hybridRoot, isHybrid: true, ownPath: own, ownService: .find(own, root: hybridRoot))
        }
        do throws(SystemError) {
            let (root, isHybrid) = treeRoot(inMountInfo: try Files.readText("/proc/self/mountinfo"))
            return CgroupHost(
                root: root, isHybrid: isHybrid, ownPath: own, ownService: root.flatMap { .find(own, root: $0) })
        } catch {
            throw CgroupError("looking for the cgroup v2 tree: \(error)", code: error.code)
        }
    }

    private static let standardRoot = "/sys/fs/cgroup"
    private static let hybridRoot = "/sys/fs/cgroup/unified"

    /// The controllers of the whole tree: read when something needs them, not before.
    func controllers() throws(CgroupError) -> [Controller] {
        guard let root else { return [] }
        do throws(SystemError) {
            return try Files.readText("\(root)/cgroup.controllers").parts(by: " ").map {
                Controller(String($0))
            }
        } catch {
            throw CgroupError(error, in: "/")
        }
    }

    static let noTree = CgroupError(
        "this host has no cgroup v2 tree mounted",
        remedy: "mount one (mount -t cgroup2 none /sys/fs/cgroup), or use --cgroup-manager=disabled", code: .noDevice)

    /// What of a plan this host cannot do, as making the cgroup would say: no tree, or a controller that it has
    /// nowhere.
    package func obstacles(to plan: ResourcesPlan) -> [CgroupError] {
        guard let root else { return [Self.noTree] }
        // A list that cannot be read is reported when the cgroup is made.
        guard let present = try? controllers() else { return [] }
        return plan.controllers.filter { !present.contains($0.controller) }.map {
            ControllerSwitch.unavailable($0, root: root, isHybrid: isHybrid)
        }
    }

    private static func readOwnPath() throws(CgroupError) -> String? {
        do throws(SystemError) {
            return ownPath(inProcCgroup: try Files.readText("/proc/self/cgroup"))
        } catch {
            throw CgroupError("looking for the own cgroup: \(error)", code: error.code)
        }
    }

    /// The line of the v2 hierarchy has number 0 and no controllers (cgroups(7), "/proc/pid/cgroup").
    static func ownPath(inProcCgroup text: String) -> String? {
        text.parts(by: "\n").first { $0.begins(with: "0::") }.map { String($0.dropFirst(3)) }
    }

    /// The first mount of a v2 tree, and whether there are mounts of v1, in proc_pid_mountinfo(5).
    static func treeRoot(inMountInfo text: String) -> (root: String?, isHybrid: Bool) {
        let mounts = MountTable.parse(text)
        return (mounts.first { $0.type == "cgroup2" }?.path, mounts.contains { $0.type == "cgroup" })
    }
}

extension CgroupPath {
    /// Those of the cgroups above that are not in the tree yet, from the topmost.
    package func missingParents(in root: String) -> [String] {
        Array(ancestors.reversed().prefix { !Files.exists(root + $0) }.reversed())
    }
}
