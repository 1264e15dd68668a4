internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Switches controllers on for a new cgroup: in `cgroup.subtree_control` of the cgroups above it, and only where they
/// are off (cgroup-v2.rst, "Enabling and Disabling").
struct ControllerSwitch {
    let root: String
    let path: CgroupPath
    let isHybrid: Bool

    typealias Needed = (controller: Controller, field: String)

    /// What the kernel counts with, whether or not anything is limited: statistics come from these, and what manages
    /// cgroups inside of the container wants them. crun and runc switch them on as well.
    private static let usual: [Needed] = [Controller.cpu, .cpuset, .io, .memory, .pids].map { ($0, "") }

    /// - Parameter directory: the new cgroup's. Where all the controllers are there already, reading its list is the
    ///   whole work.
    func enable(_ needed: [Needed], _ directory: borrowing Descriptor) throws(CgroupError) {
        if needed.isEmpty { return }
        let present: String
        do throws(SystemError) {
            present = try Files.readText("cgroup.controllers", at: directory)
        } catch {
            throw CgroupError(error, in: path.description)
        }
        let missing = Self.absent(needed, in: present)
        if missing.isEmpty { return }
        for parent in try parents(toEnable: missing) { try write(missing, to: parent) }
    }

    /// Switches on what nothing depends on: where one cannot be had, the container goes without.
    func enableUsual(_ directory: borrowing Descriptor) {
        guard let present = try? Files.readText("cgroup.controllers", at: directory) else { return }
        let wanted = Self.absent(Self.usual, in: present)
        guard !wanted.isEmpty, !offered(wanted, by: "").isEmpty else { return }
        var levels: [String] = []
        for parent in ([""] + path.ancestors).reversed() {
            // What is above belongs to another user.
            guard Files.isWritable("\(root)\(parent)/cgroup.subtree_control") else { break }
            levels.append(parent)
            if offered(wanted, by: parent).count == wanted.count { break }
        }
        for parent in levels.reversed() {
            let offered = offered(wanted, by: parent)
            if !offered.isEmpty { try? write(offered, to: parent) }
        }
    }

    private func offered(_ wanted: [Needed], by parent: String) -> [Needed] {
        guard let list = try? Files.readText("\(root)\(parent)/cgroup.controllers").parts(by: " ") else { return [] }
        return wanted.filter { list.contains($0.controller.name) }
    }

    private static func absent(_ needed: [Needed], in list: String) -> [Needed] {
        let names = list.parts(by: " ")
        return needed.filter { !names.contains($0.controller.name) }
    }

    /// The cgroups to write to, from the topmost. The search goes upward and ends at the first that has the controllers
    /// itself: what is above it may belong to another user, and needs no change.
    private func parents(toEnable missing: [Needed]) throws(CgroupError) -> [String] {
        var chain: [String] = []
        var highest: (path: String, absent: Needed)?
        for parent in ([""] + path.ancestors).reversed() {
            chain.append(parent)
            do throws(SystemError) {
                let list = try Files.readText("\(root)\(parent)/cgroup.controllers")
                guard let absent = Self.absent(missing, in: list).first else { return chain.reversed() }
                highest = (parent, absent)
            } catch {
                throw CgroupError(error, in: parent.isEmpty ? "/" : parent)
            }
        }
        throw unavailable(highest?.absent)
    }

    /// The tree has the controller nowhere. Why, and what to do about it, depends on the host.
    private func unavailable(_ needed: Needed?) -> CgroupError {
        Self.unavailable(needed, root: root, isHybrid: isHybrid)
    }

    static func unavailable(_ needed: Needed?, root: String, isHybrid: Bool) -> CgroupError {
        let name = needed?.controller.name ?? ""
        let reason = "controller \(name) is not available in the cgroup v2 tree at \(root)"
        let remedy =
            isHybrid
            ? "the controller is in cgroup v1 here; boot with systemd.unified_cgroup_hierarchy=1, or with cgroup_no_v1=all"
            : "have it delegated (systemd: Delegate=\(name)), or see that the kernel has it and is not booted with cgroup_disable"
        return CgroupError(
            field: needed?.field, controller: needed?.controller, reason, remedy: remedy, code: .noEntry)
    }

    private func write(_ missing: [Needed], to parent: String) throws(CgroupError) {
        // In one write: the kernel takes all or none.
        let words = missing.map { "+\($0.controller.name)" }.joined(separator: " ")
        do throws(SystemError) {
            // With cpu, cpuset or pids alone the kernel would not refuse, but make the cgroup "domain threaded" and its
            // children unfit for containers.
            if try holdsProcesses(parent) { throw SystemError("write", "cgroup.subtree_control", .busy) }
            try Files.write(words, into: "\(root)\(parent)/cgroup.subtree_control")
        } catch {
            throw refused(error.code, missing, parent)
        }
    }

    /// The tree's own root may hold some: it has no cgroup.type.
    private func holdsProcesses(_ parent: String) throws(SystemError) -> Bool {
        guard (try? Files.readText("\(root)\(parent)/cgroup.type")) != nil else { return false }
        return try !Files.readText("\(root)\(parent)/cgroup.procs").isEmpty
    }

    /// The error for what the kernel answers (kernel/cgroup/cgroup.c, `cgroup_subtree_control_write`).
    private func refused(_ code: Errno, _ missing: [Needed], _ parent: String) -> CgroupError {
        let cgroup = parent.isEmpty ? "/" : parent
        let names = missing.map { $0.controller.name }.joined(separator: ", ")
        // The root has no such file, and is never threaded.
        let type = (try? Files.readText("\(root)\(parent)/cgroup.type")) ?? "domain"
        let reason: String
        let remedy: String
        if code == .busy {
            reason = "cgroup \(cgroup) holds processes itself, so its children can have no controllers (\(names))"
            remedy = "move them into a cgroup below it, or name a cgroup elsewhere in linux.cgroupsPath"
        } else if type != "domain" {
            reason = "cgroup \(cgroup) is of the type \"\(type)\", so its children cannot have the controllers \(names)"
            remedy = "name a cgroup in linux.cgroupsPath that is not below a threaded one"
        } else if CgroupError("", code: code).isPermission {
            reason = "this user may not switch on \(names) for the children of cgroup \(cgroup)"
            remedy = "have the controllers delegated (systemd: Delegate=\(names.filter { $0 != "," }))"
        } else {
            reason = "controllers \(names) cannot be switched on for the children of cgroup \(cgroup): \(code)"
            remedy = "see the kernel's log"
        }
        return CgroupError(
            field: missing.first?.field, controller: missing.first?.controller, reason, remedy: remedy, code: code)
    }
}
