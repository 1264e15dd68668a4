internal import KernelTypes

/// Answers ENOSYS, not the profile's refusal, to system calls that are newer than the profile.
///
/// A C library that tries a new call falls back on ENOSYS, while EPERM looks like a real refusal to it. So what is
/// above the highest number that the profile names, for each architecture, gets the answer of a kernel that does not
/// have it.
enum ENOSYSStub {
    static func instructions(_ verdict: SeccompVerdict, _ calls: SeccompCalls) -> [SeccompInstruction] {
        guard isRefusal(verdict) else { return [] }
        return calls.numbers.flatMap { architecture, calls in
            let highest = calls.last { $0.number < SeccompCalls.x32Bit }
            return highest.map { check(architecture, highest: $0.number) } ?? []
        }
    }

    private static func isRefusal(_ verdict: SeccompVerdict) -> Bool {
        switch verdict {
        case .killProcess, .killThread, .trap: true
        case .errno(let code): code != 38
        case .log, .allow, .notify, .trace: false
        }
    }

    /// For one architecture: if it is this one and the number is above the highest, but not an x32 number, then ENOSYS.
    private static func check(_ architecture: UInt32, highest: UInt32) -> [SeccompInstruction] {
        let hasX32 = SeccompArchitectureToken(name: "x86_64")?.rawValue == architecture
        return [
            .loadArchitecture,
            .jump(ifEqual: architecture, 0, else: 4),
            .loadNumber,
            .jump(ifAtLeast: hasX32 ? SeccompCalls.x32Bit : .max, 2, else: 0),
            .jump(ifAbove: highest, 0, else: 1),
            .answer(SeccompVerdict.errno(38).word),
        ]
    }
}
