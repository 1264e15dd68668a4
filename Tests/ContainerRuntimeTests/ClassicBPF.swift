internal import Testing

/// What the kernel shows a seccomp filter of a system call; struct seccomp_data.
struct SystemCall: Sendable, CustomTestStringConvertible {
    var number: UInt32
    var architecture: UInt32
    var arguments: [UInt64] = []

    var testDescription: String { "call \(number) on \(String(architecture, radix: 16)) with \(arguments)" }

    /// The 32-bit words in the order of the struct, on a little-endian machine.
    fileprivate var words: [UInt32] {
        let padded = arguments + [UInt64](repeating: 0, count: 6 - arguments.count)
        return [number, architecture, 0, 0]
            + padded.flatMap { [UInt32(truncatingIfNeeded: $0), UInt32(truncatingIfNeeded: $0 >> 32)] }
    }
}

/// The part of classic BPF that seccomp filters are made of (linux/filter.h), run as the kernel does: jumps go
/// forward only, and the end is a return.
struct ClassicBPF {
    /// A program that the kernel would refuse.
    struct Invalid: Error {
        let instruction: Int
    }

    let program: [UInt8]

    /// The filter's answer, a SECCOMP_RET_* word.
    func run(_ call: SystemCall) throws -> UInt32 {
        let data = call.words
        var accumulator: UInt32 = 0
        var index: UInt32 = 0
        var memory = [UInt32](repeating: 0, count: 16)
        var counter = 0
        while counter * 8 + 8 <= program.count {
            let start = counter * 8
            let code = UInt16(program[start]) | UInt16(program[start + 1]) << 8
            let (ifTrue, ifFalse) = (Int(program[start + 2]), Int(program[start + 3]))
            let value = (0..<4).reduce(0 as UInt32) { $0 | UInt32(program[start + 4 + $1]) << UInt32(8 * $1) }
            let operand = code & 0x08 == 0 ? value : index
            counter += 1
            switch code {
            case 0x20:
                guard value % 4 == 0, value < 64 else { throw Invalid(instruction: counter - 1) }
                accumulator = data[Int(value / 4)]
            case 0x00: accumulator = value
            case 0x01: index = value
            case 0x60: accumulator = memory[Int(value & 15)]
            case 0x61: index = memory[Int(value & 15)]
            case 0x02: memory[Int(value & 15)] = accumulator
            case 0x03: memory[Int(value & 15)] = index
            case 0x07: index = accumulator
            case 0x87: accumulator = index
            case 0x54, 0x5c: accumulator &= operand
            case 0x44, 0x4c: accumulator |= operand
            case 0x05: counter += Int(value)
            case 0x15, 0x1d: counter += accumulator == operand ? ifTrue : ifFalse
            case 0x25, 0x2d: counter += accumulator > operand ? ifTrue : ifFalse
            case 0x35, 0x3d: counter += accumulator >= operand ? ifTrue : ifFalse
            case 0x45, 0x4d: counter += accumulator & operand != 0 ? ifTrue : ifFalse
            case 0x06: return value
            case 0x16: return accumulator
            default: throw Invalid(instruction: counter - 1)
            }
        }
        throw Invalid(instruction: counter)
    }
}

/// Answers of a filter.
enum Answer {
    static let allow: UInt32 = 0x7fff_0000
    static let log: UInt32 = 0x7ffc_0000
    static let trap: UInt32 = 0x0003_0000
    static let killThread: UInt32 = 0
    static let killProcess: UInt32 = 0x8000_0000
    static let noSystemCall = errno(38)

    static func errno(_ number: UInt32) -> UInt32 { 0x0005_0000 | number }
}
