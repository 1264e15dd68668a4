internal import KernelTypes
internal import Planning

/// Answers ENOSYS, not the profile's refusal, to system calls that are newer than the profile.
///
/// A C library that tries a new call falls back on ENOSYS, while EPERM looks like a real refusal to it. So what is
/// above the highest number that the profile names, for each architecture, gets the answer of a kernel that does not
/// have it.
enum ENOSYSStub {
    private static let auditX8664: UInt32 = 0xc000_003e
    private static let x32Bit: UInt32 = 0x4000_0000

    static func prepend(to program: SeccompProgram, plan: SeccompPlan) -> SeccompProgram {
        guard isRefusal(plan.defaultVerdict) else { return program }
        var architectures = plan.architectures
        if !architectures.contains(.native) { architectures.append(.native) }
        var stub: [UInt8] = []
        for architecture in architectures {
            guard let highest = highestCall(of: plan, on: architecture), !isX32(architecture) else { continue }
            stub += check(architecture, highest: highest)
        }
        return stub.isEmpty ? program : SeccompProgram(bytes: stub + program.bytes)
    }

    private static func isRefusal(_ verdict: SeccompVerdict) -> Bool {
        switch verdict {
        case .killProcess, .killThread, .trap: true
        case .errno(let code): code != 38
        case .log, .allow, .notify, .trace: false
        }
    }

    /// x32 shares its audit number with x86_64 and is distinguished by a bit of the call's number.
    private static func isX32(_ architecture: SeccompArchitectureToken) -> Bool {
        SeccompArchitectureToken(name: "x32") == architecture
    }

    private static func highestCall(of plan: SeccompPlan, on architecture: SeccompArchitectureToken) -> UInt32? {
        plan.names.compactMap { SeccompLibrary.number($0, on: architecture) }.max()
    }

    /// For one architecture: if it is this one and the number is above the highest, but not an x32 number, then ENOSYS.
    private static func check(_ architecture: SeccompArchitectureToken, highest: UInt32) -> [UInt8] {
        instruction(0x20, value: 4)  // load the architecture
            + instruction(0x15, ifTrue: 0, ifFalse: 4, value: architecture.rawValue)
            + instruction(0x20, value: 0)  // load the number
            + instruction(0x35, ifTrue: 2, ifFalse: 0, value: architecture.rawValue == auditX8664 ? x32Bit : .max)
            + instruction(0x25, ifTrue: 0, ifFalse: 1, value: highest)
            + instruction(0x06, value: 0x0005_0000 | 38)
    }

    /// One struct sock_filter; the kernel takes the byte order of the machine.
    private static func instruction(
        _ code: UInt16, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0, value: UInt32
    ) -> [UInt8] {
        withUnsafeBytes(of: code) { Array($0) } + [ifTrue, ifFalse] + withUnsafeBytes(of: value) { Array($0) }
    }
}
