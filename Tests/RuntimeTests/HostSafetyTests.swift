import Foundation
import Glibc
import Testing

extension AllTests {
    /// What a container must not change, show or keep of the host.
    @Suite struct HostSafety {
        private static func paths(in file: String) -> [String] {
            Leftovers.lines(file).compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }.sorted()
        }

        private func names(in folder: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        }

        private func owner(of path: String) -> UInt32? {
            var status = stat()
            return stat(path, &status) == 0 ? status.st_uid : nil
        }

        // MARK: Mount propagation

        /// Makes a container in a mount namespace whose mounts are all shared, and compares what is mounted there
        /// before, meanwhile and after.
        private func expectMountsStay(_ propagation: String, flags: [String], ownMount: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("hang") { $0["linux.rootfsPropagation"] = propagation }
            let script =
                """
                mount --make-rprivate / && mount --bind '\(box.directory)' '\(box.directory)' && mount --make-rshared / || exit 99
                \(ownMount ? "" : "umount '\(box.directory)' || exit 99")
                cat /proc/self/mountinfo > '\(box.path("before"))'
                "$0" "$@" || exit 98
                cat /proc/self/mountinfo > '\(box.path("meanwhile"))'
                "$0" --root '\(box.root)' start \(box.id) || exit 97
                "$0" --root '\(box.root)' delete --force \(box.id) || exit 96
                cat /proc/self/mountinfo > '\(box.path("after"))'
                """
            let surroundings = Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script])
            // As engines do; without a pid file, the init's pidfd is mounted in the state folder, on purpose.
            let outcome = try box.plain(
                ["--root", box.root, "create", "--bundle", bundle.directory, "--pid-file", box.path("pid")] + flags
                    + [box.id], surroundings)
            #expect(outcome.status == 0, "\(outcome)")
            let before = Self.paths(in: box.path("before"))
            #expect(before.count > 3, "\(before)")
            for moment in ["meanwhile", "after"] {
                let now = Self.paths(in: box.path(moment))
                #expect(now == before, "\(moment): \(now.difference(from: before))")
            }
        }

        @Test(arguments: ["slave", "rslave", "private", "rprivate", "unbindable", "runbindable", "shared", "rshared"])
        func theHostsMountsStay(propagation: String) throws {
            try expectMountsStay(propagation, flags: [], ownMount: true)
        }

        /// Whether the root lies on the mount that proc and sysfs are mounted on, or on another one.
        @Test(arguments: ["shared", "rshared", "slave", "rslave"], [false, true])
        func theHostsMountsStayWithoutPivot(propagation: String, ownMount: Bool) throws {
            try expectMountsStay(propagation, flags: ["--no-pivot"], ownMount: ownMount)
        }

        // MARK: The host's view

        /// A new user namespace may not mount them for a namespace that it does not own; the host's are no substitute.
        @Test(arguments: [("pid", "pid_for_children", "/proc"), ("network", "net", "/sys")])
        func theHostsFileSystemIsNotShownInstead(word: String, name: String, destination: String) throws {
            let box = try Sandbox.current
            let words = word == "pid" ? ["--pid", "--fork", "--kill-child"] : ["--net"]
            let holder = try box.aside(["unshare"] + words + ["sh", "-c", "echo ready; exec sleep 1000"])
            try #require(holder.says("ready"), "\(holder.wait(seconds: 0))")
            let bundle = try box.bundle("say:it ran", "list:\(destination)") {
                $0.userNamespace()
                $0.namespace(word, path: "/proc/\(holder.pid)/ns/\(name)")
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 1 && !outcome.stdout.contains("it ran"), "\(outcome)")
            #expect(outcome.complaints.count == 1 && outcome.stderr.contains(destination), "\(outcome)")
        }

        // MARK: Descriptors of the waiting init

        static let forms = ["plain", "user", "joined", "terminal", "binds", "seccomp", "hooks", "cgroup"]

        private static func isSocket(_ path: String) -> Bool {
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
        }

        @Test(arguments: forms)
        func theWaitingInitHoldsNothingOfTheHost(form: String) throws {
            let box = try Sandbox.current
            let given = open(try box.file("given", "text"), O_RDONLY | O_CLOEXEC)
            defer { close(given) }
            let socket = try ConsoleSocket(path: box.path("console"))
            var flags = ["--preserve-fds", "1"]
            if form == "terminal" { flags += ["--console-socket", socket.path] }
            let bundle = try box.bundle("hang") {
                switch form {
                case "user": $0.userNamespace()
                case "joined":
                    let holder = try box.aside([
                        "unshare", "--net", "--ipc", "--pid", "--fork", "--kill-child", "sh", "-c",
                        "echo ready; exec sleep 1000",
                    ])
                    try #require(holder.says("ready"))
                    for (word, name) in [("network", "net"), ("ipc", "ipc"), ("pid", "pid_for_children")] {
                        $0.namespace(word, path: "/proc/\(holder.pid)/ns/\(name)")
                    }
                case "terminal": $0["process.terminal"] = true
                case "binds":
                    $0.addMount("/one", type: "none", source: try box.folder("one"), options: ["bind"])
                    $0.addMount("/two", type: "none", source: try box.folder("two"), options: ["rbind", "rro"])
                    $0["linux.sysctl"] = ["kernel.msgmax": "4096"]
                case "seccomp": try $0.set("linux.seccomp", json: #"{"defaultAction": "SCMP_ACT_ALLOW"}"#)
                case "hooks":
                    for kind in ["createRuntime", "createContainer", "startContainer"] {
                        $0["hooks.\(kind)"] = [
                            [
                                "path": kind == "createRuntime" ? "/bin/true" : "/bin/busybox",
                                "args": ["true"],
                            ] as [String: Any]
                        ]
                    }
                case "cgroup":
                    $0.namespace("cgroup")
                    $0.addMount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro"])
                default: break
                }
            }
            if form == "user" { try bundle.chown(to: 100_000) }
            _ = try box.create(
                bundle, flags: flags, with: Surroundings(descriptors: [nil, nil, nil, given]))
            // Held: a terminal that hangs up ends the init.
            let terminal = form == "terminal" ? try socket.receive().terminal : nil
            defer { withExtendedLifetime(terminal) {} }
            #expect(try box.status() == "created")
            let pid = try #require(try box.state()["pid"] as? Int)
            // It closes its socket after its last word, which `create` does not wait for.
            let folder = "/proc/\(pid)/fd"
            #expect(eventually(10) { !names(in: folder).contains { Self.isSocket("\(folder)/\($0)") } })
            let open = names(in: "/proc/\(pid)/fd").compactMap { Int($0) }.sorted()
            #expect(open.prefix(4) == [0, 1, 2, 3], "\(open)")
            var pipes = 0
            var sockets: [Int] = []
            for number in open.dropFirst(4) {
                let path = "/proc/\(pid)/fd/\(number)"
                let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? "?"
                var status = stat()
                let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
                if kind == S_IFIFO {
                    pipes += 1
                } else if kind == S_IFSOCK {
                    sockets.append(number)
                } else {
                    let isHarmless = ["anon_inode:[signalfd]", "anon_inode:[eventfd]"].contains(target)
                    #expect(isHarmless, "descriptor \(number): \(target)")
                }
            }
            #expect(sockets == [])
            #expect(pipes <= 2, "\(pipes) pipes")
            let root = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/cwd")
            #expect(root == "/", "its working directory: \(root)")
        }

        // MARK: Foreign cgroups

        /// Makes a cgroup of the test's own, and removes it with what is in it.
        private func withCgroups(_ names: [String], _ body: (String) throws -> Void) throws {
            let tree = try #require(CgroupTree.path)
            for name in names { try #require(mkdir(tree + name, 0o755) == 0, "\(name): errno \(errno)") }
            defer {
                for name in names.reversed() {
                    try? "1".write(toFile: tree + name + "/cgroup.kill", atomically: false, encoding: .utf8)
                    _ = eventually(2) { rmdir(tree + name) == 0 || errno == ENOENT }
                }
            }
            try body(tree)
        }

        @Test(.needsCgroupTree, arguments: ["", "/child"], ["create", "run"])
        func aForeignCgroupIsNotTaken(below: String, command: String) throws {
            let box = try Sandbox.current
            let name = "/\(box.id)-foreign"
            try withCgroups(below.isEmpty ? [name] : [name, name + below]) { tree in
                let sleeper = try box.aside(["sleep", "1000"])
                try String(sleeper.pid).write(
                    toFile: tree + name + below + "/cgroup.procs", atomically: false, encoding: .utf8)
                let bundle = try box.bundle("say:it ran") { $0["linux.cgroupsPath"] = name }
                let outcome = try box.runtime(command, "--bundle", bundle.directory, box.id)
                #expect(outcome.status == 1 && !outcome.stdout.contains("it ran"), "\(outcome)")
                #expect(outcome.complaints.count == 1 && outcome.stderr.contains("linux.cgroupsPath"), "\(outcome)")
                _ = try box.runtime("delete", "--force", box.id)
                #expect(!sleeper.hasEnded(), "the process that was there was killed")
                #expect(CgroupTree.read(name + below + "/cgroup.procs") == String(sleeper.pid))
                #expect(names(in: box.root).filter { !$0.hasPrefix(".") } == [])
                sleeper.signal(SIGKILL)
                _ = sleeper.wait()
            }
        }

        @Test(.needsCgroupTree, arguments: ["create", "run"])
        func aFailureKeepsACgroupThatWasThere(command: String) throws {
            let box = try Sandbox.current
            let name = "/\(box.id)-before"
            try withCgroups([name, name + "/child"]) { _ in
                let bundle = try box.bundle(args: ["/absent"]) { $0["linux.cgroupsPath"] = name }
                let outcome = try box.runtime(command, "--bundle", bundle.directory, box.id)
                #expect(outcome.status != 0 && outcome.stderr.contains("/absent"), "\(outcome)")
                #expect(CgroupTree.exists(name) && CgroupTree.exists(name + "/child"))
            }
        }

        // MARK: Devices

        @Test(
            arguments: ["/dev/mine", "/dev/sub/mine", "//dev/mine", "/./dev/mine", "/opt/../dev/mine"],
            ["bind", "rbind"])
        func nothingIsMadeInABoundDev(path: String, word: String) throws {
            let box = try Sandbox.current
            let host = try box.folder("hostdev")
            let bundle = try box.bundle("say:ran") {
                for mount in ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"] { $0.dropMount(mount) }
                $0.addMount("/dev", type: word == "bind" ? "bind" : "none", source: host, options: [word])
                $0["linux.devices"] = [["path": path, "type": "c", "major": 1, "minor": 5] as [String: Any]]
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 || outcome.complaints.count == 1, "\(outcome)")
            #expect(names(in: host) == [], "made on the host: \(names(in: host))")
        }

        @Test func nothingRemainsWithoutAMountNamespace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:ran") {
                $0.dropNamespace("mount")
                $0["mounts"] = nil
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
            }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stdout == "ran\n" || outcome.complaints.count == 1, "\(outcome)")
            #expect(names(in: bundle.rootfs + "/dev") == [], "\(names(in: bundle.rootfs + "/dev"))")
        }

        /// Nothing is mounted, so no power over mounts is needed.
        @Test(arguments: [false, true])
        func aUserNamespaceNeedsNoMountNamespace(hasParameters: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("ids", "list:/") {
                $0.dropNamespace("mount")
                $0.userNamespace()
                $0["mounts"] = nil
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
                if hasParameters { $0["linux.sysctl"] = ["kernel.msgmax": "4096"] }
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(outcome["uid"] == "0" && outcome.stdout.contains("probe"), "\(outcome)")
        }

        @Test func mountsAndDevicesDoNotReachTheHostWithoutAMountNamespace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:ran") {
                $0.dropNamespace("mount")
                $0["linux.devices"] = [["path": "/dev/mine", "type": "c", "major": 1, "minor": 5] as [String: Any]]
            }
            let outcome = try box.run(bundle)
            try box.refused(outcome)
            #expect(!FileManager.default.fileExists(atPath: bundle.rootfs + "/dev/mine"))
            #expect(names(in: bundle.rootfs + "/dev") == [], "\(names(in: bundle.rootfs + "/dev"))")
            #expect(names(in: bundle.rootfs + "/proc") == [])
        }

        // MARK: Links

        @Test(arguments: [
            (["x\u{600}": "HOST", "data": "x\u{600}/made"], "/data"),
            (["x\u{600}": "HOST", "data": "x\u{600}/../made"], "/data"),
            (["x\u{600}": "HOST/deep", "data": "x\u{600}/.."], "/data/made"),
            (["x\u{600}": "HOST"], "/x\u{600}/made"), (["x\u{600}": "HOST"], "/x\u{600}/../made"),
            (["x": "HOST", "data": "x/\u{301}made"], "/data"), (["x": "HOST"], "/x/\u{301}made"),
            (["x": "HOST/deep", "data": "x/..\u{301}/made"], "/data"),
            (["data": "..\u{600}/../../../../HOST/made"], "/data"),
        ])
        func oddNamesInLinksStayBelowTheRoot(links: [String: String], destination: String) throws {
            let box = try Sandbox.current
            let host = try box.folder("host/deep")
            let top = box.path("host")
            for (number, type) in ["tmpfs", "bind", "file"].enumerated() {
                let source = type == "file" ? try box.file("source-file", "x") : try box.folder("source")
                let bundle = try box.bundle("say:ran") {
                    $0.addMount(
                        destination, type: type == "tmpfs" ? "tmpfs" : "none", source: source,
                        options: type == "tmpfs" ? [] : ["bind"])
                }
                for (name, target) in links {
                    let target = target.replacingOccurrences(of: "HOST", with: top)
                    try #require(symlink(target, bundle.rootfs + "/" + name) == 0)
                }
                let outcome = try box.run(bundle, id: box.id("n\(number)"))
                #expect(outcome.stdout == "ran\n" || outcome.complaints.count == 1, "\(outcome)")
                #expect(outcome.status < 128, "\(outcome)")
                #expect(names(in: top) == ["deep"] && names(in: host) == [], "made on the host: \(names(in: top))")
                #expect(names(in: box.directory + "/source") == [])
            }
        }

        @Test func aLinkAboveTheRootDoesNotOpenProc() throws {
            let box = try Sandbox.current
            try box.folder("fake")
            symlink(box.directory, box.path("alias"))
            for withProcfs in [true, false] {
                for type in ["tmpfs", "bind"] {
                    let bundle = try box.bundle("say:it ran") {
                        if !withProcfs { $0.dropMount("/proc") }
                        $0.addMount(
                            "/proc", type: type == "bind" ? "none" : type, source: box.path("fake"),
                            options: type == "bind" ? ["bind"] : [])
                    }
                    let name = URL(fileURLWithPath: bundle.directory).lastPathComponent
                    for form in ["config", "bundle"] {
                        var config = try #require(
                            try JSONSerialization.jsonObject(
                                with: Data(contentsOf: URL(fileURLWithPath: bundle.configPath))) as? [String: Any])
                        config["root"] = [
                            "path": form == "config" ? box.path("alias/\(name)/rootfs") : "rootfs"
                        ]
                        try JSONSerialization.data(withJSONObject: config).write(
                            to: URL(fileURLWithPath: bundle.configPath))
                        let directory = form == "bundle" ? box.path("alias/\(name)") : bundle.directory
                        let line = try box.refused(try box.runtime("run", "--bundle", directory, box.id))
                        #expect(line.contains("/proc"), "\(line)")
                    }
                }
            }
        }

        @Test func aLinkAboveTheRootAllowsCpuinfo() throws {
            let box = try Sandbox.current
            let source = try box.file("cpuinfo", "mine")
            symlink(box.directory, box.path("alias"))
            let seen = try box.look("read:/proc/cpuinfo") {
                $0["root.path"] = box.path("alias/bundle/rootfs")
                $0.addMount("/proc/cpuinfo", type: "none", source: source, options: ["bind"])
            }
            #expect(seen["read./proc/cpuinfo"] == "mine", "\(seen)")
            let line = try box.refuse {
                $0["root.path"] = box.path("alias/bundle2/rootfs")
                $0.addMount("/proc/version", type: "none", source: source, options: ["bind"])
            }
            #expect(line.contains("/proc"), "\(line)")
        }

        // MARK: Devices

        /// A device of the host that is bound into the container and stands in its list as well.
        @Test func aBoundDeviceKeepsItsOwnerOnTheHost() throws {
            let box = try Sandbox.current
            var before = stat()
            try #require(stat("/dev/full", &before) == 0)
            defer {
                chown("/dev/full", before.st_uid, before.st_gid)
                chmod("/dev/full", before.st_mode & 0o7777)
            }
            let seen = try box.look("stat:/dev/full") {
                $0.addMount("/dev/full", type: "none", source: "/dev/full", options: ["bind"])
                $0["linux.devices.+"] =
                    ["path": "/dev/full", "type": "c", "major": 1, "minor": 7, "fileMode": 0o600, "uid": 1000]
                    as [String: Any]
            }
            #expect(seen["stat./dev/full"] == "char 0666 0:0 1:7", "\(seen)")
            var after = stat()
            try #require(stat("/dev/full", &after) == 0)
            #expect(after.st_uid == before.st_uid && after.st_mode == before.st_mode)
        }

        // MARK: Streams and keys

        /// Who can open the file for writing through /dev/stdout must own it; what was opened for reading only would be
        /// given away for more.
        @Test func aRedirectedFileIsGivenToTheUserForWritingOnly() throws {
            let box = try Sandbox.current
            let output = open(box.path("output"), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
            let input = open(try box.file("input", "text"), O_RDONLY | O_CLOEXEC)
            defer {
                close(output)
                close(input)
            }
            let bundle = try box.bundle("ids", "stdin") {
                $0["process.user"] = ["uid": 1000, "gid": 1000]
            }
            let outcome = try box.run(bundle, with: Surroundings(descriptors: [input, output, nil]))
            #expect(outcome.status == 0, "\(outcome)")
            let text = try String(contentsOfFile: box.path("output"), encoding: .utf8)
            #expect(text.contains("uid=1000") && text.contains("stdin=text"), "\(text)")
            #expect(owner(of: box.path("output")) == 1000)
            #expect(owner(of: box.path("input")) == geteuid())
        }

        @Test func aPipeIsGivenToTheUser() throws {
            let box = try Sandbox.current
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            defer { for end in ends { close(end) } }
            let bundle = try box.bundle("open:/proc/self/fd/1:w", "save:/tmp/seen", "open:/proc/self/fd/2:w") {
                $0["process.user"] = ["uid": 1000, "gid": 1000]
            }
            try box.folder("bundle/rootfs/tmp", mode: 0o1777)
            let outcome = try box.run(bundle, with: Surroundings(descriptors: [nil, ends[1], ends[1]]))
            #expect(outcome.status == 0, "\(outcome)")
            var status = stat()
            try #require(fstat(ends[0], &status) == 0)
            #expect(status.st_uid == 1000, "the pipe belongs to \(status.st_uid)")
            let seen = try String(contentsOfFile: bundle.rootfs + "/tmp/seen", encoding: .utf8)
            #expect(seen.contains("open./proc/self/fd/2=ok"), "\(seen)")
        }

        @Test(arguments: [0, 1000])
        func theSessionKeyringIsNotWide(user: Int) throws {
            let box = try Sandbox.current
            let created = try box.create(
                try box.bundle("keyring", "hang") { $0["process.user"] = ["uid": user, "gid": user] })
            // What the kernel lists for the host while the container waits, where it lists keys at all.
            for line in Leftovers.lines("/proc/keys") where line.contains(" _ses.\(box.id).") {
                let words = line.split(separator: " ")
                let permissions = try #require(words.count > 4 ? UInt32(words[4], radix: 16) : nil)
                #expect(permissions & ~0x3f1b_0000 == 0, "\(line)")
            }
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let description = try #require(created.facts["keyring.description"])
            let fields = description.split(separator: ";")
            try #require(fields.count == 5 && fields[4].hasPrefix("_ses.\(box.id)."), "\(description)")
            let permissions = try #require(UInt32(fields[3], radix: 16))
            #expect(permissions & ~0x3f1b_0000 == 0, "wider than 3f1b0000: \(description)")
        }

        /// An ordinary user has made a keyring for everybody under the name that the container's had before names
        /// could not be guessed.
        @Test(.needsRoot) func nobodyWaitsWithAKeyring() throws {
            let box = try Sandbox.current
            let script = """
                import ctypes, os, sys, time
                call = ctypes.CDLL(None, use_errno=True).syscall
                number = 219 if os.uname().machine == "aarch64" else 250
                for name in sys.argv[1:]:
                    serial = call(number, 1, ctypes.create_string_buffer(name.encode()), 0, 0, 0)
                    if serial < 0 or call(number, 5, serial, 0x3f3f3f3f, 0, 0) < 0: sys.exit("no keyring")
                print("waiting", flush=True)
                time.sleep(1000)
                """
            let squatter = try box.aside([
                "setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups", "python3", "-c", script,
                "_ses.\(box.id)",
            ])
            #expect(squatter.says("waiting"), "\(squatter.stderr)")
            let created = try box.create(try box.bundle("keyring", "hang"))
            try box.ok("start", box.id)
            #expect(created.says("ready"))
            let executed = try box.runtime("exec", box.id, "/probe", "keyring")
            for facts in [created.facts, executed.facts] {
                #expect(facts.words("keyring.description", separator: ";").dropFirst(1).first == "0", "\(facts)")
                #expect(facts["keyring.id"] != nil && facts["keyring.id"] == created.facts["keyring.id"], "\(facts)")
            }
        }

        // MARK: The host's own namespace, named by a path

        struct Own: Sendable, CustomTestStringConvertible {
            let word: String
            let flag: String
            let name: String
            let field: String
            let file: String
            let value: String
            var testDescription: String { "\(word) \(field)" }
        }

        static let own = [
            Own(
                word: "network", flag: "--net", name: "net", field: "linux.sysctl",
                file: "/proc/sys/net/ipv4/ip_default_ttl", value: "77"),
            Own(
                word: "uts", flag: "--uts", name: "uts", field: "hostname", file: "/proc/sys/kernel/hostname",
                value: "changed"),
            Own(
                word: "uts", flag: "--uts", name: "uts", field: "domainname", file: "/proc/sys/kernel/domainname",
                value: "changed"),
            Own(
                word: "ipc", flag: "--ipc", name: "ipc", field: "linux.sysctl", file: "/proc/sys/kernel/msgmax",
                value: "4321"),
        ]

        /// The runtime runs in a namespace that stands for the host's, so that a bug changes no real one.
        @Test(arguments: own, ["/proc/self/ns/", "/proc/thread-self/ns/", "shell"])
        func theHostsOwnNamespaceByPathIsNotChanged(own: Own, path: String) throws {
            let box = try Sandbox.current
            let script =
                """
                echo $$ > '\(box.path("shell"))'
                read before < \(own.file)
                while [ ! -e '\(box.path("go"))' ]; do sleep 0.02; done
                "$0" "$@"
                status=$?
                read after < \(own.file)
                echo "before=$before"
                echo "after=$after"
                exit $status
                """
            // Written before the runtime starts, after the shell's number is known.
            let running = try box.begin(
                ["--root", box.root, "run", "--bundle", box.path("bundle"), box.id],
                Surroundings(prefix: ["unshare", own.flag, "sh", "-c", script]))
            var shell = ""
            try #require(
                eventually(5) {
                    shell = Leftovers.lines(box.path("shell")).first ?? ""
                    return !shell.isEmpty
                })
            _ = try box.bundle("say:it ran") {
                $0["hostname"] = nil
                $0.namespace(own.word, path: path == "shell" ? "/proc/\(shell)/ns/\(own.name)" : path + own.name)
                if own.word == "network" { $0.dropMount("/sys") }
                if own.field == "linux.sysctl" {
                    let key = own.file.dropFirst("/proc/sys/".count).replacingOccurrences(of: "/", with: ".")
                    $0["linux.sysctl"] = [key: own.value]
                } else {
                    $0[own.field] = own.value
                }
            }
            try box.file("go")
            let outcome = running.wait()
            #expect(outcome.status == 1 && !outcome.stdout.contains("it ran"), "\(outcome)")
            #expect(outcome.complaints.count == 1 && outcome.stderr.contains(own.field), "\(outcome)")
            let before = try #require(outcome["before"])
            #expect(before != own.value && outcome["after"] == before, "the host's value changed: \(outcome)")
        }
    }
}
