import Foundation
import Glibc
import Testing

extension AllTests {
    /// Containers that are hosts themselves: an own cgroup tree to fill, containers in the container, systemd as its
    /// init; and roots that are overlays.
    @Suite struct SystemContainers {
        static let all = [
            "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
            "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
            "SYS_CHROOT", "SYS_PTRACE", "SYS_ADMIN", "SYS_NICE", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE",
            "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN",
        ].map { "CAP_" + $0 }

        /// What a container needs that makes containers: all capabilities, nothing hidden in /proc, a cgroup tree to
        /// write to.
        private func makeSystem(_ config: inout Config) {
            config.namespace("cgroup")
            config.capabilities(Self.all)
            config["process.noNewPrivileges"] = false
            config["linux.maskedPaths"] = [String]()
            config["linux.readonlyPaths"] = [String]()
            config.addMount(
                "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw", "nosuid", "noexec", "nodev"])
            config.addMount("/run", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=755"])
        }

        // MARK: Roots

        @Test func anOverlayCanBeTheRoot() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("say:in", "create:/made", "unlink:/etc/group", "stat:/etc/group", "mount:/")
            let lower = try box.folder("lower")
            try FileManager.default.removeItem(atPath: lower)
            try FileManager.default.moveItem(atPath: bundle.rootfs, toPath: lower)
            for folder in ["upper", "work", "bundle/rootfs"] { try box.folder(folder) }
            let options = "lowerdir=\(lower),upperdir=\(box.path("upper")),workdir=\(box.path("work"))"
            // In a mount namespace of its own: the host sees nothing of it.
            let script = "mount -t overlay overlay -o '\(options)' '\(bundle.rootfs)' && exec \"$0\" \"$@\""
            let outcome = try box.run(
                bundle, with: Surroundings(prefix: ["unshare", "-m", "--propagation", "private", "sh", "-c", script]))
            #expect(outcome.status == 0 && outcome["mount./.type"] == "overlay", "\(outcome)")
            #expect(FileManager.default.fileExists(atPath: box.path("upper") + "/made"), "written to the upper layer")
            #expect(!FileManager.default.fileExists(atPath: lower + "/made"), "not to the lower one")
            #expect(FileManager.default.fileExists(atPath: lower + "/etc/group"), "nor taken away there")
        }

        // MARK: Containers in a container

        @Test(
            .needsCgroup2AtItsUsualPlace,
            arguments: [false, true])
        func runboxWorksInAContainer(inUserNamespace: Bool) throws {
            let box = try Sandbox.current
            let limited = CgroupTree.has("pids")
            let script = """
                set -e
                cd /sys/fs/cgroup; mkdir leaf; echo $$ > leaf/cgroup.procs
                cd /inner
                runbox spec
                sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"sh", "-c", "echo inner $$; cat \\/proc\\/self\\/cgroup"/' config.json
                runbox run first
                sed -i 's/echo inner.*cgroup"/sleep 1000"/' config.json
                runbox create second; runbox start second
                runbox exec second cat /proc/1/cmdline | tr '\\0' ' '; echo
                \(limited ? "runbox update --pids-limit 7 second; cat /sys/fs/cgroup/second/pids.max" : "echo 7")
                runbox pause second; runbox list; runbox resume second
                runbox delete --force second
                runbox list -q; ls -d /sys/fs/cgroup/second 2>&1 | grep -c 'No such'; echo done
                """
            let bundle = try box.bundle(args: ["sh", "-c", script]) {
                makeSystem(&$0)
                $0["linux.cgroupsPath"] = "/" + box.id
                $0["root.readonly"] = false
                if inUserNamespace { $0.userNamespace() }
            }
            for applet in ["mkdir", "sed", "tr", "grep"] { symlink("busybox", bundle.rootfs + "/bin/" + applet) }
            for folder in ["inner/rootfs", "run"] { try box.folder("bundle/rootfs/" + folder) }
            try FileManager.default.copyItem(atPath: Programs.runtime, toPath: bundle.rootfs + "/bin/runbox")
            try FileManager.default.copyItem(
                atPath: bundle.rootfs + "/bin", toPath: bundle.rootfs + "/inner/rootfs/bin")
            if inUserNamespace { try bundle.chown(to: 100_000) }
            let outcome = try box.run(bundle)
            #expect(outcome.status == 0, "\(outcome)")
            let lines = outcome.stdout.split(separator: "\n").map(String.init)
            #expect(lines.contains("inner 1") && lines.contains { ["0::/", "0::/first"].contains($0) }, "\(outcome)")
            #expect(lines.contains("sleep 1000 ") && lines.contains("7"), "exec and update: \(outcome)")
            #expect(lines.contains { $0.hasPrefix("second") && $0.contains("paused") }, "list: \(outcome)")
            #expect(lines.suffix(2) == ["1", "done"], "nothing is left inside: \(outcome)")
        }

        // MARK: systemd

        static let systemd = "/lib/systemd/systemd"

        @Test(
            .needsCgroup2AtItsUsualPlace, .needsFile(systemd),
            arguments: [false, true])
        func systemdWorksAsTheInit(inUserNamespace: Bool) throws {
            let box = try Sandbox.current
            let bundle = try box.bundle(args: [
                Self.systemd, "--unit=box.target", "--show-status=no", "--log-target=console",
            ]) {
                makeSystem(&$0)
                $0["linux.cgroupsPath"] = "/" + box.id
                $0["process.env"] = ["container=oci", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
                if inUserNamespace { $0.userNamespace() }
                for folder in ["/usr", "/lib", "/lib64", "/bin", "/sbin"] where access(folder, F_OK) == 0 {
                    $0.addMount(folder, type: "bind", source: folder, options: ["rbind", "ro"])
                }
                for folder in ["/tmp", "/var", "/etc/systemd/system.control"] {
                    $0.addMount(folder, type: "tmpfs", source: "tmpfs", options: ["mode=755"])
                }
            }
            try box.folder("bundle/rootfs/etc/systemd/system")
            try bundle.write("etc/machine-id", "")
            try bundle.write("etc/os-release", "ID=box\n")
            try bundle.write("etc/systemd/system/box.target", "[Unit]\nRequires=box.service\nAllowIsolate=yes\n")
            try bundle.write(
                "etc/systemd/system/box.service",
                """
                [Unit]
                DefaultDependencies=no
                [Service]
                MemoryMax=64M
                StandardOutput=file:/result
                ExecStart=/bin/sh -c 'cat /proc/self/cgroup; echo started; exec sleep 1000'
                """)
            if inUserNamespace { try bundle.chown(to: 100_000) }
            let created = try box.create(bundle)
            try box.ok("start", box.id)
            let isDone = eventually(60) {
                (try? String(contentsOfFile: bundle.rootfs + "/result", encoding: .utf8))?.contains("started") == true
            }
            let result = (try? String(contentsOfFile: bundle.rootfs + "/result", encoding: .utf8)) ?? ""
            #expect(
                isDone && result.contains("0::/system.slice/box.service"),
                "\(result) \(created.stdout) \(created.stderr)")
            let active = try box.runtime("exec", box.id, "systemctl", "is-active", "box.service")
            #expect(active.stdout == "active\n", "exec beside it: \(active)")
            if CgroupTree.has("memory") {
                #expect(
                    CgroupTree.read("/\(box.id)/system.slice/box.service/memory.max") == "67108864",
                    "its units have limits of their own")
            }
            // systemd.special(7): the signal to halt at once is RTMIN+13; a container's systemd then exits.
            try box.ok("kill", box.id, "47")
            #expect(box.becomes("stopped"), "\(created.stdout) \(created.stderr)")
            try box.ok("delete", box.id)
            #expect(!CgroupTree.exists("/" + box.id), "with all its units' cgroups")
        }
    }
}
