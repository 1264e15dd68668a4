import Foundation
import Glibc
import Testing

extension AllTests {
    /// A runtime that systemd has started as a service: its containers stay within the unit
    @Suite(.needsRoot, .needsCgroupTree)
    struct Services {
        /// A cgroup with a service's name, as systemd makes them.
        private struct Unit {
            let path: String
            private let tree: String

            init(_ box: Sandbox, delegated: Bool) throws {
                tree = CgroupTree.path ?? ""
                path = "/\(box.name).service"
                try CgroupTree.make(path)
                guard delegated else { return }
                let mark = "import os; os.setxattr('\(tree + path)', 'trusted.delegate', b'1')"
                #expect(try box.aside(["python3", "-c", mark]).wait().status == 0)
            }

            /// Runs a command line in it; the shell is in it as well.
            func run(_ box: Sandbox, _ words: String) throws -> Outcome {
                let script =
                    "echo $$ > \(tree)\(path)/cgroup.procs && \(Programs.runtime) --root \(box.root) \(words); exit $?"
                return try box.aside(["/bin/sh", "-c", script]).wait()
            }

            func remove() {
                for name in ["/runbox:supervisor", ""] {
                    _ = eventually(2) { rmdir(tree + path + name) == 0 || errno == ENOENT }
                }
            }
        }

        private func place(_ box: Sandbox) throws -> String {
            let pid = try box.state()["pid"] as? Int ?? 0
            return Leftovers.lines("/proc/\(pid)/cgroup").first { $0.hasPrefix("0::") } ?? ""
        }

        @Test(arguments: [nil, "a/b"] as [String?], [false, true])
        func withoutLimitsAContainerStaysInItsUnit(path: String?, delegated: Bool) throws {
            let box = try Sandbox.current
            let unit = try Unit(box, delegated: delegated)
            defer { unit.remove() }
            let bundle = try box.bundle("hang") { $0["linux.cgroupsPath"] = path }
            let outcome = try unit.run(box, "run --detach --bundle \(bundle.directory) \(box.id)")
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(try place(box) == "0::\(unit.path)/\(path ?? box.id)")
            try box.ok("delete", "--force", box.id)
            #expect(!CgroupTree.exists("\(unit.path)/\(path ?? box.id)"))
        }

        @Test func anAbsolutePathLeavesTheUnit() throws {
            let box = try Sandbox.current
            let unit = try Unit(box, delegated: true)
            defer { unit.remove() }
            let bundle = try box.bundle("hang") { $0["linux.cgroupsPath"] = "/\(box.name)" }
            let outcome = try unit.run(box, "run --detach --bundle \(bundle.directory) \(box.id)")
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(try place(box) == "0::/\(box.name)")
        }

        /// Limits need controllers, and those a cgroup without processes.
        @Test(.needsControllers("hugetlb")) func limitsHoldInADelegatedUnit() throws {
            let box = try Sandbox.current
            let unit = try Unit(box, delegated: true)
            defer { unit.remove() }
            let bundle = try box.bundle("exit:3") { try Self.limit(&$0) }
            let outcome = try unit.run(box, "run --bundle \(bundle.directory) \(box.id)")
            #expect(outcome.status == 3 && outcome.stderr == "", "\(outcome)")
            #expect(CgroupTree.read("\(unit.path)/cgroup.subtree_control")?.contains("hugetlb") == true)
            #expect(!CgroupTree.exists("\(unit.path)/\(box.id)"))
        }

        @Test(.needsControllers("hugetlb")) func limitsOutsideOfADelegatedUnitAreAWarning() throws {
            let box = try Sandbox.current
            let unit = try Unit(box, delegated: false)
            defer { unit.remove() }
            let bundle = try box.bundle("hang") { try Self.limit(&$0) }
            let outcome = try unit.run(box, "run --detach --bundle \(bundle.directory) \(box.id)")
            #expect(outcome.status == 0 && outcome.complaints.count == 1, "\(outcome)")
            #expect(outcome.stderr.contains("outside of \(box.name).service"), "\(outcome)")
            #expect(outcome.stderr.contains("set Delegate=yes"), "\(outcome)")
            #expect(try place(box) == "0::/\(box.id)")
        }

        private static func limit(_ config: inout Config) throws {
            try config.set("linux.resources.hugepageLimits", json: #"[{"pageSize":"2MB","limit":0}]"#)
        }
    }
}
