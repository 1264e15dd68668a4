import Foundation
import Testing

extension AllTests {
    /// What runc and crun both accept is accepted: with a warning where the specification is stretched, which
    /// `--strict` makes an error. docs/differences.md, "The rule".
    @Suite struct Contract {
        private func expectWarning(
            _ words: String, _ verbs: String..., edit: (inout Config) throws -> Void,
            see: (Facts) -> Bool = { _ in true }
        ) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["/probe"] + verbs, edit: edit)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && see(outcome.facts), "\(outcome)")
            #expect(outcome.complaints.count == 1 && outcome.stderr.contains(words), "\(outcome)")
            let strict = try box.refused(try box.run(bundle, flags: ["--strict"]))
            #expect(strict.contains(words), "\(strict)")
        }

        @Test(.needsRoot) func aUserWithoutGroupHasTheFirst() throws {
            try expectWarning("\"gid\" is missing; 0 is taken", "ids") {
                $0["process.user"] = ["uid": 7]
            } see: {
                $0["uid"]?.hasPrefix("7") == true && $0["gid"]?.hasPrefix("0") == true
            }
        }

        @Test func anIOPriorityWithoutLevelHasTheFirst() throws {
            try expectWarning("\"priority\" is missing; 0 is taken", "ioprio") {
                $0["process.ioPriority"] = ["class": "IOPRIO_CLASS_BE"]
            } see: {
                $0["ioprio"] == "BE:0"
            }
        }

        @Test func anEmptyPathOfANamespaceIsNone() throws {
            try expectWarning("is empty, as if it were absent", "process") {
                $0.namespace("pid", path: "")
            } see: {
                $0["pid"] == "1"
            }
        }

        @Test func aKeyInAnotherCaseIsReadAsRuncReadsIt() throws {
            try expectWarning("the key \"Hostname\" is read as \"hostname\"", "uts") {
                $0["hostname"] = nil
                $0["Hostname"] = "contract"
            } see: {
                $0["hostname"] == "contract"
            }
        }

        // MARK: Without a mount namespace

        private func hostsMounts(_ config: inout Config) {
            config.dropNamespace("mount")
            config["linux.maskedPaths"] = nil
            config["linux.readonlyPaths"] = nil
        }

        @Test(.needsRoot) func aReadOnlyRootNeedsAMountNamespace() throws {
            try expectWarning("root.readonly: has no effect without a mount namespace", "create:/x") {
                hostsMounts(&$0)
                $0["mounts"] = nil
                $0["root.readonly"] = true
            } see: {
                $0["create./x"] == "ok"
            }
        }

        /// In a mount namespace of the test's own, which stands for the host's.
        @Test(.needsRoot, arguments: [true, false])
        func mountsOnTheHostGoWithTheContainer(succeeds: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: succeeds ? ["/probe", "list:/dev", "mount:/proc"] : ["/missing"]) {
                hostsMounts(&$0)
                // What lies there before stays.
                $0.addMount("/mnt", type: "tmpfs", source: "inner")
            }
            let script = """
                mkdir -p '\(bundle.rootfs)/mnt' && mount -t tmpfs outer '\(bundle.rootfs)/mnt' || exit 99
                cat /proc/self/mountinfo > '\(box.path("before"))'
                "$0" "$@"; status=$?
                cat /proc/self/mountinfo > '\(box.path("after"))'
                umount '\(bundle.rootfs)/mnt'
                exit $status
                """
            let outcome = try box.run(
                bundle,
                with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script]))
            #expect(outcome.status == (succeeds ? 0 : 127), "\(outcome)")
            #expect(
                outcome.stderr.contains("mounts: are made on the host until the container is deleted"), "\(outcome)")
            if succeeds {
                #expect(outcome.facts["list./dev"]?.contains("null") == true, "\(outcome)")
                #expect(outcome.facts["mount./proc.type"] == "proc", "\(outcome)")
            }
            let lines = Leftovers.lines(box.path("before"))
            #expect(lines.contains { $0.contains(" outer ") } && lines == Leftovers.lines(box.path("after")))
        }

        /// By the container that made it, which leaves another folder in its place. The root is named by a link.
        @Test(.needsRoot) func aMountThatWasMovedGoesWithTheContainer() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: ["sh", "-c", "mv /vol /elsewhere && mkdir -p /vol/data"]) {
                hostsMounts(&$0)
                $0["root.path"] = "current"
                $0["mounts"] = nil
                $0.addMount("/vol/data", type: "tmpfs", source: "moved")
            }
            try box.folder("bundle/rootfs/vol/data")
            symlink("rootfs", bundle.directory + "/current")
            let script = """
                "$0" "$@"; status=$?
                cat /proc/self/mountinfo > '\(box.path("after"))'
                exit $status
                """
            let outcome = try box.run(
                bundle,
                with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script]))
            #expect(outcome.status == 0, "\(outcome)")
            #expect(FileManager.default.fileExists(atPath: bundle.rootfs + "/elsewhere/data"))
            let lines = Leftovers.lines(box.path("after"))
            #expect(!lines.isEmpty && !lines.contains { $0.contains(" moved ") }, "\(lines)")
        }

        @Test(.needsRoot) func hooksRunWithoutAMountNamespace() throws {
            let box = try Sandbox.current
            let log = try box.folder("log", mode: 0o777)
            let kinds = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]
            let probe = try Programs.probe.get()
            let bundle = try box.bundle("say:it ran") {
                hostsMounts(&$0)
                $0["mounts"] = nil
                for kind in kinds {
                    let isInside = kind == "startContainer"
                    $0["hooks.\(kind).+"] =
                        [
                            "path": isInside ? "/probe" : probe,
                            "args": ["hook", "save:\(isInside ? "" : log)/order", "say:\(kind)"],
                        ] as [String: Any]
                }
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout == "it ran\n" && outcome.stderr == "", "\(outcome)")
            let order = Leftovers.lines(log + "/order")
            #expect(order == kinds.filter { $0 != "startContainer" }, "\(order)")
            #expect(Leftovers.lines(bundle.rootfs + "/order") == ["startContainer"])
        }

        @Test(.needsRoot) func anotherMountOfTheHostIsNotChanged() throws {
            let line = try Sandbox.current.refuse {
                hostsMounts(&$0)
                $0["mounts"] = nil
                $0.addMount("/", options: ["remount", "bind", "ro"])
            }
            #expect(line.contains("mounts[0]: needs a mount namespace"), "\(line)")
        }
    }
}
