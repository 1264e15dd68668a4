/// What a filter answers to a system call, found by running its program here instead of in the kernel.
///
/// The part of classic BPF that seccomp filters are made of (linux/filter.h; seccomp(2)): jumps go forward only, so it
/// always ends.
extension SeccompProgram {
    /// A filter's answer in the classes that matter to the process that makes the call.
    package enum Answer: Sendable, Equatable {
        /// The call is made: allowed, allowed with a log line, or left to a listener or tracer.
        case passes
        /// It fails with this error number.
        case fails(Errno)
        /// It ends the process with SIGSYS.
        case kills
    }

    /// The answer to a call of the native architecture.
    ///
    /// - Parameter arguments: those that are known; the others count as 0, which is right for filters that do not look
    ///   at them.
    /// - Returns: nil for a program that the kernel would not take.
    func answer(to number: UInt32, _ arguments: [UInt64] = []) -> Answer? {
        var data: [UInt32] = [number, SeccompArchitectureToken.native.rawValue, 0, 0]
        for index in 0..<6 {
            let value = index < arguments.count ? arguments[index] : 0
            data += [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
        }
        return run(data).map(Self.answer)
    }

    /// The answer to a call by its name; nil when this machine has no such call.
    package func answer(toCall name: String) -> Answer? {
        guard let number = SeccompLibrary.number(name), number >= 0 else { return nil }
        return answer(to: UInt32(number))
    }

    /// SECCOMP_RET_* of linux/seccomp.h.
    private static func answer(_ word: UInt32) -> Answer {
        switch word & 0xffff_0000 {
        case 0x8000_0000, 0x0000_0000, 0x0003_0000: return .kills
        // An errno above 4095 counts as 4095; 0 makes the call a success that did nothing.
        case 0x0005_0000: return .fails(Errno(rawValue: Int32(min(word & 0xffff, 4095))))
        default: return .passes
        }
    }

    private func run(_ data: [UInt32]) -> UInt32? {
        bytes.withUnsafeBytes { program -> UInt32? in
            var machine = Machine()
            var counter = 0
            while counter * 8 + 8 <= program.count {
                let start = counter * 8
                let code = program.loadUnaligned(fromByteOffset: start, as: UInt16.self)
                let value = program.loadUnaligned(fromByteOffset: start + 4, as: UInt32.self)
                counter += 1
                switch code & 0x07 {
                case 0x06: return code & 0x18 == 0x10 ? machine.accumulator : value
                case 0x05:
                    if code & 0xf0 == 0 {
                        counter += Int(value)
                        continue
                    }
                    guard let holds = machine.compare(code, value) else { return nil }
                    counter += Int(program[start + (holds ? 2 : 3)])
                default:
                    guard machine.compute(code, value, data) else { return nil }
                }
            }
            return nil
        }
    }

    /// The registers of the machine that filters are written for.
    private struct Machine {
        var accumulator: UInt32 = 0
        var index: UInt32 = 0
        var memory: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)

        /// A conditional jump's condition; nil for one that does not exist.
        func compare(_ code: UInt16, _ value: UInt32) -> Bool? {
            let operand = code & 0x08 == 0 ? value : index
            switch code & 0xf0 {
            case 0x10: return accumulator == operand
            case 0x20: return accumulator > operand
            case 0x30: return accumulator >= operand
            case 0x40: return accumulator & operand != 0
            default: return nil
            }
        }

        /// Any instruction that goes on to the next one.
        mutating func compute(_ code: UInt16, _ value: UInt32, _ data: [UInt32]) -> Bool {
            let operand = code & 0x08 == 0 ? value : index
            switch code {
            case 0x20:
                guard value % 4 == 0, Int(value / 4) < data.count else { return false }
                accumulator = data[Int(value / 4)]
            case 0x00: accumulator = value
            case 0x01: index = value
            case 0x60: accumulator = self[value]
            case 0x61: index = self[value]
            case 0x02: self[value] = accumulator
            case 0x03: self[value] = index
            case 0x07: index = accumulator
            case 0x87: accumulator = index
            case 0x54, 0x5c: accumulator &= operand
            case 0x44, 0x4c: accumulator |= operand
            case 0x04, 0x0c: accumulator &+= operand
            case 0x14, 0x1c: accumulator &-= operand
            case 0xa4, 0xac: accumulator ^= operand
            default: return false
            }
            return true
        }

        /// libseccomp uses one or two cells of the sixteen.
        private subscript(cell: UInt32) -> UInt32 {
            get {
                switch cell & 3 {
                case 0: memory.0
                case 1: memory.1
                case 2: memory.2
                default: memory.3
                }
            }
            set {
                switch cell & 3 {
                case 0: memory.0 = newValue
                case 1: memory.1 = newValue
                case 2: memory.2 = newValue
                default: memory.3 = newValue
                }
            }
        }
    }
}
