import Foundation
import Glibc
import Testing

extension AllTests {
    /// Cgroups that a container has made below its own
    @Suite(.needsRoot, .needsCgroupTree) struct CgroupNames {
        private static let names: [[UInt8]] = [
            [0xff], Array("a b".utf8), [0xc3, 0x28], [0xe2, 0x82], Array("\\x41".utf8),
        ]

        private func below(_ directory: Int32, _ name: [UInt8]) -> Int32 {
            let text = name.map { CChar(bitPattern: $0) } + [0]
            #expect(mkdirat(directory, text, 0o755) == 0)
            return openat(directory, text, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        }

        private func put(_ pid: Int32, into directory: Int32) {
            let file = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC)
            let text = "\(pid)"
            #expect(write(file, text, text.utf8.count) == text.utf8.count)
            close(file)
        }

        /// Made from outside, as a container with a writable tree can make them.
        @Test func cgroupsOfAnyNameAndDepthAreHandled() throws {
            let box = try Sandbox.current
            let tree = try #require(CgroupTree.path)
            let bundle = try box.bundle("hang") { $0["linux.cgroupsPath"] = "/\(box.name)" }
            #expect(try box.run(bundle, flags: ["--detach"]).status == 0)
            var sleepers: [Running] = []
            let top = open("\(tree)/\(box.name)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            for name in Self.names {
                let inner = below(top, name)
                sleepers.append(try box.aside(["/bin/sleep", "60"]))
                put(sleepers[sleepers.count - 1].pid, into: inner)
                close(inner)
            }
            var deep = top
            for _ in 0..<60 {
                let next = below(deep, [UInt8](repeating: UInt8(ascii: "d"), count: 200))
                if deep != top { close(deep) }
                deep = next
            }
            sleepers.append(try box.aside(["/bin/sleep", "60"]))
            put(sleepers[sleepers.count - 1].pid, into: deep)
            close(deep)
            close(top)
            let listed = try box.ok("ps", "--format", "json", box.id).stdout
            for sleeper in sleepers { #expect(listed.contains("\(sleeper.pid)"), "\(listed)") }
            try box.ok("pause", box.id)
            try box.ok("resume", box.id)
            try box.ok("kill", "--all", box.id, "TERM")
            for sleeper in sleepers { #expect(sleeper.wait().status == 143) }
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists("/\(box.name)"))
        }

        /// The init has moved, and what joins the container starts where it is.
        @Test(.needsAnyController, arguments: [1, 60])
        func execFollowsTheInitsCgroup(depth: Int) throws {
            let box = try Sandbox.current
            let tree = try #require(CgroupTree.path)
            let controller = try #require(CgroupTree.controllers.first)
            let bundle = try box.bundle("hang") { $0["linux.cgroupsPath"] = "/\(box.name)" }
            let old = CgroupTree.read("/cgroup.subtree_control") ?? ""
            #expect(try box.run(bundle, flags: ["--detach"]).status == 0)
            let pid = Int32(try box.state()["pid"] as? Int ?? 0)
            try CgroupTree.write("+\(controller)", into: "/cgroup.subtree_control")
            defer {
                if !old.contains(controller) {
                    try? CgroupTree.write("-\(controller)", into: "/cgroup.subtree_control")
                }
            }
            var inner = open("\(tree)/\(box.name)", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            for _ in 0..<depth {
                let next = below(inner, [0xff] + [UInt8](repeating: UInt8(ascii: "d"), count: 199))
                close(inner)
                inner = next
            }
            put(pid, into: inner)
            close(inner)
            try CgroupTree.write("+\(controller)", into: "/\(box.name)/cgroup.subtree_control")
            let outcome = try box.runtime("exec", box.id, "/bin/true")
            #expect(outcome.status == 0, "\(outcome)")
            try box.ok("delete", "--force", box.id)
        }
    }
}
