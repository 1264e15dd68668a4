import CLinux
import CgroupPlanning
import Errors
import Kernel
import OCISpec
import TestSupport
import Testing

@testable import Cgroups

/// Whether cgroups can be made here.
private let canMakeCgroups: Bool = {
    guard geteuid() == 0, let root = (try? CgroupHost.discover(for: "/"))?.root else { return false }
    return Files.isWritable(root)
}()

/// Whether the tree lacks a controller that cgroup v1 has.
private let lacksMemory: Bool = {
    guard canMakeCgroups, let host = try? CgroupHost.discover(for: "/") else { return false }
    return host.isHybrid && (try? host.controllers().contains(.memory)) == false
}()

/// Whether there is a controller to try with that nothing else here depends on.
private let hasHugeTLB: Bool = {
    guard canMakeCgroups, let host = try? CgroupHost.discover(for: "/") else { return false }
    return (try? host.controllers().contains(.hugetlb)) == true
}()

/// What a test needs of the host: without it the test is skipped, and the log says why.
extension Trait where Self == ConditionTrait {
    static var needsCgroups: Self { .enabled(if: canMakeCgroups, "needs root and a cgroup v2 tree to write to") }

    static var needsHugeTLB: Self {
        .enabled(if: hasHugeTLB, "needs root, and the controller hugetlb in the cgroup v2 tree")
    }

    static var needsMemoryInVersion1: Self {
        .enabled(if: lacksMemory, "needs root, and a host whose memory controller is in cgroup v1")
    }
}

/// A process that does nothing for a while. The shell starts it: nothing is forked in this process, which has
/// threads, and Foundation's `Process` cannot be had beside Kernel, because the C modules of both define the same
/// types in different ways.
final class Sleeper {
    let pid: Int32

    init(command: String = "/bin/sleep 60") throws {
        // The shell does not wait for it: test processes block SIGCHLD, and a shell's `wait` would inherit that and
        // never end.
        let shell = try #require(popen("exec </dev/null; \(command) >/dev/null 2>&1 & echo $!", "r"))
        defer { pclose(shell) }
        var line = [CChar](repeating: 0, count: 32)
        _ = fgets(&line, 32, shell)
        let text = String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        pid = try #require(Int32(text))
    }

    /// The letter of proc_pid_stat(5); nil when the process is gone.
    var state: Character? {
        guard let stat = try? Files.readText("/proc/\(pid)/stat"), let close = stat.lastIndex(of: ")") else {
            return nil
        }
        return stat[close...].dropFirst(2).first
    }

    var isAlive: Bool { state.map { $0 != "Z" && $0 != "X" } ?? false }

    deinit { kill(pid, SIGKILL) }
}

/// The kernel works on its own time; waits up to two seconds for it.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<200 {
        if try condition() { return true }
        MonotonicClock.sleep(milliseconds: 10)
    }
    return false
}

/// A place of its own in the tree for one test, removed when the test ends however it ends.
final class Place {
    let host: CgroupHost
    let top: String

    init(_ name: String = #function) throws {
        host = try CgroupHost.discover(for: "/")
        top = "/runbox-test-\(getpid())-\(name.prefix { $0 != "(" })"
    }

    var root: String { host.root ?? "" }

    func path(_ rest: String = "/c") throws -> CgroupPath { try CgroupPath(top + rest, id: "x", own: nil) }

    func create(_ rest: String = "/c", _ resources: Resources? = nil) throws -> CgroupManager {
        try CgroupManager.create(try path(rest), host: host, plan: ResourcesPlan(resources))
    }

    func exists(_ rest: String = "") -> Bool { Files.exists(root + top + rest) }

    deinit {
        // Best effort, for tests that failed half-way.
        let record = CgroupRecord(mode: .cgroupfs, root: root, path: top, created: [])
        try? CgroupManager.open(record).remove()
    }
}
