import DBus
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import CgroupPlanning

private typealias Rule = DeviceRules.Rule

/// One request for a device.
private struct Request {
    let access: DeviceRules.Access
    let kind: DeviceRules.Kind
    let major: Int32
    let minor: Int32

    static let all: [Request] = {
        var all: [Request] = []
        for access in UInt8(0)...7 {
            for kind in [DeviceRules.Kind.block, .character] {
                for major in [Int32(0), 1, 5, 8, 10, 136, 4095] {
                    for minor in [Int32(0), 1, 2, 3, 200, 0xfffff] {
                        all.append(Request(access: .init(rawValue: access), kind: kind, major: major, minor: minor))
                    }
                }
            }
        }
        return all
    }()
}

/// Runs a device program as the kernel would; nil when it does what the verifier forbids.
private func run(_ program: [BPFInstruction], _ request: Request) -> Bool? {
    let context = [
        UInt32(request.access.rawValue) << 16 | UInt32(request.kind.rawValue), UInt32(request.major),
        UInt32(request.minor),
    ]
    var registers = [UInt64?](repeating: nil, count: 11)
    var counter = 0
    while counter < program.count {
        let instruction = program[counter]
        let target = Int(instruction.registers & 15)
        let operand = UInt64(bitPattern: Int64(instruction.immediate))
        let low = UInt32(truncatingIfNeeded: operand)
        counter += 1
        switch instruction.code {
        case 0x61:
            guard instruction.registers >> 4 == 1, instruction.offset % 4 == 0 else { return nil }
            registers[target] = UInt64(context[Int(instruction.offset) / 4])
        case 0xb4: registers[target] = operand & 0xffff_ffff
        case 0x4c:
            guard let value = registers[target], let other = registers[Int(instruction.registers >> 4)] else {
                return nil
            }
            registers[target] = (value | other) & 0xffff_ffff
        case 0x05: counter += Int(instruction.offset)
        case 0x95: return registers[0].map { $0 != 0 }
        default:
            guard let value = registers[target] else { return nil }
            switch instruction.code {
            case 0x54: registers[target] = value & operand & 0xffff_ffff
            case 0x64: registers[target] = (value << operand) & 0xffff_ffff
            case 0x74: registers[target] = (value & 0xffff_ffff) >> operand
            case 0x16: if UInt32(truncatingIfNeeded: value) == low { counter += Int(instruction.offset) }
            case 0x56: if UInt32(truncatingIfNeeded: value) != low { counter += Int(instruction.offset) }
            case 0x46: if UInt32(truncatingIfNeeded: value) & low != 0 { counter += Int(instruction.offset) }
            default: return nil
            }
        }
    }
    return nil
}

/// The configuration's list judged bit by bit, without any of the shortcuts of ``DeviceRules``.
private func judge(_ rules: [DeviceRule], _ request: Request) -> Bool {
    let always = DeviceRules.always
    return [(UInt8(1), "m"), (2, "r"), (4, "w")].allSatisfy { bit, letter in
        guard request.access.rawValue & bit != 0 else { return true }
        var allowed = false
        for rule in rules {
            let access = rule.access ?? ""
            let kind = request.kind == .block ? DeviceRuleType.b : .c
            let matches =
                (rule.type == nil || rule.type == .a || rule.type == kind)
                && (access.isEmpty || access.contains(letter))
                && (rule.major == nil || rule.major == -1 || rule.major == Int64(request.major))
                && (rule.minor == nil || rule.minor == -1 || rule.minor == Int64(request.minor))
            if matches { allowed = rule.allow }
        }
        return allowed
            || always.contains {
                $0.kind == request.kind && ($0.major ?? request.major) == request.major
                    && ($0.minor ?? request.minor) == request.minor && $0.access.rawValue & bit != 0
            }
    }
}

@Suite("Device rules and their program")
struct DeviceTests {
    private static let denyAll = DeviceRule(allow: false, access: "rwm")

    @Test("The program, its evaluation and the list answer every request alike", arguments: DeviceLists.all)
    func judgement(list: [DeviceRule]) throws {
        let rules = try #require(ResourcesPlan(Resources(devices: list)).devices)
        let program = DeviceProgram.instructions(for: rules)
        for request in Request.all {
            let expected = judge(list, request)
            #expect(run(program, request) == expected, "\(request)")
            #expect(
                rules.allow(request.access, kind: request.kind, major: request.major, minor: request.minor) == expected)
        }
    }

    @Test("A rule that denies writing denies opening for both")
    func partialDenial() throws {
        let rules = try DeviceRules([.init(allow: true), .init(allow: false, type: .b, major: 8, access: "w")])
        #expect(!rules.allow([.read, .write], kind: .block, major: 8, minor: 0))
        #expect(rules.allow([.read], kind: .block, major: 8, minor: 0))
    }

    @Test("Rules that never decide are left out, and a wildcard ends the program")
    func normalised() throws {
        let engine: [DeviceRule] =
            [Self.denyAll]
            + [(1, 3), (1, 8), (1, 7), (5, 0), (1, 5), (1, 9)].map {
                DeviceRule(allow: true, type: .c, major: $0.0, minor: $0.1)
            }
        let rules = try DeviceRules(engine)
        #expect(rules.decisions.count == DeviceRules.always.count + 1)
        #expect(rules.decisions.last?.isWildcard == true && rules.hasDenial && !rules.allowEverything)
        // What falls through is denied; the other exit comes after it.
        #expect(
            DeviceProgram.instructions(for: rules).suffix(4) == [
                .init(code: 0xb4), .init(code: 0x95), .init(code: 0xb4, immediate: 1), .init(code: 0x95),
            ])
        #expect(DeviceProgram.instructions(for: rules).count <= 32)
    }

    @Test("More rules than a program's jumps can span are refused, fewer are not")
    func many() throws {
        let rule = { (minor: Int) in DeviceRule(allow: true, type: .b, minor: Int64(minor), access: "r") }
        let rules = try DeviceRules((0..<DeviceRules.most).map(rule))
        #expect(DeviceProgram.instructions(for: rules).count > DeviceRules.most)
        #expect(throws: DeviceRules.Mistakes.self) { _ = try DeviceRules((0...DeviceRules.most).map(rule)) }
    }

    @Test("A privileged container needs no program")
    func privileged() throws {
        let rules = try DeviceRules([Self.denyAll, .init(allow: true, access: "rwm")])
        #expect(rules.allowEverything)
        #expect(try !DeviceRules([Self.denyAll]).allowEverything)
    }
}
