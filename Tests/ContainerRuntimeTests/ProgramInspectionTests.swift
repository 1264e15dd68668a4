import KernelTypes
import OCISpec
import Planning
import TestSupport
import Testing

@testable import ContainerRuntime

/// What the first bytes of a program say, and what is made of it.
@Suite struct ProgramInspectionTests {
    @Test(
        arguments: [
            ("#!/bin/sh\n", .script(interpreter: "/bin/sh", argument: "")),
            ("#! \t/bin/sh  -e x \nrest", .script(interpreter: "/bin/sh", argument: "-e x")),
            ("#!/bin/sh\r\n", .script(interpreter: "/bin/sh\r", argument: "")),
            ("#!/bin/sh -e\r\n", .script(interpreter: "/bin/sh", argument: "-e\r")),
            ("#!", .script(interpreter: "", argument: "")), ("#!\n", .script(interpreter: "", argument: "")),
            ("", .empty), ("echo", .other), ("MZ\u{90}", .portableExecutable), ("\u{0}asm\u{1}", .webAssembly),
        ] as [(String, ProgramHead)])
    func aProgramsHeadShowsItsFormat(text: String, head: ProgramHead) { #expect(ProgramHead(Array(text.utf8)) == head) }

    /// The kernel looks at 256 bytes.
    @Test func aLongLineIsCut() {
        let head = ProgramHead(Array("#!/\(String(repeating: "x", count: 400))\n".utf8))
        #expect(head == .script(interpreter: "/" + String(repeating: "x", count: 253), argument: ""))
    }

    @Test(
        arguments: [
            (62, 2, 1, "x86_64"), (3, 1, 1, "i386"), (183, 2, 1, "aarch64"), (243, 2, 1, "riscv64"),
            (22, 2, 2, "s390x"), (8, 1, 2, "mips"), (999, 2, 1, "ELF machine 999"),
        ] as [(UInt16, UInt8, UInt8, String)])
    func anELFHeadNamesItsMachine(machine: UInt16, wordSize: UInt8, order: UInt8, name: String) {
        var bytes = [UInt8](repeating: 0, count: 64)
        bytes.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, wordSize, order])
        let pair = [UInt8(truncatingIfNeeded: machine), UInt8(machine >> 8)]
        bytes.replaceSubrange(18..<20, with: order == 1 ? pair : pair.reversed())
        guard case .elf(let elf) = ProgramHead(bytes) else {
            Issue.record("no ELF")
            return
        }
        #expect(elf.machine == machine && elf.architecture == name && elf.is64Bit == (wordSize == 2))
    }

    /// Numbers that no file has do not lead out of it.
    @Test func hostileHeadersLeadNowhere() {
        var bytes = [UInt8](repeating: 0xff, count: 64)
        bytes.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
        let elf = ELFHead(bytes)
        #expect(elf.interpreter(inTable: bytes) == nil && elf.headers.offset >= 0)
        #expect(ELFHead(Array(bytes.prefix(5))).interpreter(inTable: []) == nil)
    }

    private func fault(_ name: String, _ files: [(String, String, UInt32)], as user: ProgramUser = .runtime) throws
        -> ProgramFault?
    {
        var result: ProgramFault?
        try withFolder { folder throws in
            for (name, text, mode) in files {
                try folder.write(name, text.replacing("@", with: folder.path), mode: mode)
            }
            result = ProgramInspection.here(user).fault(of: folder.path(name))
        }
        return result
    }

    @Test func aSoundProgramHasNoFault() throws {
        #expect(try fault("x", [("x", "#!/bin/sh\n", 0o755)]) == nil)
        #expect(ProgramInspection.here(.runtime).fault(of: "/proc/self/exe") == nil)
    }

    @Test func aChainOfScriptsEndsAtTheMissingOne() throws {
        let chain = (1...3).map { ("s\($0)", "#!@/s\($0 + 1)\n", UInt32(0o755)) }
        let cause = try fault("s1", chain)
        #expect(
            cause?.code == .noEntry && cause?.reason.contains("cannot be executed") == false,
            "\(String(describing: cause))")
        #expect(
            try fault("loop", [("loop", "#!@/loop\n", 0o755)]) == nil, "the kernel says ELOOP, which is cause enough")
    }

    @Test(
        arguments: [
            (0o755, nil), (0o700, "uid 77777 may not execute it (its mode is 0700)"),
            (0o644, "the file has no x permission (its mode is 0644)"),
        ] as [(UInt32, String?)])
    func aMissingPermissionNamesUserAndMode(mode: UInt32, reason: String?) throws {
        let plan = plan {
            ProcessPlan(process { $0.user = User(uid: 77777, gid: 77777) }, namespaces: namespaces(), findings: &$0)
        }.plan
        #expect(
            try fault("x", [("x", "#!/bin/sh\n", mode)], as: ProgramUser(plan, ProcessCapabilities()))?.reason == reason
        )
    }

}
