package import Kernel

/// The eBPF program that makes the kernel judge by ``DeviceRules`` (cgroup-v2.rst, "Device controller"; linux/bpf.h, `struct bpf_cgroup_dev_ctx`).
package enum DeviceProgram {
    // Registers: what the program returns, its context, and the request's parts.
    private static let result: UInt8 = 0
    private static let context: UInt8 = 1
    private static let kind: UInt8 = 2
    /// The bits that no rule has decided yet.
    private static let open: UInt8 = 3
    private static let major: UInt8 = 4
    private static let minor: UInt8 = 5

    // Operation codes of linux/bpf.h: the class, the operation and BPF_K (an immediate operand) added up.
    private static let loadWord: UInt8 = 0x61  // BPF_LDX | BPF_MEM | BPF_W
    private static let and32: UInt8 = 0x54  // BPF_ALU | BPF_AND
    private static let shiftRight32: UInt8 = 0x74  // BPF_ALU | BPF_RSH
    private static let move32: UInt8 = 0xb4  // BPF_ALU | BPF_MOV
    private static let jumpIfNotEqual: UInt8 = 0x55  // BPF_JMP | BPF_JNE
    private static let jumpIfAnySet: UInt8 = 0x45  // BPF_JMP | BPF_JSET
    private static let jump: UInt8 = 0x05  // BPF_JMP | BPF_JA
    private static let exit: UInt8 = 0x95  // BPF_JMP | BPF_EXIT

    /// The program; what comes after a rule that decides everything is left out, for the kernel refuses code that cannot be reached.
    package static func instructions(for rules: DeviceRules) -> [BPFInstruction] {
        var program = prologue
        for rule in rules.decisions {
            program += code(for: rule)
            if rule.isWildcard { return program }
        }
        return program + verdict(false)
    }

    /// Takes the request apart, and allows one that asks for no access at all (access(2) with F_OK).
    private static var prologue: [BPFInstruction] {
        [
            // access_type: the access in the high half, the kind in the low one.
            BPFInstruction(code: loadWord, destination: kind, source: context, offset: 0),
            BPFInstruction(code: loadWord, destination: open, source: context, offset: 0),
            BPFInstruction(code: loadWord, destination: major, source: context, offset: 4),
            BPFInstruction(code: loadWord, destination: minor, source: context, offset: 8),
            BPFInstruction(code: and32, destination: kind, immediate: 0xffff),
            BPFInstruction(code: shiftRight32, destination: open, immediate: 16),
            BPFInstruction(code: jumpIfNotEqual, destination: open, offset: 2, immediate: 0),
        ] + verdict(true)
    }

    private static func verdict(_ allow: Bool) -> [BPFInstruction] {
        [
            BPFInstruction(code: move32, destination: result, immediate: allow ? 1 : 0),
            BPFInstruction(code: exit),
        ]
    }

    /// One rule: leave to the next where the device is another, then decide.
    private static func code(for rule: DeviceRules.Rule) -> [BPFInstruction] {
        var tests: [(register: UInt8, value: Int32)] = []
        if let wanted = rule.kind { tests.append((kind, Int32(wanted.rawValue))) }
        if let wanted = rule.major { tests.append((major, wanted)) }
        if let wanted = rule.minor { tests.append((minor, wanted)) }
        let decision = decision(rule)
        return tests.enumerated().map { index, test in
            let toNext = tests.count - index - 1 + decision.count
            return BPFInstruction(
                code: jumpIfNotEqual, destination: test.register, offset: Int16(toNext), immediate: test.value)
        } + decision
    }

    private static func decision(_ rule: DeviceRules.Rule) -> [BPFInstruction] {
        // Some bit is open always, or the program would have ended: a rule on all bits decides without a look.
        if rule.access == .all { return verdict(rule.allow) }
        let bits = Int32(rule.access.rawValue)
        if rule.allow {
            return [
                BPFInstruction(code: and32, destination: open, immediate: ~bits & 7),
                BPFInstruction(code: jumpIfNotEqual, destination: open, offset: 2, immediate: 0),
            ] + verdict(true)
        }
        return [
            BPFInstruction(code: jumpIfAnySet, destination: open, offset: 1, immediate: bits),
            BPFInstruction(code: jump, offset: 2),
        ] + verdict(false)
    }
}
