import Foundation
import Glibc

/// What a test's containers have left on the host: mounts, cgroups, processes, state, temporary files. Everything a
/// test makes carries the sandbox's name, so a search finds it whatever else goes on on the machine.
enum Leftovers {
    /// Searches until nothing is found, for two seconds at most: the kernel takes processes and cgroups away a little
    /// later.
    static func settle(of sandbox: Sandbox) -> [String] {
        var found: [String] = []
        _ = eventually(2) {
            found = search(for: sandbox)
            return found.isEmpty
        }
        return found
    }

    /// Takes away what a failed test has left, so that a hundred failures do not fill the host.
    static func sweep(_ sandbox: Sandbox) {
        for entry in processes(sandbox) {
            if let pid = entry.split(separator: " ").dropFirst().first.flatMap({ Int32($0) }) { kill(pid, SIGKILL) }
        }
        if !devices().isEmpty {
            chown("/dev/null", 0, 0)
            chmod("/dev/null", 0o666)
        }
        for entry in cgroups(sandbox).sorted().reversed() {
            guard let tree = CgroupTree.path else { return }
            _ = eventually(1) { rmdir(tree + "/" + entry.dropFirst("cgroup ".count)) == 0 || errno != EBUSY }
        }
    }

    private static func search(for sandbox: Sandbox) -> [String] {
        mounts(sandbox) + cgroups(sandbox) + processes(sandbox) + state(sandbox) + files(sandbox) + devices()
    }

    /// The tests give the host's /dev/null to containers as standard input: it must not become theirs.
    private static func devices() -> [String] {
        var status = stat()
        guard stat("/dev/null", &status) == 0, geteuid() == 0 else { return [] }
        let isAsBefore = status.st_uid == 0 && status.st_gid == 0 && status.st_mode == S_IFCHR | 0o666
        return isAsBefore
            ? [] : ["/dev/null belongs to \(status.st_uid):\(status.st_gid), mode \(String(status.st_mode, radix: 8))"]
    }

    private static func mounts(_ sandbox: Sandbox) -> [String] {
        lines("/proc/self/mountinfo").filter { $0.contains(sandbox.name) }.map { "mount \($0)" }
    }

    private static func cgroups(_ sandbox: Sandbox) -> [String] {
        guard let tree = CgroupTree.path else { return [] }
        let all = FileManager.default.enumerator(atPath: tree)
        var found: [String] = []
        while let path = all?.nextObject() as? String {
            guard all?.fileAttributes?[.type] as? FileAttributeType == .typeDirectory else { continue }
            if path.contains(sandbox.name) { found.append("cgroup \(path)") }
        }
        return found
    }

    /// Runtimes by their environment, containers by their root's mount.
    private static func processes(_ sandbox: Sandbox) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.compactMap { Int32($0) }.filter { $0 != getpid() }.compactMap { pid in
            let isOurs =
                lines("/proc/\(pid)/environ").contains { $0.contains("RUNBOX_TEST=\(sandbox.name)\0") }
                || lines("/proc/\(pid)/mountinfo").contains { $0.contains("/\(sandbox.name)/") }
            guard isOurs, let status = lines("/proc/\(pid)/stat").first, !status.contains(") Z ") else { return nil }
            return "process \(status.prefix(60))"
        }
    }

    private static func state(_ sandbox: Sandbox) -> [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: sandbox.root)) ?? []
        return entries.filter { !$0.hasPrefix(".") }.map { "state folder \($0)" }
            + sandbox.services.map { "service \($0)" }
    }

    private static func files(_ sandbox: Sandbox) -> [String] {
        ["/tmp", "/var/tmp", "/run", "/dev/shm", "/run/runbox"].flatMap { folder in
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
                .filter { $0.contains(sandbox.name) && folder + "/" + $0 != sandbox.directory }
                .map { "file \(folder)/\($0)" }
        }
    }

    static func lines(_ path: String) -> [String] {
        guard let data = FileManager.default.contents(atPath: path) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}

/// The host's cgroup v2 tree, wherever it is mounted.
enum CgroupTree {
    static let path: String? = Leftovers.lines("/proc/self/mountinfo").lazy
        .filter { $0.contains(" - cgroup2 ") }
        .compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }.first

    /// The controllers that the tree's root can give.
    static let controllers: Set<String> = {
        guard let path else { return [] }
        return Set((Leftovers.lines(path + "/cgroup.controllers").first ?? "").split(separator: " ").map(String.init))
    }()

    static func has(_ controller: String) -> Bool { controllers.contains(controller) }

    /// A file of a cgroup, by its path below the tree.
    static func read(_ file: String) -> String? {
        guard let path else { return nil }
        return Leftovers.lines(path + file).joined(separator: "\n")
    }

    static func exists(_ cgroup: String) -> Bool {
        path.map { FileManager.default.fileExists(atPath: $0 + cgroup) } ?? false
    }

    static func make(_ cgroup: some StringProtocol) throws {
        try FileManager.default.createDirectory(atPath: (path ?? "") + cgroup, withIntermediateDirectories: false)
    }

    /// Best effort, at the end of a test.
    static func remove(_ cgroup: some StringProtocol) { rmdir((path ?? "") + cgroup) }

    /// Writes one value in one go, as the kernel's files want it.
    static func write(_ text: String, into file: some StringProtocol) throws {
        guard let handle = FileHandle(forWritingAtPath: (path ?? "") + file) else {
            throw Trouble("cannot open \(file)")
        }
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
    }
}
