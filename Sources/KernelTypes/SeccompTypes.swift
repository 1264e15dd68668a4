internal import CLinux
internal import CSeccomp

/// A classic BPF program for seccomp(2), as the kernel takes it: 8 bytes an instruction.
package struct SeccompProgram: Sendable, Equatable {
    package let bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }
}

/// What a filter does with a system call.
package enum SeccompVerdict: Sendable, Equatable, Hashable {
    case killProcess, killThread, trap, log, allow, notify
    case errno(UInt16)
    case trace(UInt16)

    package var word: UInt32 {
        switch self {
        case .killProcess: UInt32(SCMP_ACT_KILL_PROCESS)
        case .killThread: UInt32(SCMP_ACT_KILL_THREAD)
        case .trap: UInt32(SCMP_ACT_TRAP)
        case .log: UInt32(SCMP_ACT_LOG)
        case .allow: UInt32(SCMP_ACT_ALLOW)
        case .notify: 0x7fc0_0000  // SCMP_ACT_NOTIFY
        case .errno(let value): 0x0005_0000 | UInt32(value)
        case .trace(let value): 0x7ff0_0000 | UInt32(value)
        }
    }
}

/// One comparison of an argument; seccomp_rule_add(3).
package struct SeccompComparison: Sendable, Equatable {
    package enum Operator: Sendable, Equatable {
        case notEqual, less, lessOrEqual, equal, greaterOrEqual, greater, maskedEqual
    }

    package let argument: UInt32
    package let comparison: Operator
    package let value: UInt64
    /// Of `maskedEqual`: what the masked argument must equal; `value` is the mask.
    package let second: UInt64

    package init(argument: UInt32, comparison: Operator, value: UInt64, second: UInt64) {
        self.argument = argument
        self.comparison = comparison
        self.value = value
        self.second = second
    }

}

/// An architecture of system calls, by libseccomp's token (an AUDIT_ARCH value).
package struct SeccompArchitectureToken: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static var native: Self { Self(rawValue: seccomp_arch_native()) }

    /// Whether a process on this machine can make calls of this architecture. Rules for others would only make every
    /// call slower: a call of an architecture that a filter does not name is answered by killing the process, and these
    /// never come.
    package var canOccurHere: Bool {
        for family in [["x86_64", "x86", "x32"], ["aarch64", "arm"]] {
            let tokens = family.compactMap { Self(name: $0) }
            if tokens.contains(.native) { return tokens.contains(self) }
        }
        return true
    }

    /// The token of a name such as `x86_64` (libseccomp's, lower case); nil when this libseccomp has none.
    package init?(name: String) {
        let token = seccomp_arch_resolve_name(name)
        guard token != 0 else { return nil }
        rawValue = token
    }
}

/// What libseccomp knows of system calls; seccomp_syscall_resolve_name(3). Nothing is changed by asking it.
package enum SeccompLibrary {
    /// The library's version, part of what a cached program depends on.
    package static var version: String {
        guard let version = seccomp_version()?.pointee else { return "0" }
        return "\(version.major).\(version.minor).\(version.micro)"
    }

    /// The number of a system call on the native architecture (negative for calls that only others have); nil when
    /// libseccomp does not know the name.
    package static func number(_ name: String) -> Int32? {
        let number = seccomp_syscall_resolve_name(name)
        return number == __NR_SCMP_ERROR ? nil : number
    }

    /// The names of all calls of the native architecture that libseccomp knows.
    package static func knownNames() -> [String] {
        (0..<1024).compactMap { number in
            guard let name = seccomp_syscall_resolve_num_arch(seccomp_arch_native(), Int32(number)) else { return nil }
            defer { free(name) }
            return String(cString: name)
        }
    }

    /// The number of a system call on an architecture; nil when it has none.
    package static func number(_ name: String, on token: SeccompArchitectureToken) -> UInt32? {
        let number = seccomp_syscall_resolve_name_arch(token.rawValue, name)
        return number < 0 ? nil : UInt32(number)
    }
}
