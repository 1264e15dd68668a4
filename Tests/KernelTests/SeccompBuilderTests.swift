import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct SeccompBuilderTests {
    private static func token(_ name: String) throws -> SeccompArchitectureToken {
        try #require(SeccompArchitectureToken(name: name))
    }

    /// The AUDIT_ARCH values of linux/audit.h; x32's is libseccomp's own.
    @Test(
        arguments: [
            ("x86_64", 0xc000_003e), ("x86", 0x4000_0003), ("aarch64", 0xc000_00b7), ("arm", 0x4000_0028),
            ("riscv64", 0xc000_00f3), ("ppc64le", 0xc000_0015), ("s390x", 0x8000_0016), ("mips", 0x8),
            ("x32", 0x4000_003e),
        ] as [(String, UInt32)])
    func knownArchitecturesAreTaken(name: String, token: UInt32) {
        #expect(SeccompArchitectureToken(name: name)?.rawValue == token)
    }

    @Test(arguments: ["", "X86_64", "SCMP_ARCH_X86_64", "vax"])
    func unknownArchitecturesAreRefused(name: String) {
        #expect(SeccompArchitectureToken(name: name) == nil)
    }

    /// From the kernel's tables of system calls.
    @Test(
        arguments: [
            ("read", "x86_64", 0), ("write", "x86_64", 1), ("openat2", "x86_64", 437), ("clone3", "x86_64", 435),
            ("read", "x86", 3), ("openat2", "x86", 437), ("read", "aarch64", 63), ("openat", "aarch64", 56),
            ("open", "aarch64", nil), ("chown32", "x86_64", nil), ("chown32", "x86", 212),
            ("nobody_calls_this", "x86_64", nil),
            ("nobody_calls_this", "aarch64", nil),
        ] as [(String, String, UInt32?)])
    func everyCallHasItsNumber(name: String, architecture: String, number: UInt32?) throws {
        #expect(SeccompLibrary.number(name, on: try Self.token(architecture)) == number)
    }

    @Test func callsOfTheNativeArchitectureHaveItsNumbers() {
        #expect(SeccompLibrary.number("nobody_calls_this") == nil)
        let native = SeccompArchitectureToken.native
        #expect(SeccompLibrary.number("read").map(UInt32.init) == SeccompLibrary.number("read", on: native))
    }

    /// A call that only another architecture has is still a call: libseccomp gives it a number below zero.
    @Test(.needsX8664)
    func callsOfOtherArchitecturesAreBelowZero() throws {
        #expect(try #require(SeccompLibrary.number("chown32")) < 0)
    }

    /// SECCOMP_RET_* of linux/seccomp.h.
    @Test(
        arguments: [
            (.killProcess, 0x8000_0000), (.killThread, 0), (.trap, 0x0003_0000), (.errno(0), 0x0005_0000),
            (.errno(1), 0x0005_0001), (.errno(4095), 0x0005_0fff), (.notify, 0x7fc0_0000), (.trace(0), 0x7ff0_0000),
            (.trace(65535), 0x7ff0_ffff), (.log, 0x7ffc_0000), (.allow, 0x7fff_0000),
        ] as [(SeccompVerdict, UInt32)])
    func verdictsAreTheKernelsWords(verdict: SeccompVerdict, word: UInt32) {
        #expect(verdict.word == word)
    }

    @Test func aProgramConsistsOfWholeInstructions() throws {
        let builder = try SeccompBuilder(defaultVerdict: .errno(1))
        try builder.add(.allow, call: 0, where: [], name: "read")
        let program = try builder.export()
        #expect(program.bytes.count % 8 == 0)
        #expect(program.bytes.count > 8)
        let again = try builder.export()
        #expect(again == program)
    }

    @Test func rulesThatLibseccompRefusesAreErrors() throws {
        let builder = try SeccompBuilder(defaultVerdict: .allow)
        let same = failure { () throws(SystemError) in try builder.add(.allow, call: 0, where: [], name: "read") }
        #expect(same?.subject == "read")
        #expect(same?.code == .accessDenied)
        let outside = failure { () throws(SystemError) in
            try builder.add(
                .errno(1), call: 0, where: [SeccompComparison(argument: 6, comparison: .equal, value: 1, second: 0)],
                name: "read")
        }
        #expect(outside?.code == .invalidArgument)
    }

    @Test func anArchitectureMayBeAddedTwice() throws {
        let builder = try SeccompBuilder(defaultVerdict: .allow)
        try builder.addArchitecture(.native)
        try builder.addArchitecture(.native)
        let error = failure { () throws(SystemError) in
            try builder.addArchitecture(SeccompArchitectureToken(rawValue: 0x1234))
        }
        #expect(error?.code == .invalidArgument)
    }

    @Test func theLibraryVersionIsKnown() {
        let parts = SeccompLibrary.version.split(separator: ".").compactMap { Int($0) }
        #expect(parts.count == 3)
        #expect((parts.first ?? 0) >= 2)
    }

    @Test func theKernelKnowsItsFlags() {
        #expect(SeccompSupport.isAvailable(.allow))
        #expect(SeccompSupport.isAvailable(.errno(1)))
        #expect(SeccompSupport.isKnown(flag: SeccompSupport.log))
        #expect(!SeccompSupport.isKnown(flag: 1 << 30))
    }
}
