import Foundation
import Glibc
import Testing

extension AllTests {
    /// A service is started anew when it ends, as its policy says
    @Suite struct ServicesRestart {
        private static let fast = ["restart-delay": "10ms..20ms"]

        private func settings(_ settings: [String: String]) -> [String: String] {
            Self.fast.merging(settings) { $1 }
        }

        @Test(
            arguments: [
                ("on-failure:2", 3, 3), ("no", 3, 1), ("on-failure", 0, 1), ("on-failure:2", 0, 1),
            ] as [(String, Int, Int)])
        func policiesCountRuns(policy: String, code: Int, runs: Int) throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.service(settings(["restart": policy]), "echo run; echo problem >&2; exit \(code)"))
            #expect(outcome.status == code, "\(outcome)")
            #expect(outcome.stdout == String(repeating: "run\n", count: runs), "\(outcome)")
            #expect(outcome.stderr.components(separatedBy: "problem").count - 1 == runs, "\(outcome)")
            box.expectNothingLeft()
        }

        @Test func alwaysRestartsAfterSuccess() throws {
            let box = try Sandbox.current
            try box.detached(try box.service(settings(["restart": "always"]), "echo run >> /shared/runs"))
            #expect(eventually(20) { box.sharedLines("runs") >= 4 })
            try box.away()
        }

        @Test func aFlagCountsInsteadOfTheAnnotation() throws {
            let box = try Sandbox.current
            let bundle = try box.service(settings(["restart": "always"]), "echo run; exit 4")
            let outcome = try box.run(bundle, flags: ["--restart", "no"])
            #expect(outcome.status == 4 && outcome.stdout == "run\n", "\(outcome)")
        }

        @Test func flagsAloneMakeAService() throws {
            let box = try Sandbox.current
            let bundle = try box.service([:], "echo run; exit 4")
            let outcome = try box.run(bundle, flags: ["--restart=on-failure:1", "--restart-delay", "1ms"])
            #expect(outcome.status == 4 && outcome.stdout == "run\nrun\n", "\(outcome)")
            #expect(outcome.stderr.contains("it is started again in"), "\(outcome)")
        }

        @Test func someCodesAreForGood() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                settings(["restart": "always", "no-restart-codes": "2,64-78"]),
                "echo run; [ -e /shared/second ] && exit 70; : > /shared/second; exit 63"
            )
            let outcome = try box.run(bundle)
            #expect(outcome.status == 70 && outcome.stdout == "run\nrun\n", "\(outcome)")
        }

        @Test func tooManyStartsAreGivenUp() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "always", "restart-delay": "0s..0s", "start-limit": "3/1m"], "echo run; exit 5")
            let outcome = try box.run(bundle)
            #expect(outcome.status == 5 && outcome.stdout == "run\nrun\nrun\n", "\(outcome)")
            #expect(outcome.stderr.contains("is given up: it was started 3 times within 60 s"), "\(outcome)")
        }

        @Test func eachStartIsAFreshContainerWithItsHooks() throws {
            let box = try Sandbox.current
            let log = box.path("hooks")
            let hook = { (word: String) -> [[String: Any]] in
                [["path": "/bin/sh", "args": ["sh", "-c", "echo \(word) >> \(log)"]]]
            }
            let bundle = try box.service(
                settings(["restart": "on-failure:2"]), "[ -e /tmp/seen ] && echo stale; : > /tmp/seen; exit 1"
            ) {
                $0["hooks.createRuntime"] = hook("create")
                $0["hooks.poststart"] = hook("start")
                $0["hooks.poststop"] = hook("stop")
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 1 && outcome.stdout == "", "\(outcome)")
            let said = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
            #expect(said.count { $0 == "create" } == 3 && said.count { $0 == "stop" } == 3, "\(said)")
            #expect(said.last == "stop")
        }

        @Test func theBundleIsReadAnew() throws {
            let box = try Sandbox.current
            let bundle = try box.service(settings(["restart": "always"]), "echo one >> /shared/runs; sleep 0.1")
            try box.detached(bundle)
            #expect(eventually(20) { box.sharedLines("runs") >= 1 })
            var text = try String(contentsOfFile: bundle.configPath, encoding: .utf8)
            text = text.replacingOccurrences(of: "echo one", with: "echo two")
            try text.write(toFile: bundle.configPath, atomically: true, encoding: .utf8)
            #expect(eventually(20) { box.sharedText("runs").contains("two") })
            try box.away()
        }

        @Test func stateAndListTellWhatComesNext() throws {
            let box = try Sandbox.current
            try box.detached(
                try box.service(["restart": "always", "restart-delay": "1h..1h"], "sleep 0.2; exit 6"))
            #expect(box.serviceBecomes("waiting"))
            let state = try box.state()
            #expect(state["status"] as? String == "stopped" && state["pid"] as? Int == 0)
            let service = box.serviceState()
            #expect(service["restarts"] as? Int == 0 && service["ready"] as? Bool == false)
            #expect((service["lastExit"] as? [String: Any])?["code"] as? Int == 6)
            #expect((service["nextStart"] as? String)?.hasSuffix("Z") == true)
            #expect(try box.ok("list").stdout.contains("waiting"))
            #expect(try box.ok("list", "--quiet").stdout == "\(box.id)\n")
            let list = try JSONSerialization.jsonObject(with: Data(try box.ok("list", "--format", "json").stdout.utf8))
            #expect(((list as? [[String: Any]])?.first?["service"] as? [String: Any])?["phase"] as? String == "waiting")
            try box.ok("restart", box.id)
            #expect(eventually(10) { box.restarts == 1 })
            try box.away()
        }

        // MARK: Starts that fail

        @Test(arguments: [false, true])
        func theFirstStartsFailureIsThatOfRun(isDetached: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/missing"]) {
                $0["annotations"] = ["org.runbox.service.restart": "always"]
            }
            let outcome = try box.run(bundle, flags: isDetached ? ["--detach"] : [])
            #expect(outcome.status == 127, "\(outcome)")
            #expect(outcome.complaints.count == 1 && outcome.stderr.contains("/missing"), "\(outcome)")
            box.expectNothingLeft()
        }

        @Test func aMistakeInTheSettingsStartsNothing() throws {
            let box = try Sandbox.current
            let outcome = try box.run(try box.service(["restart": "sometimes"], "echo it ran"))
            #expect(try box.refused(outcome).contains("invalid value \"sometimes\""))
            let flag = try box.run(try box.service([:], "echo it ran"), flags: ["--restart-delay", "soon"])
            #expect(try box.refused(flag).contains("--restart-delay"))
            let terminal = try box.run(
                try box.service(["restart": "no"], "echo it ran") { $0["process.terminal"] = true })
            #expect(try box.refused(terminal).contains("a service has no terminal"))
        }

        @Test func aLaterStartThatFailsIsTriedAgain() throws {
            let box = try Sandbox.current
            let bundle = try box.service(
                ["restart": "on-failure", "restart-delay": "10ms..50ms"],
                "echo run >> /shared/runs; until [ -e /shared/go ]; do sleep 0.02; done; exit 1")
            try box.detached(bundle)
            let config = try String(contentsOfFile: bundle.configPath, encoding: .utf8)
            try bundle.write(text: "{")
            try box.file("shared/go")
            #expect(eventually(10) { box.serviceState()["lastFailure"] != nil }, "\(box.serviceState())")
            unlink(box.shared + "/go")
            try bundle.write(text: config)
            #expect(eventually(10) { box.sharedLines("runs") == 2 && box.serviceStatus == "running" })
            #expect(box.serviceState()["lastFailure"] == nil)
            try box.away()
        }

        /// What was asked for is what is done: the payload is started as often as it ends.
        @Test func withoutADelayItIsStartedAtOnce() throws {
            let box = try Sandbox.current
            try box.detached(
                try box.service(["restart": "always", "restart-delay": "0s..0s"], "echo run >> /shared/runs"))
            #expect(eventually(30) { box.sharedLines("runs") >= 20 })
            try box.away()
        }
    }
}
