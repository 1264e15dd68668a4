import Foundation
import Testing

extension AllTests {
    /// Bind sources that lead into the container's own root file system, where earlier mounts of it may show.
    @Suite(.needsRoot) struct LateSources {
        enum Way: String, CaseIterable {
            /// Only there once the mount is.
            case absent
            /// Something else lies there before.
            case covered
            case relative
            /// By a link on the host.
            case link, coveredLink
            /// By a link of the image.
            case imageLink
            case file
        }

        /// The path of the source, with what it takes.
        private func prepare(_ way: Way, _ box: Sandbox, _ bundle: Bundle) throws -> String {
            let root = bundle.rootfs
            try FileManager.default.createDirectory(atPath: root + "/data", withIntermediateDirectories: true)
            if way == .covered || way == .coveredLink {
                try FileManager.default.createDirectory(atPath: root + "/data/sub", withIntermediateDirectories: true)
            }
            symlink("bundle/rootfs", box.path("toroot"))
            symlink("/data/sub", root + "/inside")
            switch way {
            case .absent, .covered: return root + "/data/sub"
            case .relative: return "rootfs/./data/sub"
            case .link, .coveredLink: return box.path("toroot/data/sub")
            case .imageLink: return root + "/inside"
            case .file: return root + "/data/sub/file"
            }
        }

        private func run(
            _ way: Way, user: Bool = false, options: [String] = ["rbind", "ro"],
            edit: (inout [String: Any]) -> Void = { _ in }
        ) throws -> Outcome {
            let box = try Sandbox.current
            let data = try box.folder("data")
            try box.file("data/sub/file", "content")
            let out = way == .file ? "/out/file" : "/out"
            let bundle = try box.bundle("hang")
            var config = Config(args: ["/probe", "read:/out/file", "mount:\(out)", "stat:/out/file"])
            if user { config.userNamespace() }
            config.addMount("/data", type: "none", source: data, options: ["rbind"])
            var mount: [String: Any] = [
                "destination": out, "type": "none", "source": try prepare(way, box, bundle), "options": options,
            ]
            edit(&mount)
            config["mounts.+"] = mount
            try bundle.write(config)
            if user { try bundle.chown(to: 100_000) }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(way): \(outcome)")
            return outcome
        }

        @Test(arguments: Way.allCases, [false, true])
        func anEarlierMountShowsAtTheSource(way: Way, inUserNamespace: Bool) throws {
            let seen = try run(way, user: inUserNamespace)
            #expect(seen["read./out/file"] == "content", "\(way): \(seen)")
            let options = seen.facts.words("mount.\(way == .file ? "/out/file" : "/out").options", separator: ",")
            #expect(options.contains("ro"), "\(way): \(seen)")
        }

        @Test(.needsKernel(5, 12, "idmapped mounts"), arguments: [false, true])
        func suchASourceCanBeIdmapped(inUserNamespace: Bool) throws {
            let seen = try run(.absent, user: inUserNamespace, options: ["rbind", "idmap"]) {
                let host = inUserNamespace ? 105_000 : 5_000
                let mapping = [["containerID": 0, "hostID": host, "size": 100]]
                $0["uidMappings"] = mapping
                $0["gidMappings"] = mapping
            }
            #expect(seen["stat./out/file"]?.contains("5000:5000") == true, "\(seen)")
        }

        @Test(.needsKernel(5, 12, "idmapped mounts")) func suchASourceTakesTheContainersMapping() throws {
            let seen = try run(.absent, user: true, options: ["rbind", "idmap"])
            #expect(seen["stat./out/file"]?.contains("0:0") == true, "\(seen)")
        }

        @Test func mountsInEachOtherAreTakenInTheirOrder() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("mount:/c", "create:/c/x") {
                $0.addMount("/a", type: "tmpfs", source: "tmpfs")
                $0.addMount("/b", type: "none", source: "rootfs/a", options: ["bind"])
                $0.addMount("/c", type: "none", source: "rootfs/b", options: ["bind", "noexec"])
            }
            let seen = try box.run(bundle)
            #expect(seen["mount./c.type"] == "tmpfs" && seen["create./c/x"] == "ok", "\(seen)")
            #expect(!FileManager.default.fileExists(atPath: bundle.rootfs + "/a/x"), "in the tmpfs, not on the disk")
        }

        /// What is nowhere is an error as before, and not before its turn.
        @Test func aSourceThatNoMountShowsIsMissing() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0.addMount("/data", type: "tmpfs", source: "tmpfs")
                $0.addMount("/out", type: "none", source: "rootfs/data/nothing", options: ["rbind"])
            }
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("at /out: source") && line.contains("rootfs/data/nothing: not found"), "\(line)")
        }

        /// A link that the image brings is followed as the container would follow it.
        @Test(arguments: ["ABSOLUTE", "RELATIVE", "PARENT"], [false, true])
        func aLinkOfTheImageDoesNotReachTheHost(kind: String, isPreceded: Bool) throws {
            let box = try Sandbox.current
            let victim = try box.folder("victim")
            try box.file("victim/secret", "the secret")
            let bundle = try box.bundle("read:/out/secret", "read:/out/victim/secret", "list:/out") {
                if isPreceded { $0.addMount("/data", type: "tmpfs", source: "tmpfs") }
                let source = kind == "PARENT" ? "rootfs/link/victim" : "rootfs/link"
                $0.addMount("/out", type: "none", source: source, options: ["rbind"])
            }
            let target =
                kind == "PARENT"
                ? box.directory : kind == "RELATIVE" ? "../../../../../../../../.." + victim : victim
            symlink(target, bundle.rootfs + "/link")
            let outcome = try box.run(bundle)
            #expect(!"\(outcome.stdout)".contains("the secret"), "\(outcome)")
            #expect(outcome.status == 1, "\(outcome)")
        }

        /// Also where the root of the container may not look: the host's root would have followed the link on the host.
        @Test func aLinkBehindAClosedFolderDoesNotReachTheHost() throws {
            let box = try Sandbox.current
            let secret = try box.folder("secret")
            try box.file("secret/file", "of the host")
            let bundle = try box.bundle("hang")
            var config = Config(args: ["/probe", "read:/out/file"])
            config.userNamespace()
            config.addMount("/out", type: "none", source: bundle.rootfs + "/link", options: ["rbind"])
            try bundle.write(config)
            try bundle.chown(to: 100_000)
            symlink(secret, bundle.rootfs + "/link")
            // The first folder of the same path in the image is nobody's of the container's.
            let top = bundle.rootfs + "/" + secret.split(separator: "/")[0]
            try FileManager.default.createDirectory(
                atPath: bundle.rootfs + secret, withIntermediateDirectories: true)
            chown(top, 0, 0)
            chmod(top, 0o700)
            let outcome = try box.run(bundle)
            #expect(outcome["read./out/file"] == "ENOENT", "\(outcome)")
        }

        @Test func aSourceBesideTheRootIsNotInIt() throws {
            let box = try Sandbox.current
            try box.file("bundle/rootfs2/file", "beside")
            try box.file("bundle/data/file", "above")
            let seen = try box.look("read:/a/file", "read:/b/file") {
                $0.addMount("/a", type: "none", source: "rootfs2", options: ["rbind"])
                $0.addMount("/b", type: "none", source: "rootfs/../data", options: ["rbind"])
            }
            #expect(seen["read./a/file"] == "beside" && seen["read./b/file"] == "above", "\(seen)")
        }

        /// In a user namespace its root need not reach it.
        @Test func aSourceOfTheHostsRootIsStillMounted() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("read:/out/file") {
                $0.userNamespace()
                $0.addMount("/out", type: "none", source: "rootfs/private/data", options: ["rbind"])
            }
            try bundle.chown(to: 100_000)
            try box.folder("bundle/rootfs/private", mode: 0o700)
            try box.folder("bundle/rootfs/private/data")
            try box.file("bundle/rootfs/private/data/file", "content")
            let seen = try box.run(bundle)
            #expect(seen["read./out/file"] == "content", "\(seen)")
        }

        @Test func aLinkCanBeMadeAgain() throws {
            let box = try Sandbox.current
            let data = try box.folder("data")
            symlink("/probe", data + "/link")
            let seen = try box.look("link:/out") {
                $0.addMount("/data", type: "none", source: data, options: ["rbind"])
                $0.addMount("/out", type: "none", source: "rootfs/data/link", options: ["bind", "copy-symlink"])
            }
            #expect(seen["link./out"] == "/probe", "\(seen)")
        }

        @Test func checkKnowsOfThem() throws {
            let box = try Sandbox.current
            let data = try box.folder("data")
            try box.folder("data/sub")
            let bundle = try box.bundle("say:hello") {
                $0.addMount("/data", type: "none", source: data, options: ["rbind"])
                $0.addMount("/t/deep", type: "tmpfs", source: "tmpfs")
                $0.addMount("/a", type: "none", source: "rootfs/data/sub", options: ["rbind"])
                $0.addMount("/b", type: "none", source: "rootfs/t", options: ["rbind"])
                $0.addMount("/c", type: "none", source: "rootfs/t/deep", options: ["rbind"])
                $0.addMount("/d", type: "none", source: "rootfs/data/nothing", options: ["rbind"])
            }
            let outcome = try box.runtime("check", bundle.directory)
            #expect(outcome.stdout.contains("1 error, 0 warnings"), "\(outcome)")
            #expect(outcome.stdout.contains("rootfs/data/nothing: not found"), "\(outcome)")
        }
    }
}
