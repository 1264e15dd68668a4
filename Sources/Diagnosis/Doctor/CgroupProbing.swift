internal import CgroupPlanning
internal import Cgroups
internal import Kernel
internal import KernelTypes

extension CgroupFacts {
    /// Looks at the trees that are mounted, and at the place where runbox would make a container's cgroup.
    static func gather(isRoot: Bool) -> CgroupFacts {
        var facts = CgroupFacts()
        (facts.inKernel, facts.switchedOff) = kernelControllers(HostFiles.lines("/proc/cgroups"))
        let mounts = (try? MountTable.read()) ?? []  // without /proc there are no containers anyway
        let hasVersion1 = mounts.contains { $0.type == "cgroup" }
        let host = try? CgroupHost.discover(for: nil)  // no /proc/self/cgroup: no cgroups
        guard let root = host?.root else {
            facts.mode = hasVersion1 ? .legacy : .none
            facts.controllers = []
            facts.isParentWritable = false
            return facts
        }
        facts.mode = hasVersion1 ? .hybrid : .unified
        facts.controllers = words("\(root)/cgroup.controllers")
        facts.inVersion1 = version1Controllers(HostFiles.lines("/proc/self/cgroup"))
        let own = host?.ownPath ?? "/"
        // Where a cgroupsPath that is not absolute counts from.
        facts.parent = own.splitAtLastSlash.map { $0.folder.isEmpty ? "/" : $0.folder } ?? "/"
        facts.isParentWritable = Files.isWritable(root + facts.parent)
        if !isRoot { facts.delegated = delegation(root) }
        facts.look(at: example(root, own))
        return facts
    }

    private static func words(_ path: String) -> [String] { HostFiles.lines(path).first?.parts(by: " ") ?? [] }

    /// The user's manager has a cgroup of its own, whose controllers systemd is configured to delegate
    /// (systemd.resource-control(5), `Delegate=`).
    private static func delegation(_ root: String) -> [String]? {
        let user = Credentials.effectiveUser
        let folder = "\(root)/user.slice/user-\(user).slice/user@\(user).service"
        guard Files.isWritable(folder) else { return nil }
        return words("\(folder)/cgroup.controllers")
    }

    /// A cgroup that is not the root, which lacks the files of interest.
    private static func example(_ root: String, _ own: String) -> String? {
        if own != "/", Files.exists("\(root)\(own)/cgroup.events") { return root + own }
        let names = (try? Files.listDirectories(root)) ?? []  // a tree that cannot be listed has no example
        return names.map { "\(root)/\($0)" }.first { Files.exists("\($0)/cgroup.events") }
    }

    private mutating func look(at example: String?) {
        hasKill = example.map { Files.exists("\($0)/cgroup.kill") }
        hasFreeze = example.map { Files.exists("\($0)/cgroup.freeze") }
        hasPressure = Files.exists("/proc/pressure/cpu")
    }

    /// Lines `name hierarchy count enabled`; cgroups(7), "/proc/cgroups". v2 calls blkio io.
    static func kernelControllers(_ lines: [String]) -> (all: [String], switchedOff: [String]) {
        var all: [String] = []
        var off: [String] = []
        for line in lines where !line.begins(with: "#") {
            let fields = line.parts(by: "\t")
            guard fields.count == 4 else { continue }
            let name = fields[0] == "blkio" ? "io" : fields[0]
            if fields[3] == "0" { off.append(name) } else { all.append(name) }
        }
        return (all, off)
    }

    /// The controllers of lines `number:controllers:path`; the line of v2 has none.
    static func version1Controllers(_ lines: [String]) -> [String] {
        lines.flatMap { line -> [String] in
            let fields = line.parts(by: ":", keepingEmpty: true, most: 3)
            guard fields.count == 3, !fields[1].begins(with: "name=") else { return [] }
            return fields[1].parts(by: ",").map { $0 == "blkio" ? "io" : $0 }
        }
    }
}
