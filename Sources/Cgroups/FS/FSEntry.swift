internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Where later processes of a container start.
extension FSManager {
    /// The cgroup for a process that joins the container.
    ///
    /// A container that manages its own cgroup has moved its processes below it, and the kernel lets no process into
    /// the upper one any more (cgroup-v2.rst, "No Internal Process Constraint"); then it is the cgroup that its init is
    /// in. One whose init somebody has moved elsewhere is where its init is.
    /// - Parameters:
    ///   - sub: a cgroup below the container's, which must be there; `..` is refused.
    ///   - initProcess: the container's init as this process counts it.
    func entry(below sub: String?, initProcess: Int32) throws(CgroupError) -> Descriptor {
        if sub == nil, let place = try placeElsewhere(of: initProcess) { return try Self.open(place, below: root) }
        let names = try names(below: sub, initProcess: initProcess)
        switch directory {
        case .none: throw gone
        case .some(let directory):
            guard let names else { return try home(of: initProcess, directory) }
            do throws(SystemError) {
                return try Self.open(names[...], below: directory)
            } catch {
                // /proc/PID/cgroup has room for 4096 bytes of path, and newer kernels cut off what is longer.
                if error.isMissing, sub == nil { return try home(of: initProcess, directory) }
                throw notFound(error, names)
            }
        }
    }

    /// That cgroup's path from the tree's root.
    func entryPath(below sub: String?, initProcess: Int32) throws(CgroupError) -> String {
        if sub == nil, let place = try placeElsewhere(of: initProcess) { return place }
        let names = try names(below: sub, initProcess: initProcess) ?? []
        return path.description + names.map { "/\($0.text)" }.joined()
    }

    /// The cgroup of an init outside of the container's own one, which is gone, or takes no process any more; nil where
    /// it need not be looked for.
    private func placeElsewhere(of pid: Int32) throws(CgroupError) -> String? {
        let own = path.description
        if directory != nil {
            let control = try inDirectory { directory throws(SystemError) in
                try Files.readText("cgroup.subtree_control", at: directory)
            }
            guard control?.isEmpty == false else { return nil }
        }
        do throws(SystemError) {
            let text = try Files.read("/proc/\(pid)/cgroup", limit: 1 << 20)
            return Self.place(inProcCgroup: text, outside: directory == nil ? nil : own)
        } catch {
            if directory == nil { throw gone }
            return nil  // looked for below
        }
    }

    /// The cgroup that /proc/PID/cgroup names.
    ///
    /// - Parameter outside: a cgroup that it must not lie in.
    /// - Returns: nil where it lies in that one, or outside of what this process may see.
    static func place(inProcCgroup text: [UInt8], outside own: String?) -> String? {
        for line in String(decoding: text, as: UTF8.self).parts(by: "\n") {
            guard let place = line.rest(after: "0::") else { continue }
            if let own, place == own || place.begins(with: "\(own)/") { return nil }
            return place.parts(by: "/").contains("..") ? nil : place
        }
        return nil
    }

    private static func open(_ place: String, below root: String) throws(CgroupError) -> Descriptor {
        do throws(SystemError) {
            return try Files.open(root + place, [.readOnly, .directory])
        } catch {
            throw CgroupError(error, in: place)
        }
    }

    /// - Returns: the names that lead there from the container's cgroup; nil where they are too many for one
    ///   path.
    private func names(below sub: String?, initProcess: Int32) throws(CgroupError) -> [ByteName]? {
        guard directory != nil else { throw gone }
        if let sub {
            let names = sub.parts(by: "/").filter { $0 != "." }
            guard !names.contains(where: { $0 == ".." || $0.containsByte("\0") }) else {
                throw CgroupError("bad sub cgroup path \(printable(sub)): must lie below the container's, without ..")
            }
            return names.map { ByteName($0) }
        }
        let control = try inDirectory { directory throws(SystemError) in
            try Files.readText("cgroup.subtree_control", at: directory)
        }
        guard control?.isEmpty == false else { return [] }
        do throws(SystemError) {
            let text = try Files.read("/proc/\(initProcess)/cgroup", limit: 1 << 20)
            return Self.names(inProcCgroup: text, below: path.description)
        } catch {
            // ENAMETOOLONG: a path that the file has no room for.
            guard error.code == .nameTooLong else { throw CgroupError(error, in: path.description) }
            return nil
        }
    }

    /// What leads from a cgroup to the one that /proc/PID/cgroup names; nothing where that does not lie below it.
    /// Names are bytes: the container gives them.
    static func names(inProcCgroup text: [UInt8], below path: String) -> [ByteName] {
        let newline = UInt8(ascii: "\n")
        for line in text.split(separator: newline) where line.starts(with: "0::\(path)/".utf8) {
            return line.dropFirst(path.utf8.count + 4).split(separator: UInt8(ascii: "/")).map { ByteName($0) }
        }
        return []
    }

    /// The cgroup that a process is in, found by looking into all of them.
    private func home(of pid: Int32, _ directory: borrowing Descriptor) throws(CgroupError) -> Descriptor {
        var found: Descriptor?
        do throws(SystemError) {
            try Files.visitDirectories(of: directory) { cgroup throws(SystemError) in
                guard try Self.processes(in: cgroup, recursive: false).contains(pid) else { return }
                found = try Files.open(".", at: cgroup, [.readOnly, .directory])
            }
        } catch {
            throw CgroupError(error, in: path.description)
        }
        switch consume found {
        case .some(let found): return found
        case .none: throw CgroupError("the cgroup of process \(pid) was not found below \(path)", code: .noEntry)
        }
    }

    func notFound(_ error: SystemError, _ names: [ByteName]) -> CgroupError {
        let name = printable(path.description + names.map { "/\($0.text)" }.joined())
        guard error.isMissing else { return CgroupError(error, in: name) }
        return CgroupError(
            "cgroup \(name) not found", remedy: "a process can only join a cgroup that the container has made",
            code: error.code)
    }

    /// A process can be moved between cgroups only by a user who may write the common ancestor's list (cgroup-v2.rst,
    /// "Delegation Containment").
    func checkEntry(from own: String?) throws(CgroupError) {
        guard let own else { return }
        let common = Self.commonAncestor(own, path.description)
        guard Files.isWritable("\(root)\(common)/cgroup.procs") else {
            throw CgroupError(
                "cgroup \(path) cannot be entered from \(own): \(common.isEmpty ? "/" : common) is not this user's",
                remedy: "run runbox in a delegated scope: systemd-run --user --scope -p Delegate=yes runbox …",
                code: .accessDenied)
        }
    }

    /// The lowest cgroup that two others lie in; empty for the tree's root.
    static func commonAncestor(_ one: String, _ other: String) -> String {
        var common = ""
        for (name, otherName) in zip(one.parts(by: "/"), other.parts(by: "/")) {
            guard name == otherName else { break }
            common += "/\(name)"
        }
        return common
    }
}
