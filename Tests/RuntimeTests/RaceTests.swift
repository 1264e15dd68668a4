import Foundation
import Glibc
import Testing

extension AllTests {
    /// What others do at the same moment, or before
    @Suite struct Races {
        @Test(.needsCgroupTree) func aCgroupOfAnotherContainerInTheMakingIsRefused() throws {
            let box = try Sandbox.current
            let tree = try #require(CgroupTree.path)
            let path = "\(tree)/\(box.name)"
            #expect(mkdir(path, 0o755) == 0)
            defer { rmdir(path) }
            let bundle = try box.bundle("say:alone") { $0["linux.cgroupsPath"] = "/\(box.name)" }
            let holder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            #expect(flock(holder, LOCK_EX) == 0)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 1 && outcome.stderr.contains("another container is being made"), "\(outcome)")
            #expect(access(path, F_OK) == 0, "it is the other's")
            close(holder)
            #expect(try box.run(bundle).stdout == "alone\n")
        }

        @Test(.needsCgroupTree) func onlyOneOfTwoGetsTheCgroup() throws {
            let box = try Sandbox.current
            for turn in 0..<5 {
                let bundle = try box.bundle("hang") { $0["linux.cgroupsPath"] = "/\(box.name)-\(turn)" }
                let both = try ["a", "b"].map {
                    try box.begin(
                        ["--root", box.root, "create", "--bundle", bundle.directory, box.id($0 + "\(turn)")])
                }
                let made = both.map { $0.wait() }
                #expect(made.filter { $0.status == 0 }.count == 1, "\(made)")
                #expect(made.contains { $0.stderr.contains("not empty") }, "\(made)")
                for (name, outcome) in zip(["a", "b"], made) where outcome.status == 0 {
                    try box.ok("delete", "--force", box.id(name + "\(turn)"))
                }
                #expect(!CgroupTree.exists("/\(box.name)-\(turn)"))
            }
        }

        @Test(.needsProgram("strace")) func aKilledIntermediateProcessIsAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0.userNamespace()
                $0.namespace("ipc", path: "/proc/\(getpid())/ns/ipc")
            }
            try bundle.chown(to: 100_000)
            // The first packet that any process sends is the intermediate process's: the init is spawned by then, and
            // waits for an answer.
            let trace = Surroundings(prefix: [
                "strace", "-qq", "-f", "-o", box.path("trace"), "-e", "trace=sendmsg", "-e",
                "inject=sendmsg:signal=SIGKILL:when=1",
            ])
            let outcome = try box.run(bundle, with: trace)
            #expect(outcome.status == 1 && outcome.stdout == "", "\(outcome)")
            #expect(outcome.stderr.contains("killed"), "\(outcome)")
        }

        @Test func theCacheOfFiltersIsBounded() throws {
            let box = try Sandbox.current
            let cache = box.root + "/.cache/seccomp"
            try FileManager.default.createDirectory(atPath: cache, withIntermediateDirectories: true)
            for number in 0..<100 {
                try "old".write(toFile: "\(cache)/old\(number)", atomically: false, encoding: .utf8)
                let date = Date(timeIntervalSince1970: 1_000_000 + Double(number))
                try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: "\(cache)/old\(number)")
            }
            _ = try box.look("say:fine") { $0["linux.seccomp"] = ["defaultAction": "SCMP_ACT_ALLOW"] }
            let left = try FileManager.default.contentsOfDirectory(atPath: cache)
            #expect(left.count <= 64 && left.contains { !$0.hasPrefix("old") }, "\(left)")
            #expect(left.contains("old99") && !left.contains("old0"), "the oldest go: \(left)")
        }
    }
}
