internal import CgroupPlanning
internal import ContainerRuntime
import DBus
import Glibc

/// Messages of D-Bus and values in GVariant's text format, whole and damaged.
enum MessageFuzz {
    private static let messagesARound = 2048

    static func round(seed: UInt64) {
        var random = Random(seed: seed)
        for _ in 0..<messagesARound {
            checkMessage(&random, seed)
            checkText(&random, seed)
        }
    }

    /// What is written can be read and says the same; what is damaged is another message or an error.
    private static func checkMessage(_ random: inout Random, _ seed: UInt64) {
        var message = Message(.signal)
        message.serial = UInt32(truncatingIfNeeded: random.next())
        message.path = "/a"
        message.member = "M"
        message.body = (0..<random.below(4)).map { _ in value(&random, depth: 0) }
        guard var bytes = try? message.encode() else { return }
        guard let again = try? Message(bytes) else {
            return expect(false, "what is written can be read", bytes, seed)
        }
        // Not by the values: a double may be no number.
        expect((try? again.encode()) == bytes, "writing and reading lose nothing", bytes, seed)
        for _ in 0...random.below(4) {
            switch random.below(8) {
            case 0: bytes.removeLast(random.below(bytes.count + 1))
            case 1: bytes += [0, 0, 0, 0]
            default:
                if bytes.isEmpty { break }
                bytes[random.below(bytes.count)] = UInt8(truncatingIfNeeded: random.next())
            }
        }
        if let damaged = try? Message(bytes) {
            expect((try? damaged.encode()) != nil, "what is read can be written", bytes, seed)
        }
    }

    private static func expect(_ holds: Bool, _ promise: String, _ bytes: [UInt8], _ seed: UInt64) {
        if holds { return }
        complain("seed \(seed): the promise \"\(promise)\" is broken by:\n\(bytes)")
        exit(1)
    }

    private static func value(_ random: inout Random, depth: Int) -> Value {
        let number = random.next()
        switch random.below(depth > 3 ? 13 : 17) {
        case 0: return .byte(UInt8(truncatingIfNeeded: number))
        case 1: return .boolean(number % 2 == 0)
        case 2: return .int16(Int16(truncatingIfNeeded: number))
        case 3: return .uint16(UInt16(truncatingIfNeeded: number))
        case 4: return .int32(Int32(truncatingIfNeeded: number))
        case 5: return .uint32(UInt32(truncatingIfNeeded: number))
        case 6: return .int64(Int64(truncatingIfNeeded: number))
        case 7: return .uint64(number)
        case 8: return .double(Double(bitPattern: number))
        case 9: return .string(random.element(of: ["", "a", "ümlaut", "/dev/char/1:3"]))
        case 10: return .objectPath("/a/b")
        case 11: return .signature(random.element(of: ["", "s", "a{sv}", "(i(ub))"]))
        case 12: return .descriptor(0)
        case 13: return .variant(value(&random, depth: depth + 1))
        case 14: return .structure((0...random.below(3)).map { _ in value(&random, depth: depth + 1) })
        case 15: return .array(of: .entry(key: .string, value: .variant), [])
        default:
            let first = value(&random, depth: depth + 1)
            return .array(of: first.type, [Value](repeating: first, count: random.below(4)))
        }
    }

    private static let pieces = [
        "[", "]", "(", ")", "{", "}", "<", ">", ",", ":", " ", "'", "\"", "\\", "\\u12", "@as", "@", "uint64 ", "byte ",
        "5",
        "-", "0x", "1.5", "1e9", "true", "b'", "'a'", "inf", "@a{sv} ", "@(", "ü",
    ]

    private static func checkText(_ random: inout Random, _ seed: UInt64) {
        let text = (0...random.below(12)).map { _ in random.element(of: pieces) }.joined()
        guard let property = try? UnitProperty.read("TestProperty", text) else { return }
        var message = Message(.signal)
        message.body = [property.value]
        // A text may hold a zero byte only by an escape, and that is refused.
        expect((try? message.encode()) != nil, "what is read can be sent", Array(text.utf8), seed)
    }
}
