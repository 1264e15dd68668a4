/// The kernel's rules for filters (kernel/seccomp.c, `seccomp_check_filter`; net/core/filter.c, `bpf_check_classic`),
/// so that a program that the runtime did not compile is judged before a container is made, and not at its start.
package enum SeccompCheck {
    private struct Instruction {
        let code: UInt16
        let ifTrue: UInt8
        let ifFalse: UInt8
        let value: UInt32
    }

    /// What is wrong with a program; nil when the kernel would take it.
    package static func mistake(in program: SeccompProgram) -> String? {
        let bytes = program.bytes[...]
        guard !bytes.isEmpty, bytes.count % 8 == 0 else {
            return "its \(bytes.count) bytes are no whole number of instructions of 8 bytes"
        }
        let count = bytes.count / 8
        guard count <= 4096 else { return "it has \(count) instructions; the kernel takes 4096" }
        var last: UInt16 = 0
        for index in 0..<count {
            let at = index * 8
            let instruction = Instruction(
                code: bytes.value(at: at, as: UInt16.self), ifTrue: bytes[at + 2], ifFalse: bytes[at + 3],
                value: bytes.value(at: at + 4, as: UInt32.self))
            if let mistake = mistake(in: instruction, left: count - index - 1) {
                return "instruction \(index) \(mistake)"
            }
            last = instruction.code
        }
        return last == 0x06 || last == 0x16 ? nil : "it does not end with a return"
    }

    /// - Parameter left: how many instructions follow.
    private static func mistake(in instruction: Instruction, left: Int) -> String? {
        let value = instruction.value
        switch instruction.code {
        case 0x20:  // load a word of struct seccomp_data, which is 64 bytes long
            return value < 64 && value % 4 == 0 ? nil : "loads from offset \(value)"
        case 0x00, 0x01, 0x06, 0x07, 0x16, 0x80, 0x81, 0x87: return nil  // load, return, exchange
        case 0x02, 0x03, 0x60, 0x61: return value < 16 ? nil : "uses memory cell \(value)"
        case 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x6c, 0x7c, 0x84, 0xa4, 0xac: return nil
        case 0x34: return value != 0 ? nil : "divides by zero"
        case 0x64, 0x74: return value < 32 ? nil : "shifts by \(value)"
        case 0x05: return Int(value) < left ? nil : "jumps behind the end"
        case 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d:
            return Int(max(instruction.ifTrue, instruction.ifFalse)) < left ? nil : "jumps behind the end"
        default: return "has the code 0x\(String(instruction.code, radix: 16)), which filters may not use"
        }
    }
}
