import Foundation
import Testing

extension AllTests {
    /// root and linux.rootfsPropagation
    @Suite struct Rootfs {
        @Test func aReadOnlyRootCannotBeWritten() throws {
            let seen = try Sandbox.current.look("create:/x", "mkdir:/tmp/y", "mount:/", "create:/dev/shm/ok") {
                $0["root.readonly"] = true
            }
            #expect(seen["create./x"] == "EROFS" && seen["mkdir./tmp/y"] == "EROFS", "\(seen)")
            #expect(seen.words("mount./.options", separator: ",").contains("ro"))
            #expect(seen["create./dev/shm/ok"] == "ok", "only the root is read-only")
        }

        @Test func theRootIsWritableByDefault() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("create:/x:data", "mount:/")
            let outcome = try box.run(bundle)
            #expect(
                outcome["create./x"] == "ok" && outcome.facts.words("mount./.options", separator: ",").contains("rw"),
                "\(outcome)")
            #expect(try String(contentsOfFile: bundle.rootfs + "/x", encoding: .utf8) == "data")
        }

        @Test func mountPointsAreMadeInAReadOnlyRoot() throws {
            let seen = try Sandbox.current.look("mount:/new/place", "create:/new/place/x") {
                $0["root.readonly"] = true
                $0.addMount("/new/place", type: "tmpfs", source: "tmpfs")
            }
            #expect(seen["mount./new/place.type"] == "tmpfs" && seen["create./new/place/x"] == "ok", "\(seen)")
        }

        @Test func theRootMayBeAnAbsolutePath() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:hello") { $0["root.path"] = box.path("bundle/rootfs") }
            #expect(try box.run(bundle).stdout == "hello\n")
        }

        @Test(arguments: [[String](), ["--no-pivot"]])
        func nothingOfTheHostIsSeen(flags: [String]) throws {
            let seen = try Sandbox.current.look("list:/", "list:/..", "mounts", flags: flags)
            #expect(seen.words("list./") == ["bin", "dev", "etc", "home", "probe", "proc", "sys", "tmp"], "\(seen)")
            #expect(seen["list./.."] == seen["list./"])
            guard flags.isEmpty else { return }
            let points = seen.keys(below: "mountinfo.").compactMap { seen["mountinfo." + $0]?.split(separator: " ")[4] }
            for point in points {
                #expect(
                    ["/", "/proc", "/dev", "/sys"].contains { point == $0 || point.hasPrefix($0 + "/") },
                    "a foreign mount at \(point)")
            }
        }

        // MARK: What is not there

        @Test func aMissingRootIsAnError() throws {
            let box = try Sandbox.current
            let line = try box.refuse { $0["root.path"] = "nothing" }
            #expect(line.contains("root.path") && line.contains(box.path("bundle/nothing")), "\(line)")
        }

        @Test func aFileAsTheRootIsAnError() throws {
            let box = try Sandbox.current
            let file = try box.file("file")
            let line = try box.refuse { $0["root.path"] = file }
            #expect(line.contains(file) && line.contains("directory"), "\(line)")
        }

        @Test func anEmptyRootPathIsRefused() throws {
            let line = try Sandbox.current.refuse { $0["root.path"] = "" }
            #expect(line.contains("root.path"), "\(line)")
        }

        /// A link that the bundle's owner made.
        @Test func aRootBehindASymbolicLinkIsTaken() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("list:/", "say:it ran") { $0["root.path"] = "link" }
            try FileManager.default.createSymbolicLink(
                atPath: bundle.directory + "/link", withDestinationPath: "rootfs")
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout.contains("it ran"), "\(outcome)")
            #expect(outcome.stdout.contains("list./=bin dev etc home probe proc"), "\(outcome)")
        }

        // MARK: Propagation

        @Test(arguments: [
            ("shared", "shared"), ("rshared", "shared"), ("private", "private"), ("rprivate", "private"),
            ("unbindable", "unbindable"), ("runbindable", "unbindable"), ("slave", "private"), ("rslave", "private"),
        ])
        func theRootHasTheConfiguredPropagation(word: String, expected: String) throws {
            let seen = try Sandbox.current.look("mount:/") { $0["linux.rootfsPropagation"] = word }
            #expect(seen["mount./.propagation"] == expected, "\(seen)")
        }

        /// A host whose mounts are shared, as systemd makes them, in a namespace of its own.
        private static let sharedHost = Surroundings(prefix: ["unshare", "-m", "--propagation", "shared"])

        /// What mountinfo shows of the root, in each of the words.
        @Test(
            arguments: [
                ("slave", "master"), ("rslave", "master"), ("shared", "shared"), ("rshared", "shared"),
                ("private", "private"), ("rprivate", "private"), ("unbindable", "unbindable"),
                ("runbindable", "unbindable"), (nil, "master"),
            ] as [(String?, String)], [false, true])
        func theRootHasItsPropagationOnASharedHost(propagation: (word: String?, seen: String), inUser: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("mount:/") {
                $0["linux.rootfsPropagation"] = propagation.word
                if inUser { $0.userNamespace() }
            }
            if inUser { try bundle.chown(to: 100_000) }
            let seen = try box.run(bundle, with: Self.sharedHost)
            // The copies for another user namespace are slaves of the host's, whatever they become besides.
            let words = Set(seen.facts.words("mount./.propagation")).subtracting(inUser ? ["master"] : [])
            let expected: Set = inUser && propagation.seen == "master" ? [] : [propagation.seen]
            #expect(seen.status == 0 && words == expected, "\(seen)")
            if propagation.seen == "master" {
                #expect(seen["mount./.propagation"]?.contains("master") == true, "\(seen)")
            }
        }

        /// The bundle's own mount may be the shared one.
        @Test func theRootCanBeASlaveOfASharedBundle() throws {
            let box = try Sandbox.current
            let script =
                "mount --bind \(box.directory) \(box.directory) && mount --make-shared \(box.directory) && cd / && exec \"$0\" \"$@\""
            let seen = try box.look(
                "mount:/",
                with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script])
            ) { $0["linux.rootfsPropagation"] = "slave" }
            #expect(seen["mount./.propagation"] == "master", "\(seen)")
        }

        @Test func aMountOnTheHostShowsInASlaveRoot() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("until:/tmp/file", "read:/tmp/file") { $0["linux.rootfsPropagation"] = "slave" }
            let script = """
                "$0" --root "$1" create --bundle "$2" "$3" || exit 1
                "$0" --root "$1" start "$3" || exit 2
                mount -t tmpfs x "$2/rootfs/tmp" && echo seen > "$2/rootfs/tmp/file"
                until "$0" --root "$1" state "$3" | grep -q '"stopped"'; do sleep 0.05; done
                "$0" --root "$1" delete --force "$3" || exit 3
                """
            let outcome = try box.aside(
                [
                    "unshare", "-m", "--propagation", "shared", "sh", "-c", script, Programs.runtime, box.root,
                    bundle.directory, box.id,
                ]
            ).wait()
            #expect(outcome.status == 0 && outcome.facts["read./tmp/file"]?.hasPrefix("seen") == true, "\(outcome)")
        }

        @Test func theRootCanBePrivateOnASharedHost() throws {
            let seen = try Sandbox.current.look("mount:/", with: Self.sharedHost) {
                $0["linux.rootfsPropagation"] = "rprivate"
            }
            #expect(seen["mount./.propagation"] == "private", "\(seen)")
        }

        @Test(arguments: ["", "rshared", "rslave", "rprivate"])
        func noMountReachesASharedHost(word: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { if !word.isEmpty { $0["linux.rootfsPropagation"] = word } }
            let script = """
                "$0" --root "$1" create --bundle "$2" "$3" || exit 1
                "$0" --root "$1" start "$3" || exit 2
                grep "$2" /proc/self/mountinfo
                "$0" --root "$1" delete --force "$3" || exit 3
                """
            let outcome = try box.aside(
                [
                    "unshare", "-m", "--propagation", "shared", "sh", "-c", script, Programs.runtime, box.root,
                    bundle.directory, box.id,
                ]
            ).wait()
            #expect(outcome.status == 0, "\(outcome)")
            #expect(
                outcome.facts.text.replacingOccurrences(of: "ready\n", with: "") == "",
                "mounts on the host: \(outcome.stdout)")
        }

        // MARK: --no-pivot

        @Test func withoutPivotTheRootIsTheSame() throws {
            let seen = try Sandbox.current.look("create:/x", "mount:/proc", "cwd", "ns", flags: ["--no-pivot"])
            #expect(seen["create./x"] == "ok" && seen["mount./proc.type"] == "proc" && seen["cwd"] == "/", "\(seen)")
        }

        @Test func withoutPivotAReadOnlyRootCannotBeWritten() throws {
            let seen = try Sandbox.current.look("create:/x", flags: ["--no-pivot"]) { $0["root.readonly"] = true }
            #expect(seen["create./x"] == "EROFS", "\(seen)")
        }
    }
}
