internal import CLinux
package import KernelTypes

/// Asks the kernel what it can do, by calls that cannot have any effect.
package enum KernelProbe {
    /// What came of asking.
    package enum Answer: Sendable, Equatable {
        case yes
        /// The kernel does not have it.
        case no
        /// It may have it, and does not let this process see; the reason is its errno.
        case refused(Errno)
    }

    /// System calls newer than the oldest kernels still in use.
    package enum Call: String, CaseIterable, Sendable {
        case openat2
        case clone3
        case pidfdOpen = "pidfd_open"
        case pidfdSendSignal = "pidfd_send_signal"
        case closeRange = "close_range"
        case openTree = "open_tree"
        case moveMount = "move_mount"
        case fsopen
        case mountSetattr = "mount_setattr"
    }

    /// Whether a system call is there: its arguments are such that it must fail.
    package static func has(_ call: Call) -> Answer {
        let all = Int(UInt32.max)
        let result =
            switch call {
            case .openat2: system(Int(SYS_openat2), -1, 0, 0, 0)
            case .clone3: system(Int(SYS_clone3), 0, 0)
            case .pidfdOpen: system(Int(SYS_pidfd_open), -1, all)
            case .pidfdSendSignal: system(Int(SYS_pidfd_send_signal), -1, 0, 0, 0)
            case .closeRange: system(Int(SYS_close_range), 1, 0, 0)
            case .openTree: system(Int(SYS_open_tree), -1, 0, all)
            case .moveMount: system(Int(SYS_move_mount), -1, 0, -1, 0, all)
            case .fsopen: system(Int(SYS_fsopen), 0, all)
            case .mountSetattr: system(Int(SYS_mount_setattr), -1, 0, all, 0, 0)
            }
        guard result == -1 else { return .yes }
        return answer(Errno.current, needsPrivilege: call == .moveMount || call == .fsopen)
    }

    /// Calls for privileged users only refuse others before they look at anything; elsewhere EPERM is a filter's.
    private static func answer(_ code: Errno, needsPrivilege: Bool) -> Answer {
        if code == .noSystemCall { return .no }
        return code == .notPermitted && !needsPrivilege ? .refused(code) : .yes
    }

    /// Whether a process can be cloned into a cgroup (CLONE_INTO_CGROUP, Linux 5.7): a descriptor that cannot be is
    /// refused behind the flag.
    package static var canCloneIntoCgroup: Answer {
        var arguments = [UInt64](repeating: 0, count: 11)
        arguments[0] = 0x2_0000_0000
        arguments[10] = UInt64(Int32.max)
        let result = lend(arguments) { system(Int(SYS_clone3), $0, arguments.count * 8) }
        if result == 0 { Processes.exit(0) }
        return Errno.current == .badDescriptor ? .yes : Errno.current == .notPermitted ? .refused(.notPermitted) : .no
    }

    /// Whether mounts can have id mappings of their own (MOUNT_ATTR_IDMAP, Linux 5.12).
    package static var canMapMounts: Answer {
        var attributes = mount_attr()
        attributes.attr_set = 0x0010_0000
        attributes.userns_fd = UInt64(Int32.max)
        let result = lend("", &attributes) {
            system(Int(SYS_mount_setattr), -1, $0, Int(AT_EMPTY_PATH), $1, MemoryLayout<mount_attr>.size)
        }
        let code = Errno.current
        if result == -1, code == .notPermitted { return .refused(code) }
        return result == -1 && code == .badDescriptor ? .yes : .no
    }

    /// Whether a pidfd shows how a reaped process ended (PIDFD_INFO_EXIT, Linux 6.15). Takes a child that ends at once.
    package static var reportsExit: Answer {
        do throws(SystemError) {
            let child = try Cloning.clone(cgroup: nil) { Processes.exit(3) }
            _ = try Processes.wait(child)
            return Processes.exitInformation(of: child.pidfd) == .exited(code: 3) ? .yes : .no
        } catch {
            return .refused(error.code)
        }
    }

    /// Whether the runtime's supervisor of system calls can be used. seccomp(2), SECCOMP_GET_NOTIF_SIZES, Linux 5.0.
    package static var hasSeccompNotifications: Answer {
        var sizes = (UInt16(0), UInt16(0), UInt16(0))
        let result = lend(writable: &sizes) { system(Int(SYS_seccomp), Int(SECCOMP_GET_NOTIF_SIZES), 0, $0) }
        return result == 0 ? .yes : .no
    }

    /// Whether this process may load a program that decides on devices. bpf(2)
    package static var loadsDevicePrograms: Answer {
        do throws(SystemError) {
            // r0 = 1; exit
            _ = try BPF.loadDeviceProgram([
                BPFInstruction(code: 0xb7, destination: 0, immediate: 1), BPFInstruction(code: 0x95),
            ])
            return .yes
        } catch {
            return error.code == .noSystemCall || error.code == .invalidArgument ? .no : .refused(error.code)
        }
    }

    /// Whether this process may clone mounts.
    package static var clonesMounts: Answer {
        do throws(SystemError) {
            _ = try Mounting.cloneTree("/", recursive: false)
            return .yes
        } catch {
            return error.code == .noSystemCall ? .no : .refused(error.code)
        }
    }

    /// Whether executables can be copied into memory and sealed there.
    package static var sealsMemory: Answer {
        do throws(SystemError) {
            let file = try Files.memoryFile("probe", sealable: true)
            try Files.write("#", to: file)
            try Files.seal(file)
            return Files.isExecutable(file.path) ? .yes : .refused(.accessDenied)
        } catch {
            return error.code == .noSystemCall ? .no : .refused(error.code)
        }
    }

    /// The result of making a user namespace.
    package enum UserNamespaceTrial: Sendable, Equatable {
        case works
        /// It can be made, and gives no privileges in it: a security module's doing.
        case powerless
        case refused(Errno)
    }

    /// Makes a child in namespaces of its own, which ends at once.
    package static var userNamespaces: UserNamespaceTrial {
        do throws(SystemError) {
            let child = try Cloning.clone([.user, .uts], cgroup: nil) {
                Processes.exit((try? Credentials.setHostName("runbox")) == nil ? 1 : 0)
            }
            return try Processes.wait(child) == .exited(code: 0) ? .works : .powerless
        } catch {
            return .refused(error.code)
        }
    }

    /// The running kernel's release and the machine's name. uname(2)
    package static var machine: (release: String, machine: String) {
        var name = utsname()
        _ = uname(&name)
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return (text(name.release), text(name.machine))
    }
}

extension Files {
    /// Whether a program gets capabilities when it is executed. capabilities(7), "File capabilities"
    package static func hasCapabilities(_ path: String) -> Bool { getxattr(path, "security.capability", nil, 0) > 0 }
}
