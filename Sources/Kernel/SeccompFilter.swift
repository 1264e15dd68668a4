internal import CLinux
internal import CSeccomp
package import KernelTypes

/// Loading a program; seccomp(2).
extension SeccompProgram {
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

    /// Loads a filter that notifies, and gives the descriptor of its listener away before any further call of this
    /// process is filtered.
    ///
    /// The filter holds the calling thread only. Another thread sends the packet with the descriptor and waits for an
    /// answer, so it does not matter what the filter does with such calls. That thread ends by itself, at the latest in
    /// execve, which must be the next call.
    /// - Parameters:
    ///   - flags: SECCOMP_FILTER_FLAG_* bits, ``SeccompSupport/newListener`` among them.
    ///   - socket: where the packet goes, and where any answer lets this call return. Its end instead of an answer is
    ///     an error.
    package func load(
        flags: UInt32, sending packet: [UInt8], on socket: borrowing Descriptor
    ) throws(SystemError) {
        let raw = socket.raw
        try withProgram { program throws(SystemError) in
            let result = packet.withUnsafeBytes {
                clinux_load_listener(program, flags, raw, $0.baseAddress, $0.count)
            }
            if result == 0 { return }
            let code = Errno.current
            throw result == -1 ? SystemError("seccomp", "", code) : .failed("hand over the seccomp listener", "", code)
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

extension SeccompComparison {
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

/// Ends a filter under construction.
@usableFromInline func release(_ context: UnsafeMutableRawPointer) { seccomp_release(context) }

/// Builds a filter by libseccomp; seccomp_init(3) and its kin.
@frozen public struct SeccompBuilder: ~Copyable {
    @usableFromInline let context: UnsafeMutableRawPointer

    package init(defaultVerdict: SeccompVerdict) throws(SystemError) {
        guard let context = seccomp_init(defaultVerdict.word) else {
            throw SystemError("seccomp_init", "", .invalidArgument)
        }
        self.context = context
    }

    @inlinable deinit { release(context) }

    private static func result(_ code: Int32, _ call: String, _ subject: String) throws(SystemError) {
        if code < 0 { throw SystemError(call, subject, Errno(rawValue: -code)) }
    }

    package func addArchitecture(_ token: SeccompArchitectureToken) throws(SystemError) {
        let code = seccomp_arch_add(context, token.rawValue)
        if code == -EEXIST { return }
        try Self.result(code, "seccomp_arch_add", "")
    }

    /// Adds a rule; all comparisons must hold.
    package func add(
        _ verdict: SeccompVerdict, call number: Int32, where comparisons: [SeccompComparison], name: String
    ) throws(SystemError) {
        let native = comparisons.map { $0.native }
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

extension SeccompSupport {
    /// Whether the kernel can do what a return value asks. seccomp(2), SECCOMP_GET_ACTION_AVAIL.
    package static func isAvailable(_ verdict: SeccompVerdict) -> Bool {
        var value = verdict.word & 0xffff_0000
        return lend(&value) { system(Int(SYS_seccomp), Int(SECCOMP_GET_ACTION_AVAIL), 0, $0) } == 0
    }
}
