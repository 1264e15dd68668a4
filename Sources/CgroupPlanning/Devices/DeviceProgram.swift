package import KernelTypes
internal import OCISpec

/// The eBPF program that makes the kernel judge by ``DeviceRules`` (cgroup-v2.rst, "Device controller"; linux/bpf.h,
/// `struct bpf_cgroup_dev_ctx`).
///
/// What a program costs is the kernel's checking of it, at each jump and each exit. So a rule on one device is one
/// comparison of both numbers at once, rules of one kind share the test of it, and all share two exits: an engine's
/// usual list loads in 80 µs, where a block of its own for each rule took 250.
package enum DeviceProgram {
    // Registers: what the program returns, its context, and the request's parts.
    private static let result: UInt8 = 0
    private static let context: UInt8 = 1
    private static let kind: UInt8 = 2
    /// The bits that no rule has decided yet.
    private static let open: UInt8 = 3
    private static let major: UInt8 = 4
    private static let minor: UInt8 = 5
    /// Both numbers, as the kernel's dev_t has them.
    private static let device: UInt8 = 6

    // Operation codes of linux/bpf.h: the class, the operation, and BPF_K (an immediate operand) or BPF_X (a register)
    // added up.
    private static let loadWord: UInt8 = 0x61  // BPF_LDX | BPF_MEM | BPF_W
    private static let and32: UInt8 = 0x54  // BPF_ALU | BPF_AND | BPF_K
    private static let or32Register: UInt8 = 0x4c  // BPF_ALU | BPF_OR | BPF_X
    private static let shiftLeft32: UInt8 = 0x64  // BPF_ALU | BPF_LSH | BPF_K
    private static let shiftRight32: UInt8 = 0x74  // BPF_ALU | BPF_RSH | BPF_K
    private static let move32: UInt8 = 0xb4  // BPF_ALU | BPF_MOV | BPF_K
    private static let jump: UInt8 = 0x05  // BPF_JMP | BPF_JA
    private static let jumpIfEqual32: UInt8 = 0x16  // BPF_JMP32 | BPF_JEQ | BPF_K, Linux 5.1
    private static let jumpIfNotEqual32: UInt8 = 0x56  // BPF_JMP32 | BPF_JNE | BPF_K
    private static let jumpIfAnySet32: UInt8 = 0x46  // BPF_JMP32 | BPF_JSET | BPF_K
    private static let exit: UInt8 = 0x95  // BPF_JMP | BPF_EXIT

    package static func instructions(for rules: DeviceRules) -> [BPFInstruction] {
        var assembler = Assembler()
        prologue(&assembler)
        var rest = rules.decisions[...]
        while let first = rest.first, !first.isWildcard {
            let group = rest.prefix { $0.kind == first.kind && !$0.isWildcard }
            rest = rest.dropFirst(group.count)
            let end = assembler.newLabel()
            if let wanted = first.kind { assembler.jump(jumpIfNotEqual32, kind, Int32(wanted.rawValue), to: end) }
            for rule in group { code(for: rule, &assembler) }
            assembler.place(end)
        }
        // What comes to the end is decided by the wildcard that stands there, or by none and denied. The other exit is
        // left out when no rule leads to it, for the kernel refuses code that cannot be reached.
        let last = rest.first?.allow ?? false
        exit(allow: last, &assembler)
        if assembler.isUsed(last ? .deny : .allow) { exit(allow: !last, &assembler) }
        return assembler.resolved()
    }

    /// Takes the request apart, and allows one that asks for no access at all (access(2) with F_OK).
    private static func prologue(_ assembler: inout Assembler) {
        // access_type: the access in the high half, the kind in the low one.
        assembler.emit(BPFInstruction(code: loadWord, destination: kind, source: context, offset: 0))
        assembler.emit(BPFInstruction(code: loadWord, destination: open, source: context, offset: 0))
        assembler.emit(BPFInstruction(code: loadWord, destination: major, source: context, offset: 4))
        assembler.emit(BPFInstruction(code: loadWord, destination: minor, source: context, offset: 8))
        assembler.emit(BPFInstruction(code: loadWord, destination: device, source: context, offset: 4))
        assembler.emit(BPFInstruction(code: and32, destination: kind, immediate: 0xffff))
        assembler.emit(BPFInstruction(code: shiftRight32, destination: open, immediate: 16))
        assembler.emit(BPFInstruction(code: shiftLeft32, destination: device, immediate: DeviceRules.minorBits))
        assembler.emit(BPFInstruction(code: or32Register, destination: device, source: minor))
        assembler.jump(jumpIfEqual32, open, 0, to: .allow)
    }

    /// One rule, for devices whose kind is known to be right.
    private static func code(for rule: DeviceRules.Rule, _ assembler: inout Assembler) {
        let verdict: Assembler.Label = rule.allow ? .allow : .deny
        let test: (register: UInt8, value: Int32)? =
            switch (rule.major, rule.minor) {
            case (let major?, let minor?): (device, major << DeviceRules.minorBits | minor)
            case (let major?, nil): (Self.major, major)
            case (nil, let minor?): (Self.minor, minor)
            case (nil, nil): nil
            }
        if rule.access == .all {
            // Some bit is open always, or the program would have ended: a rule on all bits decides without a look at
            // them.
            if let test {
                assembler.jump(jumpIfEqual32, test.register, test.value, to: verdict)
            } else {
                assembler.jump(jump, 0, 0, to: verdict)
            }
            return
        }
        let next = assembler.newLabel()
        if let test { assembler.jump(jumpIfNotEqual32, test.register, test.value, to: next) }
        let bits = Int32(rule.access.rawValue)
        if rule.allow {
            assembler.emit(BPFInstruction(code: and32, destination: open, immediate: ~bits & 7))
            assembler.jump(jumpIfEqual32, open, 0, to: verdict)
        } else {
            assembler.jump(jumpIfAnySet32, open, bits, to: verdict)
        }
        assembler.place(next)
    }

    private static func exit(allow: Bool, _ assembler: inout Assembler) {
        assembler.place(allow ? .allow : .deny)
        assembler.emit(BPFInstruction(code: move32, destination: result, immediate: allow ? 1 : 0))
        assembler.emit(BPFInstruction(code: exit))
    }
}

/// Instructions with jumps to places that are not known yet.
private struct Assembler {
    package struct Label: Hashable {
        let number: Int
        static let allow = Label(number: 0)
        static let deny = Label(number: 1)
    }

    private var program: [BPFInstruction] = []
    private var jumps: [(index: Int, label: Label)] = []
    private var places = [0, 0]

    mutating func newLabel() -> Label {
        places.append(0)
        return Label(number: places.count - 1)
    }

    /// Makes a label stand for the next instruction.
    mutating func place(_ label: Label) { places[label.number] = program.count }

    mutating func emit(_ instruction: BPFInstruction) { program.append(instruction) }

    mutating func jump(_ code: UInt8, _ register: UInt8, _ value: Int32, to label: Label) {
        jumps.append((program.count, label))
        emit(BPFInstruction(code: code, destination: register, immediate: value))
    }

    func isUsed(_ label: Label) -> Bool { jumps.contains { $0.label == label } }

    /// The program with every jump's distance; ``DeviceRules/most`` keeps them within 16 bits.
    func resolved() -> [BPFInstruction] {
        var program = program
        for (index, label) in jumps {
            let old = program[index]
            program[index] = BPFInstruction(
                code: old.code, destination: old.registers & 15, source: old.registers >> 4,
                offset: Int16(places[label.number] - index - 1), immediate: old.immediate)
        }
        return program
    }
}
