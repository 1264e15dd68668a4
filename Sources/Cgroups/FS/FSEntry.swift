package import Kernel

/// Where later processes of a container are born.
extension FSManager {
    /// The cgroup for a process that joins the container.
    ///
    /// A container that manages its own cgroup has moved its processes below it, and the kernel lets nobody into the
    /// upper one any more (cgroup-v2.rst, "No Internal Process Constraint"); then it is the cgroup that its init is in.
    /// - Parameters:
    ///   - sub: a cgroup below the container's, which must be there; `..` is refused.
    ///   - initProcess: the container's init as this process counts it.
    func entry(below sub: String?, initProcess: Int32) throws(CgroupError) -> Descriptor {
        let place = try entryPath(below: sub, initProcess: initProcess)
        return try open(root + place, place)
    }

    /// That cgroup's path from the tree's root.
    func entryPath(below sub: String?, initProcess: Int32) throws(CgroupError) -> String {
        guard directory != nil else { throw gone }
        if let sub { return try path(below: sub) }
        let control = try inDirectory { directory throws(SystemError) in
            try Files.readText("cgroup.subtree_control", at: directory)
        }
        guard control?.isEmpty == false else { return path.description }
        return try place(of: initProcess) ?? path.description
    }

    private func path(below sub: String) throws(CgroupError) -> String {
        let names = sub.parts(by: "/").filter { $0 != "." }
        guard !names.contains(where: { $0 == ".." || $0.containsByte("\0") }) else {
            throw CgroupError("cgroup \(printable(sub)) must lie below the container's: .. is not allowed")
        }
        return path.description + names.map { "/\($0)" }.joined()
    }

    func open(_ location: String, _ name: String) throws(CgroupError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open(location, [.readOnly, .directory])
        } catch {
            guard error.isMissing else { throw CgroupError(error, in: name) }
            throw CgroupError(
                "cgroup \(printable(name)) not found",
                remedy: "a process can only join a cgroup that the container has made", code: error.code)
        }
    }

    /// The cgroup that a process is in, where it lies below the container's.
    private func place(of pid: Int32) throws(CgroupError) -> String? {
        do throws(SystemError) {
            let place = CgroupHost.ownPath(inProcCgroup: try Files.readText("/proc/\(pid)/cgroup"))
            return place.flatMap { $0.begins(with: "\(path)/") ? $0 : nil }
        } catch {
            throw CgroupError(error, in: path.description)
        }
    }

    /// A process moves between cgroups only for who may write the common ancestor's list (cgroup-v2.rst, "Delegation Containment").
    func checkEntry(from own: String?) throws(CgroupError) {
        guard let own else { return }
        var common = ""
        for (mine, target) in zip(own.parts(by: "/"), path.components) {
            guard mine == target else { break }
            common += "/\(target)"
        }
        guard Files.isWritable("\(root)\(common)/cgroup.procs") else {
            throw CgroupError(
                "cgroup \(path) cannot be entered from \(own): \(common.isEmpty ? "/" : common) is not this user's",
                remedy: "run runbox in a delegated scope: systemd-run --user --scope -p Delegate=yes runbox …",
                code: .accessDenied)
        }
    }
}

extension CgroupManager {
    /// Where a process that joins the container is born; nil without a cgroup. See ``FSManager/entry(below:initProcess:)``.
    package func entry(below sub: String?, initProcess: Int32) throws(CgroupError) -> Descriptor? {
        switch self {
        case .fs(let manager): return try manager.entry(below: sub, initProcess: initProcess)
        case .systemd(let scope): return try scope.entry(below: sub, initProcess: initProcess)
        case .disabled:
            if sub == nil { return nil }
            throw CgroupError(
                "--cgroup: the container has no cgroup; it was made with --cgroup-manager=disabled, or by a user who had none"
            )
        }
    }
}
