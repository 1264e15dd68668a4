import Foundation
import Glibc
import Testing

extension AllTests {
    /// mounts[].options, word by word
    @Suite struct MountOptions {
        /// Options of a tmpfs; what its flags and its file system's options must hold, and what they must not.
        static let words: [(options: [String], has: [String], hasNot: [String])] = [
            ([], ["rw", "relatime"], ["nosuid", "nodev", "noexec"]), (["defaults"], ["rw"], ["nosuid", "defaults"]),
            (["ro"], ["ro"], ["rw"]), (["rw"], ["rw"], []), (["ro", "rw"], ["rw"], ["ro"]), (["rw", "ro"], ["ro"], []),
            (["nosuid"], ["nosuid"], []), (["nosuid", "suid"], [], ["nosuid"]), (["suid", "nosuid"], ["nosuid"], []),
            (["nodev"], ["nodev"], []), (["nodev", "dev"], [], ["nodev"]),
            (["noexec"], ["noexec"], []), (["noexec", "exec"], [], ["noexec"]),
            (["sync"], ["sync"], []), (["sync", "async"], [], ["sync"]), (["dirsync"], ["dirsync"], []),
            (["noatime"], ["noatime"], ["relatime"]), (["noatime", "atime"], ["relatime"], ["noatime"]),
            (["nodiratime"], ["nodiratime"], []), (["nodiratime", "diratime"], [], ["nodiratime"]),
            (["relatime"], ["relatime"], []), (["norelatime"], [], ["noatime"]),
            (["strictatime"], [], ["relatime", "noatime"]), (["strictatime", "nostrictatime"], ["relatime"], []),
            (["nosymfollow"], ["nosymfollow"], []), (["nosymfollow", "symfollow"], [], ["nosymfollow"]),
            (["lazytime"], ["lazytime"], []), (["lazytime", "nolazytime"], [], ["lazytime"]),
            (["silent"], [], ["silent"]), (["loud"], [], ["loud"]), (["silent", "loud"], [], []),
            (["noiversion"], [], ["noiversion"]), (["nomand"], [], ["nomand"]), (["mand"], ["mand"], []),
            (["mand", "nomand"], [], ["mand"]), (["iversion"], [], ["iversion"]),
            (["size=64k"], ["size=64k"], []), (["mode=711", "nosuid"], ["mode=711", "nosuid"], []),
            (["nr_inodes=100", "ro", "size=1m"], ["nr_inodes=100", "ro", "size=1024k"], []),
            (["size=64k,mode=711", "nosuid"], ["size=64k", "mode=711", "nosuid"], []),
            (["silent", "ro", "noatime"], ["ro", "noatime"], ["rw"]), (["size=64k,nr_inodes=9", "ro"], ["ro"], ["rw"]),
            (["nosuid", "noexec", "nodev", "ro", "noatime"], ["nosuid", "noexec", "nodev", "ro", "noatime"], ["rw"]),
        ]

        @Test(arguments: words.indices)
        func aTmpfsTakesItsOptions(index: Int) throws {
            let (options, has, hasNot) = Self.words[index]
            let seen = try Sandbox.current.look("mount:/m") {
                $0.addMount("/m", type: "tmpfs", source: "tmpfs", options: options)
            }
            #expect(seen["mount./m.type"] == "tmpfs", "\(options)")
            let flags = seen.words("mount./m.options", separator: ",")
            // The file system's own rw is about the super block, so only its other words count.
            let all = Set(flags + seen.words("mount./m.super", separator: ",").filter { $0 != "rw" && $0 != "ro" })
            for word in has { #expect(all.contains(word), "\(options): no \(word) in \(all)") }
            for word in hasNot { #expect(!all.contains(word), "\(options): \(word) in \(all)") }
        }

        /// The same flags on a bind mount, where they take a second call.
        @Test(arguments: ["ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow"])
        func aBindMountTakesItsOptions(word: String) throws {
            let box = try Sandbox.current
            let source = try box.folder("source")
            let seen = try box.look("mount:/m", "mount:/other") {
                $0.addMount("/m", type: "none", source: source, options: ["bind", word])
                $0.addMount("/other", type: "bind", source: source, options: ["rbind"])
            }
            #expect(seen.words("mount./m.options", separator: ",").contains(word), "\(seen)")
            #expect(
                !seen.words("mount./other.options", separator: ",").contains(word),
                "the same source, without it: \(seen)")
        }

        @Test(arguments: [
            ("shared", "shared"), ("rshared", "shared"), ("private", "private"), ("rprivate", "private"),
            ("unbindable", "unbindable"), ("runbindable", "unbindable"), ("slave", "private"), ("rslave", "private"),
        ])
        func aMountTakesItsPropagation(word: String, expected: String) throws {
            let box = try Sandbox.current
            let source = try box.folder("source")
            let seen = try box.look("mount:/m", "mount:/t") {
                $0.addMount("/m", type: "none", source: source, options: ["rbind", word])
                $0.addMount("/t", type: "tmpfs", source: "tmpfs", options: [word])
            }
            #expect(seen["mount./m.propagation"] == expected && seen["mount./t.propagation"] == expected, "\(seen)")
        }

        // MARK: The recursive words

        /// A source folder with a mount below it, in a mount namespace of its own.
        private func tree(_ box: Sandbox, options: String) throws -> (source: String, surroundings: Surroundings) {
            let source = try box.folder("source")
            try box.folder("source/sub")
            let script =
                "mount --bind '\(source)' '\(source)' && mount -t tmpfs -o \(options) none '\(source)/sub' && "
                + "mount -o remount,bind,\(options) '\(source)' && exec \"$0\" \"$@\""
            return (source, Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script]))
        }

        private func flags(_ options: [String], of mounted: String) throws -> (top: [String], below: [String]) {
            let box = try Sandbox.current
            let (source, surroundings) = try tree(box, options: mounted)
            let seen = try box.look("mount:/m", "mount:/m/sub", with: surroundings) {
                $0.addMount("/m", type: "none", source: source, options: options)
            }
            return (seen.words("mount./m.options", separator: ","), seen.words("mount./m/sub.options", separator: ","))
        }

        @Test(arguments: [
            ("rro", "ro"), ("rnosuid", "nosuid"), ("rnodev", "nodev"), ("rnoexec", "noexec"), ("rnoatime", "noatime"),
            ("rnodiratime", "nodiratime"), ("rrelatime", "relatime"), ("rnosymfollow", "nosymfollow"),
        ])
        func recursiveWordsSetFlagsBelow(word: String, flag: String) throws {
            let (top, below) = try flags(["rbind", word], of: flag == "relatime" ? "noatime" : "rw")
            #expect(top.contains(flag) && below.contains(flag), "\(top) \(below)")
        }

        @Test(arguments: [
            ("rrw", "ro"), ("rsuid", "nosuid"), ("rdev", "nodev"), ("rexec", "noexec"), ("ratime", "noatime"),
            ("rdiratime", "nodiratime"), ("rsymfollow", "nosymfollow"), ("rstrictatime", "relatime"),
        ])
        func recursiveWordsClearFlagsBelow(word: String, flag: String) throws {
            let (top, below) = try flags(["rbind", word], of: flag == "relatime" ? "rw" : flag)
            #expect(!top.contains(flag) && !below.contains(flag), "\(top) \(below)")
        }

        @Test(arguments: ["rnostrictatime", "rnorelatime", "rsync", "rasync", "rdirsync", "rmand", "rnomand"])
        func recursiveWordsWithoutEffectAreTaken(word: String) throws {
            let (top, below) = try flags(["rbind", word], of: "rw")
            #expect(top.contains("rw") && below.contains("rw"), "\(top) \(below)")
        }

        @Test func anOrdinaryWordChangesTheTopMountOnly() throws {
            let (top, below) = try flags(["rbind", "ro"], of: "rw")
            #expect(top.contains("ro") && below.contains("rw"), "\(top) \(below)")
        }

        @Test(arguments: [["rbind", "bind"], ["bind", "rbind"], ["rbind", "ro", "bind"]])
        func recursionStaysBesideBind(words: [String]) throws {
            let (top, below) = try flags(words, of: "rw")
            #expect(!top.isEmpty && !below.isEmpty, "\(top) \(below)")
        }

        @Test func bindWithoutRecursionLeavesWhatIsBelow() throws {
            let (top, below) = try flags(["bind"], of: "rw")
            #expect(!top.isEmpty && below.isEmpty, "\(top) \(below)")
        }

        // MARK: Words of their own

        @Test func remountChangesTheMountThatIsThere() throws {
            let seen = try Sandbox.current.look("mount:/m", "create:/m/x") {
                $0.addMount("/m", type: "tmpfs", source: "tmpfs", options: ["size=64k"])
                $0.addMount("/m", type: "tmpfs", source: "tmpfs", options: ["remount", "ro", "nosuid"])
            }
            #expect(seen["mount./m"] == "1", "one mount, not two: \(seen)")
            #expect(seen["create./m/x"] == "EROFS", "\(seen)")
        }

        @Test func tmpcopyupCopiesTheFolder() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(
                "read:/data/a", "read:/data/deep/b", "stat:/data/run", "link:/data/link", "mount:/data",
                "create:/data/new"
            ) {
                $0.addMount("/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"])
            }
            try box.folder("bundle/rootfs/data/deep")
            try bundle.write("data/a", "one")
            try bundle.write("data/deep/b", "two")
            try bundle.write("data/run", "x", mode: 0o751)
            symlink("a", bundle.rootfs + "/data/link")
            let seen = try box.run(bundle)
            #expect(seen["mount./data.type"] == "tmpfs" && seen["create./data/new"] == "ok", "\(seen)")
            #expect(
                seen["read./data/a"] == "one" && seen["read./data/deep/b"] == "two" && seen["link./data/link"] == "a",
                "\(seen)")
            #expect(seen["stat./data/run"] == "file 0751 0:0", "\(seen)")
            #expect(!FileManager.default.fileExists(atPath: bundle.rootfs + "/data/new"))
        }

        /// Names and links that are no UTF-8, several names of one file, holes, set-id bits, nodes, times and
        /// extended attributes.
        @Test(arguments: [["tmpcopyup"], ["tmpcopyup", "size=1m,nr_inodes=100", "ro", "rprivate"]])
        func tmpcopyupCopiesOddFilesAsTheyAre(options: [String]) throws {
            let box = try Sandbox.current
            let script =
                "cd /data; busybox printf '%s\\n' * | busybox hexdump -v -e '1/1 \"%02x\"'; echo; busybox readlink l* | busybox hexdump -v -e '1/1 \"%02x\"'; echo; "
                + "busybox stat -c '%n %h %a %u:%g' a sub; busybox stat -c '%t:%T' node; busybox stat -c '%b %s' sparse; busybox stat -c %Y a; cat a"
            let bundle = try box.bundle(args: ["/bin/busybox", "sh", "-c", script]) {
                $0.addMount("/data", type: "tmpfs", source: "tmpfs", options: options)
            }
            let data = try box.folder("bundle/rootfs/data/sub") + "/.."
            try bundle.write("data/a", "text")
            chown(data + "/a", 7, 8)
            chmod(data + "/a", 0o4755)
            link(data + "/a", data + "/b")
            chmod(data + "/sub", 0o2775)
            mknod(data + "/node", S_IFCHR | 0o600, 0x103)
            mkfifo(data + "/fifo", 0o600)
            close(open(data + "/sparse", O_WRONLY | O_CREAT, 0o600))
            truncate(data + "/sparse", 1 << 30)
            var times = [timeval(tv_sec: 1_000_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000_000, tv_usec: 0)]
            utimes(data + "/a", &times)
            let bytes: [CChar] = (data + "/").utf8CString.dropLast() + [-1, -2, 0]
            close(open(bytes, O_WRONLY | O_CREAT, 0o600))
            symlink([CChar](arrayLiteral: -2, 0x2f, -2, 0), data + "/l")
            let seen = try box.run(bundle)
            let names = ["a", "b", "fifo", "l", "node", "sparse", "sub"].map { $0 + "\n" }.joined().utf8
            let lines = seen.stdout.split(separator: "\n").map(String.init)
            #expect(seen.status == 0 && lines.count == 8, "\(seen)")
            guard lines.count == 8 else { return }
            #expect(lines[0].hasPrefix(names.map { String(format: "%02x", $0) }.joined()), "\(seen)")
            #expect(lines[0].contains("fffe0a"), "\(seen)")
            #expect(lines[1] == "fe2ffe0a", "\(seen)")
            #expect(lines[2] == "a 2 4755 7:8" && lines[3] == "sub 2 2775 0:0", "\(seen)")
            #expect(lines[4] == "1:3" && lines[5] == "0 1073741824" && lines[6] == "1000000000", "\(seen)")
            #expect(lines[7] == "text", "\(seen)")
        }

        /// A link that points to itself, and what would wait or wake something if it were opened.
        @Test func tmpcopyupWaitsForNothing() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/data/fifo", "stat:/data/tty") {
                $0.addMount("/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"])
            }
            let data = try box.folder("bundle/rootfs/data")
            mkfifo(data + "/fifo", 0o600)
            mknod(data + "/tty", S_IFCHR | 0o600, 0x500)
            symlink("loop", data + "/loop")
            let seen = try box.run(bundle)
            #expect(seen["stat./data/fifo"]?.hasPrefix("fifo") == true, "\(seen)")
            #expect(seen["stat./data/tty"]?.hasPrefix("char") == true, "\(seen)")
        }

        /// What only mount(2) takes is dressed all the same.
        @Test func severalOptionsInOneWordHold() throws {
            let seen = try Sandbox.current.look("mount:/m", "create:/m/x") {
                $0.addMount(
                    "/m", type: "tmpfs", source: "tmpfs", options: ["size=1m,mode=700", "rshared", "rro", "rnosuid"])
            }
            #expect(seen["mount./m"] == "1" && seen["mount./m.propagation"] == "shared", "\(seen)")
            #expect(seen["create./m/x"] == "EROFS", "\(seen)")
            #expect(seen.words("mount./m.options", separator: ",").contains("nosuid"), "\(seen)")
        }

        /// In a user namespace a plain bind may not show what lies below a mount; nor is that mount taken along
        /// unasked.
        @Test(arguments: ["bind", "rbind"])
        func aPlainBindUncoversNothing(word: String) throws {
            let box = try Sandbox.current
            let source = try box.folder("source")
            try box.file("source/sub/under", "covered")
            let bundle = try box.bundle("list:/m/sub") {
                for type in ["network", "pid", "ipc", "uts"] { $0.dropNamespace(type) }
                $0["mounts"] = [] as [Any]
                $0["hostname"] = nil
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
                $0.addMount("/proc", type: "none", source: "/proc", options: ["rbind"])
                $0.addMount("/m", type: "none", source: source, options: [word])
            }
            let script = "mount -t tmpfs none '\(source)/sub' && exec unshare -Urm \"$0\" \"$@\""
            let outcome = try box.run(
                bundle, global: ["--cgroup-manager=disabled"],
                with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script]))
            if word == "rbind" {
                #expect(outcome.status == 0 && !outcome.stdout.contains("under"), "\(outcome)")
            } else {
                let line = try box.refused(outcome)
                #expect(line.contains("mounts[1].source: \(source)") && line.contains("\"rbind\""), "\(line)")
            }
        }

        @Test func copySymlinkMakesTheSameLink() throws {
            let box = try Sandbox.current
            symlink("/probe", box.path("link"))
            let seen = try box.look("link:/m") {
                $0.addMount("/m", type: "none", source: box.path("link"), options: ["bind", "copy-symlink"])
            }
            #expect(seen["link./m"] == "/probe", "\(seen)")
        }

        @Test func aSourceLinkIsNotFollowedWhenAsked() throws {
            let box = try Sandbox.current
            try box.folder("folder")
            symlink("folder", box.path("link"))
            let seen = try box.look("stat:/m") {
                $0.addMount("/m", type: "none", source: box.path("link"), options: ["bind", "src-nofollow"])
            }
            #expect(seen["stat./m"]?.hasPrefix("link") == true, "\(seen)")
        }

        @Test func aDestinationLinkIsNotFollowedWhenAsked() throws {
            let box = try Sandbox.current
            let source = try box.file("data", "new")
            let bundle = try box.bundle("read:/target", "read:/link") {
                $0.addMount("/link", type: "none", source: source, options: ["bind", "dest-nofollow"])
            }
            try bundle.write("target", "old")
            symlink("target", bundle.rootfs + "/link")
            let outcome = try box.run(bundle)
            // On the link itself, or refused; never on what it points to.
            if outcome.status == 0 {
                #expect(outcome["read./target"] == "old", "\(outcome)")
            } else {
                try box.refused(outcome)
            }
        }

        @Test func anUnknownWordGoesToTheFileSystem() throws {
            let line = try Sandbox.current.refuse {
                $0.addMount("/m", type: "tmpfs", source: "tmpfs", options: ["frobnicate=7"])
            }
            #expect(line.contains("/m") && line.contains("frobnicate"), "\(line)")
        }

        @Test func aBindMountTakesNoDataOfAFileSystem() throws {
            let line = try Sandbox.current.refuse {
                $0.addMount("/m", type: "none", source: "/tmp", options: ["bind", "size=64k"])
            }
            #expect(line.contains("size=64k"), "\(line)")
        }
    }

    /// mounts: sources, targets and their order
    @Suite struct Mounts {
        // MARK: Sources

        @Test func foldersAndFilesAreBindMounted() throws {
            let box = try Sandbox.current
            try box.file("source/hello", "world")
            let file = try box.file("single", "content")
            let seen = try box.look("read:/folder/hello", "read:/file", "create:/folder/new:x") {
                $0.addMount("/folder", type: "none", source: box.path("source"), options: ["bind"])
                $0.addMount("/file", type: "none", source: file, options: ["rbind", "ro"])
            }
            #expect(seen["read./folder/hello"] == "world" && seen["read./file"] == "content", "\(seen)")
            #expect(FileManager.default.fileExists(atPath: box.path("source/new")), "a bind mount is no copy")
        }

        @Test func relativeSourcesAreBelowTheBundle() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("read:/m/hello") {
                $0.addMount("/m", type: "none", source: "data", options: ["bind"])
            }
            try box.file("bundle/data/hello", "world")
            let outcome = try box.run(bundle, with: Surroundings(directory: "/"))
            #expect(outcome["read./m/hello"] == "world", "\(outcome)")
        }

        @Test func aSourceThatIsASymbolicLinkIsFollowed() throws {
            let box = try Sandbox.current
            try box.file("data/hello", "world")
            symlink("data", box.path("link"))
            let seen = try box.look("read:/m/hello") {
                $0.addMount("/m", type: "none", source: box.path("link"), options: ["bind"])
            }
            #expect(seen["read./m/hello"] == "world", "\(seen)")
        }

        @Test(arguments: ["bind", "rbind"])
        func aMissingSourceIsAnError(word: String) throws {
            let box = try Sandbox.current
            let line = try box.refuse { $0.addMount("/m", type: "none", source: box.path("absent"), options: [word]) }
            #expect(line.contains(box.path("absent")) && line.contains("mounts[6]"), "\(line)")
            // An engine reads this as `command not found`, exit status 127.
            for phrase in ["no such file or directory", "executable file not found", "not a directory"] {
                #expect(!line.lowercased().contains(phrase), "\(line)")
            }
        }

        @Test func aBindMountNeedsASource() throws {
            let line = try Sandbox.current.refuse { $0.addMount("/m", type: "none", options: ["bind"]) }
            #expect(line.contains("mounts[6]") && line.contains("source"), "\(line)")
        }

        @Test func anUnknownFileSystemIsAnError() throws {
            let line = try Sandbox.current.refuse { $0.addMount("/m", type: "frobfs", source: "none") }
            #expect(line.contains("frobfs") && line.contains("/m"), "\(line)")
        }

        @Test func aFileCannotBeMountedOnAFolder() throws {
            let box = try Sandbox.current
            let file = try box.file("file")
            let line = try box.refuse { $0.addMount("/tmp", type: "none", source: file, options: ["bind"]) }
            #expect(line.contains("at /tmp: a file cannot cover a directory: not a directory"), "\(line)")
            let other = try box.refuse {
                $0.addMount("/file", type: "none", source: file, options: ["bind"])
                $0.addMount("/file", type: "none", source: box.path(""), options: ["rbind"])
            }
            #expect(other.contains("at /file: a directory cannot cover a file: not a directory"), "\(other)")
        }

        // MARK: Targets

        @Test func missingTargetsAreMade() throws {
            let box = try Sandbox.current
            let file = try box.file("file", "content")
            let folder = try box.folder("folder")
            let bundle = try box.bundle("read:/a/b/file", "mount:/c/d/folder", "mount:/e/f/tmpfs", "stat:/a/b") {
                $0.addMount("/a/b/file", type: "none", source: file, options: ["bind"])
                $0.addMount("/c/d/folder", type: "none", source: folder, options: ["bind"])
                $0.addMount("/e/f/tmpfs", type: "tmpfs", source: "tmpfs")
            }
            let seen = try box.run(bundle)
            #expect(seen["read./a/b/file"] == "content", "\(seen)")
            #expect(seen["mount./c/d/folder"] == "1" && seen["mount./e/f/tmpfs.type"] == "tmpfs", "\(seen)")
            #expect(seen["stat./a/b"] == "dir 0755 0:0", "\(seen)")
        }

        @Test func aRelativeTargetStartsAtTheRoot() throws {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle("mount:/a/b") { $0.addMount("a/b", type: "tmpfs", source: "tmpfs") })
            #expect(outcome.status == 0 && outcome["mount./a/b.type"] == "tmpfs", "\(outcome)")
        }

        @Test(arguments: ["/../m", "/a/../m", "/./m", "//m/", "/../../../m"])
        func odditiesInATargetStayBelowTheRoot(destination: String) throws {
            let seen = try Sandbox.current.look("mount:/m") { $0.addMount(destination, type: "tmpfs", source: "tmpfs") }
            #expect(seen["mount./m.type"] == "tmpfs", "\(seen)")
        }

        @Test func theOrderIsTheConfigs() throws {
            let box = try Sandbox.current
            try box.file("one/name", "one")
            try box.file("two/name", "two")
            let seen = try box.look("read:/m/name", "mount:/m/sub", "mount:/m") {
                $0.addMount("/m", type: "none", source: box.path("one"), options: ["bind"])
                $0.addMount("/m", type: "none", source: box.path("two"), options: ["bind"])
                $0.addMount("/m/sub", type: "tmpfs", source: "tmpfs")
            }
            #expect(
                seen["read./m/name"] == "two" && seen["mount./m"] == "2" && seen["mount./m/sub.type"] == "tmpfs",
                "\(seen)")
        }

        @Test func aTmpfsTakesTheModeOfItsTarget() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/old", "stat:/new", "stat:/set") {
                for path in ["/old", "/new"] { $0.addMount(path, type: "tmpfs", source: "tmpfs") }
                $0.addMount("/set", type: "tmpfs", source: "tmpfs", options: ["mode=1777"])
            }
            try box.folder("bundle/rootfs/old", mode: 0o1730)
            let seen = try box.run(bundle)
            #expect(seen["stat./old"] == "dir 1730 0:0" && seen["stat./new"] == "dir 1777 0:0", "\(seen)")
            #expect(seen["stat./set"] == "dir 1777 0:0", "\(seen)")
        }

        @Test func theUsualFileSystemsAreMounted() throws {
            let seen = try Sandbox.current.look(
                "mount:/proc", "mount:/dev", "mount:/dev/pts", "mount:/dev/shm", "mount:/dev/mqueue", "mount:/sys",
                "mqueue",
                "stat:/dev/pts/ptmx")
            let types = [
                "/proc": "proc", "/dev": "tmpfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs", "/dev/mqueue": "mqueue",
                "/sys": "sysfs",
            ]
            for (path, type) in types { #expect(seen["mount.\(path).type"] == type, "\(path): \(seen)") }
            #expect(seen["mqueue"] == "ok")
            #expect(seen["stat./dev/pts/ptmx"]?.hasPrefix("char 0666") == true, "\(seen)")
            #expect(seen.words("mount./dev/pts.super", separator: ",").contains("gid=5"), "\(seen)")
            #expect(seen.words("mount./sys.options", separator: ",").contains("ro"), "\(seen)")
        }

        // MARK: /proc and /sys

        @Test(arguments: ["uptime", "meminfo", "cpuinfo", "stat", "loadavg", "diskstats", "swaps"])
        func someFilesOfProcMayBeCovered(name: String) throws {
            let box = try Sandbox.current
            let file = try box.file("mine", "mine")
            let seen = try box.look("read:/proc/\(name)") {
                $0.addMount("/proc/\(name)", type: "none", source: file, options: ["bind"])
            }
            #expect(seen["read./proc/\(name)"] == "mine", "\(seen)")
        }

        @Test(arguments: [
            "/proc/self/attr/exec", "/proc/sys/kernel/hostname", "/proc/version", "/proc/1/status",
            "/proc/sysrq-trigger",
        ])
        func otherFilesOfProcMayNotBeCovered(destination: String) throws {
            let box = try Sandbox.current
            let file = try box.file("mine", "mine")
            let line = try box.refuse { $0.addMount(destination, type: "none", source: file, options: ["bind"]) }
            #expect(line.contains(destination) && line.contains("proc"), "\(line)")
        }

        @Test func noOtherFileSystemMayBeOnProc() throws {
            let line = try Sandbox.current.refuse { $0.addMount("/proc", type: "tmpfs", source: "tmpfs") }
            #expect(line.contains("/proc"), "\(line)")
        }

        @Test func noOrdinaryFolderMayBeOnProc() throws {
            let box = try Sandbox.current
            let folder = try box.folder("fake")
            let line = try box.refuse { $0.addMount("/proc", type: "none", source: folder, options: ["bind"]) }
            #expect(line.contains("/proc"), "\(line)")
        }

        @Test func theHostsProcMayBeBound() throws {
            let seen = try Sandbox.current.look("mount:/proc") {
                $0.dropNamespace("pid")
                $0.dropMount("/proc")
                $0.addMount("/proc", type: "none", source: "/proc", options: ["rbind"])
            }
            #expect(seen["mount./proc.type"] == "proc", "\(seen)")
        }

        @Test(arguments: ["proc", "sys"])
        func procAndSysAreNoSymbolicLinks(name: String) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran")
            try FileManager.default.removeItem(atPath: bundle.rootfs + "/" + name)
            try box.folder("bundle/rootfs/elsewhere")
            symlink("elsewhere", bundle.rootfs + "/" + name)
            let line = try box.refused(try box.run(bundle))
            let type = name == "sys" ? "sysfs" : name
            #expect(
                line.contains("at /\(name): filesystem \"\(type)\" must be mounted on ordinary directory"), "\(line)")
        }

        @Test func theCgroupTreeIsMountedReadOnly() throws {
            let seen = try Sandbox.current.look(
                "mount:/sys/fs/cgroup", "read:/sys/fs/cgroup/cgroup.procs", "mkdir:/sys/fs/cgroup/x"
            ) {
                $0.namespace("cgroup")
                $0.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                    options: ["nosuid", "noexec", "nodev", "relatime", "ro"])
            }
            #expect(
                seen["mount./sys/fs/cgroup.type"] == "cgroup2" && seen["mount./sys/fs/cgroup.root"] == "/", "\(seen)")
            #expect(seen["read./sys/fs/cgroup/cgroup.procs"]?.split(separator: "\n").contains("1") == true, "\(seen)")
            #expect(seen["mkdir./sys/fs/cgroup/x"] == "EROFS", "\(seen)")
            let options = Set(seen.words("mount./sys/fs/cgroup.options", separator: ","))
            #expect(options.isSuperset(of: ["ro", "nosuid", "noexec", "nodev"]), "\(options)")
        }

        @Test func theCgroupTreeIsMountedWritable() throws {
            let seen = try Sandbox.current.look("mkdir:/sys/fs/cgroup/sub", "unlink:/sys/fs/cgroup/sub") {
                $0.namespace("cgroup")
                $0.addMount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"])
            }
            #expect(seen["mkdir./sys/fs/cgroup/sub"] == "ok" && seen["unlink./sys/fs/cgroup/sub"] == "ok", "\(seen)")
        }

        @Test func theCgroupTreeNeedsNoNamespace() throws {
            let seen = try Sandbox.current.look(
                "mount:/sys/fs/cgroup", "mkdir:/sys/fs/cgroup/\(try Sandbox.current.id("new"))"
            ) {
                $0.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "ro"])
            }
            #expect(seen["mount./sys/fs/cgroup.type"] == "cgroup2", "\(seen)")
            #expect(seen["mkdir./sys/fs/cgroup/\(try Sandbox.current.id("new"))"] == "EROFS", "\(seen)")
            #expect(seen.words("mount./sys/fs/cgroup.options", separator: ",").contains("ro"), "\(seen)")
        }

        /// The kernel says what it thinks of them, as for every other file system.
        @Test func optionsOfTheCgroupTreeReachTheKernel() throws {
            let line = try Sandbox.current.refuse {
                $0.namespace("cgroup")
                $0.addMount("/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "no_such_option"])
            }
            #expect(
                line.contains("/sys/fs/cgroup") && line.contains("no_such_option") && line.contains("invalid argument"),
                "\(line)")
        }

        /// `silent` takes the way of mount(2), which refuses a file system on itself.
        @Test(
            .needsRoot, .needsCgroupTree, arguments: [[], ["cgroup"], ["cgroup", "user"], ["user"]], [[], ["silent"]])
        func theCgroupTreeIsMountedOverTheHostsSysfs(namespaces: [String], words: [String]) throws {
            let box = try Sandbox.current
            let tree = try #require(CgroupTree.path)
            let script = "mount --bind \(tree) /sys/fs/cgroup && exec \"$0\" \"$@\""
            let bundle = try box.bundle("mount:/sys/fs/cgroup", "mkdir:/sys/fs/cgroup/\(box.id("new"))") {
                $0.dropNamespace("network")
                $0.dropMount("/sys")
                for name in namespaces where name != "user" { $0.namespace(name) }
                if namespaces.contains("user") { $0.userNamespace() }
                $0.addMount(
                    "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"])
                $0.addMount(
                    "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                    options: ["nosuid", "noexec", "nodev", "relatime", "ro"] + words)
            }
            if namespaces.contains("user") { try bundle.chown(to: 100_000) }
            let seen = try box.run(
                bundle,
                with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script]))
            #expect(seen.status == 0 && seen["mount./sys/fs/cgroup.type"] == "cgroup2", "\(seen)")
            if namespaces.contains("cgroup") { #expect(seen["mount./sys/fs/cgroup.root"] == "/", "\(seen)") }
            #expect(seen["mkdir./sys/fs/cgroup/\(box.id("new"))"] == "EROFS", "\(seen)")
        }

        // MARK: Links that lead nowhere yet

        @Test(arguments: [false, true]) func aTargetIsMadeWhereADanglingLinkPoints(inUserNamespace: Bool) throws {
            let box = try Sandbox.current
            let folder = try box.folder("source")
            let file = try box.file("source/file", "content")
            let places: [(link: String, to: String, target: String, at: String)] = [
                ("/absolute", "/gone/there", "/absolute", "/gone/there"),
                ("/etc/relative", "gone", "/etc/relative", "/etc/gone"),
                ("/etc/above", "../../../up", "/etc/above", "/up"),
                ("/parent", "/made/x", "/parent/deep/er", "/made/x/deep/er"),
                ("/first", "/second", "/first", "/third"),
                ("/inner", "tmp", "/inner/new", "/tmp/new"),
            ]
            var verbs: [String] = []
            for place in places { verbs += ["stat:\(place.at)", "stat:\(place.at)-file"] }
            let bundle = try box.bundle(args: ["/probe"] + verbs) {
                for place in places {
                    $0.addMount(place.target, type: "none", source: folder, options: ["rbind"])
                    $0.addMount(place.target + "-file", type: "none", source: file, options: ["bind"])
                }
                if inUserNamespace { $0.userNamespace() }
            }
            for place in places {
                symlink(place.to, bundle.rootfs + place.link)
                symlink(place.to + "-file", bundle.rootfs + place.link + "-file")
            }
            for end in ["", "-file"] { symlink("third" + end, bundle.rootfs + "/second" + end) }
            if inUserNamespace { try bundle.chown(to: 100_000) }
            let seen = try box.run(bundle)
            #expect(seen.status == 0, "\(seen)")
            for place in places {
                #expect(seen["stat.\(place.at)"]?.hasPrefix("dir ") == true, "\(place): \(seen)")
                #expect(seen["stat.\(place.at)-file"]?.hasPrefix("file ") == true, "\(place): \(seen)")
            }
        }

        // MARK: Root file systems that want out

        /// A folder of the host that must stay as it is.
        private func victim(_ box: Sandbox) throws -> String {
            try box.folder("victim/inner")
            try box.file("victim/file", "untouched")
            return box.path("victim")
        }

        private func untouched(_ box: Sandbox, location: SourceLocation = #_sourceLocation) throws {
            let entries = FileManager.default.enumerator(atPath: box.path("victim"))?.compactMap { $0 as? String }
                .sorted()
            #expect(entries == ["file", "inner"], "\(entries ?? [])", sourceLocation: location)
            #expect(
                try String(contentsOfFile: box.path("victim/file"), encoding: .utf8) == "untouched",
                sourceLocation: location)
        }

        @Test(arguments: ["ABS", "REL"], ["/link", "/link/new", "/link/new/deep", "/link/inner"])
        func aTargetBelowALinkDoesNotReachTheHost(kind: String, destination: String) throws {
            let box = try Sandbox.current
            let victim = try victim(box)
            let bundle = try box.bundle("create:\(destination)/x") {
                $0.addMount(destination, type: "tmpfs", source: "tmpfs")
            }
            symlink(kind == "ABS" ? victim : "../../../../../../../.." + victim, bundle.rootfs + "/link")
            let outcome = try box.run(bundle)
            try untouched(box)
            if outcome.status == 0 {
                #expect(outcome["create.\(destination)/x"] == "ok", "\(outcome)")
            } else {
                try box.refused(outcome)
            }
        }

        @Test(arguments: ["/link", "/link/new", "/dir/link/file"])
        func aFileTargetBelowALinkDoesNotReachTheHost(destination: String) throws {
            let box = try Sandbox.current
            let victim = try victim(box)
            let source = try box.file("data", "new")
            let bundle = try box.bundle("read:\(destination)") {
                $0.addMount(destination, type: "none", source: source, options: ["bind"])
            }
            try box.folder("bundle/rootfs/dir")
            symlink(
                destination == "/link" ? victim + "/absent" : victim,
                bundle.rootfs + (destination.hasPrefix("/dir") ? "/dir/link" : "/link"))
            let outcome = try box.run(bundle)
            try untouched(box)
            if outcome.status == 0 {
                #expect(outcome["read.\(destination)"] == "new", "\(outcome)")
            } else {
                try box.refused(outcome)
            }
        }

        @Test func linksInACircleAreAnError() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") { $0.addMount("/a/b", type: "tmpfs", source: "tmpfs") }
            symlink("loop", bundle.rootfs + "/a")
            symlink("a", bundle.rootfs + "/loop")
            let line = try box.refused(try box.run(bundle))
            #expect(line.contains("/a/b"), "\(line)")
        }

        @Test func anEarlierMountDoesNotLeadToTheHost() throws {
            let box = try Sandbox.current
            let victim = try victim(box)
            try box.folder("shared")
            symlink(victim, box.path("shared/link"))
            let bundle = try box.bundle("say:it ran") {
                $0.addMount("/shared", type: "none", source: box.path("shared"), options: ["bind"])
                $0.addMount("/shared/link/new", type: "tmpfs", source: "tmpfs")
            }
            let outcome = try box.run(bundle)
            try untouched(box)
            if outcome.status != 0 { try box.refused(outcome) }
        }
    }
}
