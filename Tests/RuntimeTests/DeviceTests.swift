import Foundation
import Glibc
import Testing

extension AllTests {
    /// linux.devices, the devices every container has, and the links of /dev
    @Suite struct Devices {
        static let defaults = [
            ("null", "1:3"), ("zero", "1:5"), ("full", "1:7"), ("random", "1:8"), ("urandom", "1:9"), ("tty", "5:0"),
        ]

        @Test(arguments: defaults)
        func everyContainerHasTheDefaultDevices(name: String, numbers: String) throws {
            let seen = try Sandbox.current.look("stat:/dev/\(name)")
            #expect(seen["stat./dev/\(name)"] == "char 0666 0:0 \(numbers)", "\(seen)")
        }

        @Test func theDefaultDevicesWork() throws {
            let seen = try Sandbox.current.look(
                "write:/dev/null:x", "write:/dev/full:x", "open:/dev/urandom", "open:/dev/zero", "open:/dev/ptmx:rw")
            #expect(seen["write./dev/null"] == "ok" && seen["write./dev/full"] == "ENOSPC", "\(seen)")
            #expect(
                seen["open./dev/urandom"] == "ok" && seen["open./dev/zero"] == "ok" && seen["open./dev/ptmx"] == "ok",
                "\(seen)")
        }

        @Test(arguments: [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
            ("ptmx", "pts/ptmx"),
        ])
        func devHasTheUsualLinks(name: String, target: String) throws {
            #expect(try Sandbox.current.look("link:/dev/\(name)")["link./dev/\(name)"] == target)
        }

        @Test(.needsFile("/proc/kcore"))
        func coreIsALinkToKcore() throws {
            #expect(try Sandbox.current.look("link:/dev/core")["link./dev/core"] == "/proc/kcore")
        }

        @Test func devHoldsNothingElse() throws {
            let names = Set(try Sandbox.current.look("list:/dev").words("list./dev"))
            let expected: Set = [
                "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout",
                "tty", "urandom", "zero",
            ]
            #expect(names.subtracting(["core"]) == expected.subtracting(["core"]))
        }

        // MARK: Configured

        private func device(_ json: String, _ verbs: String...) throws -> Facts {
            let box = try Sandbox.current
            let outcome = try box.run(
                try box.bundle(args: ["/probe"] + verbs) { try $0.set("linux.devices", json: "[\(json)]") })
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.facts
        }

        @Test func aCharacterDeviceIsMade() throws {
            let seen = try device(
                #"{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 432, "uid": 5, "gid": 6}"#,
                "stat:/dev/mine")
            #expect(seen["stat./dev/mine"] == "char 0660 5:6 1:5", "\(seen)")
        }

        @Test func anUnbufferedDeviceIsACharacterDevice() throws {
            let seen = try device(#"{"path": "/dev/mine", "type": "u", "major": 1, "minor": 5}"#, "stat:/dev/mine")
            #expect(seen["stat./dev/mine"] == "char 0666 0:0 1:5", "\(seen)")
        }

        @Test func aBlockDeviceIsMade() throws {
            let seen = try device(
                #"{"path": "/dev/disk/mine", "type": "b", "major": 7, "minor": 1, "fileMode": 384}"#,
                "stat:/dev/disk/mine")
            #expect(seen["stat./dev/disk/mine"] == "block 0600 0:0 7:1", "\(seen)")
        }

        @Test func aFIFOIsMade() throws {
            let seen = try device(#"{"path": "/dev/pipe", "type": "p", "fileMode": 420}"#, "stat:/dev/pipe")
            #expect(seen["stat./dev/pipe"] == "fifo 0644 0:0", "\(seen)")
        }

        @Test func aDeviceIsMadeOutsideOfDev() throws {
            let seen = try device(
                #"{"path": "/opt/devices/null", "type": "c", "major": 1, "minor": 3}"#, "stat:/opt/devices/null")
            #expect(seen["stat./opt/devices/null"]?.hasPrefix("char 0666") == true, "\(seen)")
        }

        @Test func aDeviceThatIsThereIsKept() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/dev/mine") {
                $0.dropMount("/dev")
                try $0.set("linux.devices", json: #"[{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5}]"#)
            }
            mknod(bundle.rootfs + "/dev/mine", S_IFCHR | 0o666, (1 << 8) | 5)
            chmod(bundle.rootfs + "/dev/mine", 0o666)
            let outcome = try box.run(bundle)
            #expect(outcome["stat./dev/mine"] == "char 0666 0:0 1:5", "\(outcome)")
        }

        @Test func aDefaultDeviceCanHaveAnotherMode() throws {
            let seen = try device(
                #"{"path": "/dev/null", "type": "c", "major": 1, "minor": 3, "fileMode": 438, "gid": 7}"#,
                "stat:/dev/null")
            #expect(seen["stat./dev/null"] == "char 0666 0:7 1:3", "\(seen)")
        }

        @Test func inAUserNamespaceTheHostsNodeIsBound() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/dev/mine", "open:/dev/mine") {
                $0.userNamespace()
                try $0.set("linux.devices", json: #"[{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5}]"#)
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle)
            // The host has this node as /dev/zero, not under the container's name: bound from there, or refused by
            // name.
            if outcome.status == 0 {
                #expect(
                    outcome["stat./dev/mine"]?.hasSuffix("1:5") == true && outcome["open./dev/mine"] == "ok",
                    "\(outcome)")
            } else {
                #expect(try box.refused(outcome).contains("/dev/mine"))
            }
        }

        @Test(arguments: [
            (#"{"path": "dev/x", "type": "c", "major": 1, "minor": 3}"#, "linux.devices[0].path"),
            (#"{"path": "/dev/x", "type": "c"}"#, "linux.devices[0].major"),
            (#"{"type": "c", "major": 1, "minor": 3}"#, "linux.devices[0].path"),
            (#"{"path": "/dev/x", "major": 1, "minor": 3}"#, "linux.devices[0].type"),
        ])
        func mistakesNameTheirField(json: String, path: String) throws {
            let line = try Sandbox.current.refuse { try $0.set("linux.devices", json: "[\(json)]") }
            #expect(line.contains(path) || Diagnostics.names(line, path), "\(line)")
        }
    }

    /// linux.maskedPaths and linux.readonlyPaths
    @Suite struct HiddenPaths {
        @Test func maskedFilesAreEmpty() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/secret", "read:/secret", "write:/secret:x", "stat:/proc/keys") {
                $0["linux.maskedPaths"] = ["/secret", "/proc/keys"]
            }
            try bundle.write("secret", "the secret")
            let seen = try box.run(bundle)
            #expect(seen["stat./secret"]?.hasSuffix("1:3") == true && seen["read./secret"] == "", "\(seen)")
            #expect(seen["stat./proc/keys"]?.hasSuffix("1:3") == true, "\(seen)")
            #expect(try String(contentsOfFile: bundle.rootfs + "/secret", encoding: .utf8) == "the secret")
        }

        @Test func maskedFoldersAreEmptyAndReadOnly() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(
                "list:/secrets", "create:/secrets/new", "mount:/secrets", "list:/sys/firmware", "mount:/second",
                "list:/second"
            ) {
                $0["linux.maskedPaths"] = ["/secrets", "/sys/firmware", "/second"]
            }
            try box.file("bundle/rootfs/secrets/key", "the secret")
            try box.file("bundle/rootfs/second/key", "the secret")
            let seen = try box.run(bundle).facts
            #expect(
                seen["list./secrets"] == "" && seen["list./second"] == "" && seen["list./sys/firmware"] == "", "\(seen)"
            )
            #expect(seen["create./secrets/new"] == "EROFS", "\(seen)")
            #expect(
                seen["mount./secrets.type"] == "tmpfs"
                    && seen.words("mount./secrets.options", separator: ",").contains("ro"), "\(seen)")
        }

        /// By the same word, by another way to write it, and by a link.
        @Test func aPathIsHiddenOnce() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(
                "mount:/secret", "mount:/secrets", "mount:/data", "list:/secrets", "read:/secret"
            ) {
                $0["linux.maskedPaths"] = [
                    "/secret", "/secrets", "/secret", "//secret", "/link", "/secrets/", "/folder",
                ]
                $0["linux.readonlyPaths"] = ["/data", "/data", "/./data"]
            }
            try box.file("bundle/rootfs/secrets/key", "the secret")
            try box.folder("bundle/rootfs/data")
            try bundle.write("secret", "the secret")
            symlink("secret", bundle.rootfs + "/link")
            symlink("/secrets", bundle.rootfs + "/folder")
            let seen = try box.run(bundle).facts
            for path in ["/secret", "/secrets", "/data"] { #expect(seen["mount.\(path)"] == "1", "\(path): \(seen)") }
            #expect(seen["list./secrets"] == "" && seen["read./secret"] == "", "\(seen)")
        }

        @Test func whatIsNotThereIsPassedOver() throws {
            let seen = try Sandbox.current.look("stat:/absent") {
                $0["linux.maskedPaths"] = ["/absent", "/absent/deeper"]
                $0["linux.readonlyPaths"] = ["/absent", "/absent/deeper"]
            }
            #expect(seen["stat./absent"] == "ENOENT", "\(seen)")
        }

        @Test func readOnlyPathsCannotBeWritten() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(
                "create:/data/x", "read:/data/old", "write:/file:x", "create:/other/x",
                "write:/proc/sys/kernel/domainname:x", "mount:/data"
            ) {
                $0["linux.readonlyPaths"] = ["/data", "/file", "/proc/sys"]
                $0.capabilities(["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"])
            }
            try box.file("bundle/rootfs/data/old", "old")
            try box.folder("bundle/rootfs/other")
            try bundle.write("file", "content")
            let seen = try box.run(bundle).facts
            #expect(seen["create./data/x"] == "EROFS" && seen["write./file"] == "EROFS", "\(seen)")
            #expect(seen["read./data/old"] == "old" && seen["create./other/x"] == "ok", "\(seen)")
            #expect(seen["write./proc/sys/kernel/domainname"] == "EROFS", "\(seen)")
        }

        @Test func readOnlyPathsKeepTheFlagsOfTheirMount() throws {
            let seen = try Sandbox.current.look("mount:/m/sub") {
                $0.addMount("/m", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"])
                $0.addMount("/m/sub", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "noexec"])
                $0["linux.readonlyPaths"] = ["/m/sub"]
            }
            #expect(
                Set(seen.words("mount./m/sub.options", separator: ",")).isSuperset(of: [
                    "ro", "nosuid", "nodev", "noexec",
                ]), "\(seen)")
        }

        @Test func pathsAreHiddenInAUserNamespace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("stat:/proc/kcore", "list:/sys/firmware", "write:/proc/sys/kernel/domainname:x")
            { $0.userNamespace() }
            try bundle.chown(to: 100_000)
            let seen = try box.run(bundle)
            #expect(seen.status == 0 && seen["list./sys/firmware"] == "", "\(seen)")
            #expect(
                seen["write./proc/sys/kernel/domainname"] == "EROFS"
                    || seen["write./proc/sys/kernel/domainname"] == "EACCES", "\(seen)")
        }
    }
}
