import Foundation
import Glibc
import Testing

extension AllTests {
    /// What root of a container's user namespace may do to the container's mounts
    @Suite struct MountLocks {
        static let powers = Config.capabilities + ["CAP_SYS_ADMIN", "CAP_SYS_CHROOT", "CAP_DAC_OVERRIDE", "CAP_FOWNER"]

        /// A container whose root tries a shell script against its mounts: /host, which is read-only on the host, /ro
        /// by the configuration, /open.
        private func attack(
            _ script: String, flags: [String] = [], edit: (inout Config) throws -> Void = { _ in }
        ) throws -> Outcome {
            let box = try Sandbox.current
            let (host, open) = (try box.folder("host", mode: 0o777), try box.folder("open", mode: 0o777))
            let bundle = try box.bundle(args: ["/bin/busybox", "sh", "-c", script]) {
                $0.userNamespace()
                $0["root.readonly"] = true
                $0.capabilities(Self.powers)
                $0.addMount("/host", type: "none", source: host, options: ["bind"])
                $0.addMount("/ro", type: "none", source: open, options: ["bind", "ro"])
                $0.addMount("/open", type: "none", source: open, options: ["bind"])
                $0.addMount("/m", type: "tmpfs", source: "tmpfs")
                $0["linux.maskedPaths"] = ["/secret", "/etc/group", "/proc/kcore"]
                $0["linux.readonlyPaths"] = ["/etc", "/proc/sys"]
                try edit(&$0)
            }
            for folder in ["host", "ro", "open", "m", "secret", "p"] { try box.folder("bundle/rootfs/\(folder)") }
            try bundle.write("secret/s", "hidden")
            try bundle.chown(to: 100_000)
            let mount = "mount --bind '\(host)' '\(host)' && mount -o remount,bind,ro '\(host)' && exec \"$0\" \"$@\""
            let around = Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", mount])
            let outcome = try box.run(bundle, flags: flags, with: around)
            #expect(try FileManager.default.contentsOfDirectory(atPath: host) == [], "\(outcome)")
            return outcome
        }

        @Test(arguments: [[], ["--no-pivot"]], ["/host", "/ro", "/etc", "/"])
        func readOnlyMountsStayReadOnly(flags: [String], path: String) throws {
            let outcome = try attack(
                "busybox mount -o remount,bind,rw none \(path) && echo lifted; busybox mount -o remount,rw,bind,nosuid none \(path) && echo lifted; "
                    + "busybox umount \(path) && echo unmounted; busybox umount -l \(path) && echo unmounted; echo x > \(path)/new && echo wrote; exit 0",
                flags: flags)
            #expect(outcome.status == 0 && outcome.stdout == "", "\(outcome)")
        }

        @Test(arguments: ["/secret", "/etc/group", "/proc/kcore", "/proc/sys", "/etc", "/dev/null"])
        func whatHidesCannotBeTakenAway(path: String) throws {
            let outcome = try attack(
                "busybox umount \(path) && echo unmounted; busybox umount -l \(path) && echo unmounted; "
                    + "busybox mount --move \(path) /m && echo moved; cat /secret/s /etc/group; exit 0")
            #expect(outcome.status == 0 && outcome.stdout == "", "\(outcome)")
        }

        @Test func locksHoldInANamespaceInside() throws {
            let outcome = try attack(
                "busybox unshare -m busybox sh -c 'busybox umount /secret && echo unmounted; busybox mount -o remount,bind,rw none /ro && echo lifted; cat /secret/s'; "
                    + "busybox mount --bind /ro /m && busybox mount -o remount,bind,rw none /m && echo lifted; exit 0")
            #expect(outcome.status == 0 && outcome.stdout == "", "\(outcome)")
        }

        @Test(arguments: [true, false])
        func aFreshProcShowsNothingThatIsMasked(isMasked: Bool) throws {
            let outcome = try attack(
                "busybox unshare -p -f busybox sh -c 'busybox mount -t proc proc /p && test -e /p/self && echo mounted'; exit 0"
            ) {
                guard !isMasked else { return }
                $0["linux.maskedPaths"] = nil
                $0["linux.readonlyPaths"] = nil
            }
            #expect(outcome.status == 0 && outcome.stdout == (isMasked ? "" : "mounted\n"), "\(outcome)")
        }

        @Test func theContainersOwnMountsAreNotLocked() throws {
            let outcome = try attack(
                "busybox mount -t tmpfs none /m && echo x > /m/x && busybox mount -o remount,bind,ro none /m && busybox mount -o remount,bind,rw none /m && "
                    + "echo y > /m/x && busybox umount /m && busybox mount --bind /open /m && busybox umount /m && busybox mount --rbind / /m && echo all"
            )
            #expect(outcome.status == 0 && outcome.stdout == "all\n", "\(outcome)")
        }

        @Test func locksHoldInAJoinedUserNamespace() throws {
            let box = try Sandbox.current
            let holder = try box.aside(["unshare", "--user", "sh", "-c", "echo ready; exec sleep 1000"])
            #expect(holder.says("ready"))
            for map in ["uid_map", "gid_map"] {
                try "0 100000 65536".write(toFile: "/proc/\(holder.pid)/\(map)", atomically: false, encoding: .utf8)
            }
            let outcome = try attack("busybox mount -o remount,bind,rw none /ro && echo lifted; cat /secret/s; exit 0")
            {
                $0.namespace("user", path: "/proc/\(holder.pid)/ns/user")
                $0["linux.uidMappings"] = nil
                $0["linux.gidMappings"] = nil
            }
            #expect(outcome.status == 0 && outcome.stdout == "", "\(outcome)")
        }

        // MARK: What must be as it was

        @Test func theWorkingDirectoryAndTheRootAreTheContainers() throws {
            let outcome = try attack(
                "pwd; busybox readlink /proc/self/cwd; busybox readlink /proc/self/root; echo x > here && cat /m/here"
            ) {
                $0["process.cwd"] = "/m"
            }
            #expect(outcome.status == 0 && outcome.stdout == "/m\n/m\n/\nx\n", "\(outcome)")
        }

        @Test func streamsHaveTheirNames() throws {
            let outcome = try attack("busybox readlink /proc/self/fd/0")
            #expect(outcome.stdout == "/dev/null\n", "\(outcome)")
        }

        @Test(arguments: ["shared", "rshared"])
        func sharedMountsAreSharedInside(word: String) throws {
            let outcome = try attack("busybox grep -c ' /s .*shared:' /proc/self/mountinfo") {
                $0.addMount("/s", type: "tmpfs", source: "tmpfs", options: [word])
                $0["root.readonly"] = false
            }
            #expect(outcome.stdout == "1\n", "\(outcome)")
        }

        @Test(arguments: ["shared", "rshared", "slave", "private", "unbindable"])
        func theRootsPropagationIsKept(word: String) throws {
            let outcome = try attack("busybox awk '$5 == \"/\"' /proc/self/mountinfo") {
                $0["linux.rootfsPropagation"] = word
            }
            #expect(outcome.status == 0, "\(outcome)")
            #expect(outcome.stdout.contains("shared:") == word.hasSuffix("shared"), "\(outcome)")
            #expect(outcome.stdout.contains("unbindable") == (word == "unbindable"), "\(outcome)")
        }

        /// Where one user namespace is all that is allowed, the container runs, and it is said what it lacks.
        @Test func withoutAnotherUserNamespaceTheLossIsAWarning() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:it ran") {
                $0.userNamespace(host: 0, size: 1)
                $0.dropMount("/dev/pts")
            }
            let python =
                "import ctypes, os, sys; c = ctypes.CDLL(None, use_errno=True); u, g = os.getuid(), os.getgid()\n"
                + "assert c.unshare(0x10020000) == 0\n"
                + "open('/proc/self/setgroups', 'w').write('deny'); open('/proc/self/uid_map', 'w').write('0 %d 1' % u)\n"
                + "open('/proc/self/gid_map', 'w').write('0 %d 1' % g); open('/proc/sys/user/max_user_namespaces', 'w').write('1')\n"
                + "os.execv(sys.argv[1], sys.argv[1:])"
            let outcome = try box.run(
                bundle, global: ["--cgroup-manager=disabled"],
                with: Surroundings(prefix: ["python3", "-c", python]))
            #expect(outcome.status == 0 && outcome.stdout == "it ran\n", "\(outcome)")
            #expect(outcome.stderr.contains("not locked against the container's root"), "\(outcome)")
        }
    }
}
