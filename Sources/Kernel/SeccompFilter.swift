internal import CLinux
internal import CSeccomp

/// A classic BPF program for seccomp(2), as the kernel takes it: 8 bytes an instruction.
package struct SeccompProgram: Sendable, Equatable {
    package let bytes: [UInt8]
    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// Loads the filter into this process. Nothing is allocated here.
    ///
    /// - Parameter flags: SECCOMP_FILTER_FLAG_* bits.
    package func load(flags: UInt32) throws(SystemError) {
        try withProgram { program throws(SystemError) in
            _ = try check("seccomp") {
                lend(program) { system(Int(SYS_seccomp), Int(SECCOMP_SET_MODE_FILTER), Int(flags), $0) }
            }
        }
    }

    /// Loads a filter that notifies, and gives the descriptor of its listener away before any further call of this process is filtered.
    ///
    /// The filter holds the calling thread only. Another thread sends the packet with the descriptor and waits for an answer, so it does not matter
    /// what the filter does with such calls. That thread ends by itself, at the latest in execve, which must be the next call.
    /// - Parameters:
    ///   - flags: SECCOMP_FILTER_FLAG_* bits, ``SeccompSupport/newListener`` among them.
    ///   - socket: where the packet goes, and where any answer lets this call return. Its end instead of an answer is an error.
    package func load(
        flags: UInt32, sending packet: [UInt8], on socket: borrowing Descriptor
    ) throws(SystemError) {
        let raw = socket.raw
        try withProgram { program throws(SystemError) in
            let result = packet.withUnsafeBytes {
                clinux_load_listener(program, flags, raw, $0.baseAddress, $0.count)
            }
            if result == 0 { return }
            throw SystemError(result == -1 ? "seccomp" : "hand over the seccomp listener", "", .current)
        }
    }

    private func withProgram(
        _ body: (UnsafeRawPointer) throws(SystemError) -> Void
    ) throws(SystemError) {
        try bytes.withUnsafeBufferPointer { buffer throws(SystemError) in
            var program = sock_fprog()
            guard let length = UInt16(exactly: buffer.count / 8) else {
                throw SystemError("seccomp", "program", .tooLong)
            }
            program.len = length
            program.filter = UnsafeMutableRawPointer(mutating: UnsafeRawPointer(buffer.baseAddress))?
                .assumingMemoryBound(to: sock_filter.self)
            try withUnsafePointer(to: &program) { pointer throws(SystemError) in try body(pointer) }
        }
    }
}

/// What a filter does with a system call.
package enum SeccompVerdict: Sendable, Equatable, Hashable {
    case killProcess, killThread, trap, log, allow, notify
    case errno(UInt16)
    case trace(UInt16)

    var word: UInt32 {
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

    fileprivate var native: scmp_arg_cmp {
        let op: scmp_compare =
            switch comparison {
            case .notEqual: SCMP_CMP_NE
            case .less: SCMP_CMP_LT
            case .lessOrEqual: SCMP_CMP_LE
            case .equal: SCMP_CMP_EQ
            case .greaterOrEqual: SCMP_CMP_GE
            case .greater: SCMP_CMP_GT
            case .maskedEqual: SCMP_CMP_MASKED_EQ
            }
        return scmp_arg_cmp(arg: argument, op: op, datum_a: value, datum_b: second)
    }
}

/// An architecture of system calls, by libseccomp's token (an AUDIT_ARCH value).
package struct SeccompArchitectureToken: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static var native: Self { Self(rawValue: seccomp_arch_native()) }

    /// Whether a process on this machine can make calls of this architecture. Rules for others would only make every call slower:
    /// a call of an architecture that a filter does not name is answered by killing the process, and these never come.
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

/// Builds a filter by libseccomp; seccomp_init(3) and its kin.
package struct SeccompBuilder: ~Copyable {
    private let context: scmp_filter_ctx

    /// The library's version, part of what a cached program depends on.
    package static var libraryVersion: String {
        guard let version = seccomp_version()?.pointee else { return "0" }
        return "\(version.major).\(version.minor).\(version.micro)"
    }

    package init(defaultVerdict: SeccompVerdict) throws(SystemError) {
        guard let context = seccomp_init(defaultVerdict.word) else {
            throw SystemError("seccomp_init", "", .invalidArgument)
        }
        self.context = context
    }

    deinit { seccomp_release(context) }

    private static func result(_ code: Int32, _ call: String, _ subject: String) throws(SystemError) {
        if code < 0 { throw SystemError(call, subject, Errno(rawValue: -code)) }
    }

    package func addArchitecture(_ token: SeccompArchitectureToken) throws(SystemError) {
        let code = seccomp_arch_add(context, token.rawValue)
        if code == -EEXIST { return }
        try Self.result(code, "seccomp_arch_add", "")
    }

    /// The number of a system call on the native architecture (negative for calls that only others have); nil when libseccomp does not know the name.
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

    /// Adds a rule; all comparisons must hold.
    package func add(
        _ verdict: SeccompVerdict, call number: Int32, where comparisons: [SeccompComparison], name: String
    ) throws(SystemError) {
        let native = comparisons.map(\.native)
        let code = native.withUnsafeBufferPointer {
            seccomp_rule_add_array(context, verdict.word, number, UInt32($0.count), $0.baseAddress)
        }
        try Self.result(code, "seccomp_rule_add", name)
    }

    /// The finished program.
    package func export() throws(SystemError) -> SeccompProgram {
        let file = try Files.memoryFile("seccomp")
        try Self.result(seccomp_export_bpf(context, file.raw), "seccomp_export_bpf", "")
        _ = lseek(file.raw, 0, SEEK_SET)
        return SeccompProgram(bytes: try Files.read(file, subject: "seccomp program"))
    }
}

package enum SeccompSupport {
    package static let log: UInt32 = 2
    package static let allowSpeculation: UInt32 = 4
    /// The load returns the descriptor of a listener, who decides on calls with the verdict `notify`. seccomp_unotify(2).
    package static let newListener: UInt32 = 8
    /// A call that the listener has read waits for its answer and for SIGKILL only (Linux 5.19); with ``newListener``.
    package static let waitKillable: UInt32 = 32

    /// Whether the kernel can do what a return value asks. seccomp(2), SECCOMP_GET_ACTION_AVAIL.
    package static func isAvailable(_ verdict: SeccompVerdict) -> Bool {
        var value = verdict.word & 0xffff_0000
        return lend(&value) { system(Int(SYS_seccomp), Int(SECCOMP_GET_ACTION_AVAIL), 0, $0) } == 0
    }

    /// Whether a supervisor's answer may be waited for by all but fatal signals (Linux 5.19). The flag is valid only with a new listener.
    package static var knowsWaitKillable: Bool { isKnown(flag: newListener | waitKillable) }

    /// Whether the kernel knows a filter flag: an unknown one is EINVAL, a known one faults on the missing program.
    package static func isKnown(flag: UInt32) -> Bool {
        let result = system(Int(SYS_seccomp), Int(SECCOMP_SET_MODE_FILTER), Int(flag), 0)
        return result == -1 && Errno.current.rawValue == EFAULT
    }
}
