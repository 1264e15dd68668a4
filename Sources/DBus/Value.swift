/// A value of D-Bus. D-Bus Specification, "Type System".
package indirect enum Value: Hashable, Sendable {
    case byte(UInt8)
    case boolean(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(String)
    case signature(String)
    case descriptor(UInt32)
    case array(of: TypeCode, [Value])
    case structure([Value])
    case entry(key: Value, value: Value)
    case variant(Value)

    package var type: TypeCode {
        switch self {
        case .byte: .byte
        case .boolean: .boolean
        case .int16: .int16
        case .uint16: .uint16
        case .int32: .int32
        case .uint32: .uint32
        case .int64: .int64
        case .uint64: .uint64
        case .double: .double
        case .string: .string
        case .objectPath: .objectPath
        case .signature: .signature
        case .descriptor: .descriptor
        case .array(let element, _): .array(element)
        case .structure(let fields): .structure(fields.map { $0.type })
        case .entry(let key, let value): .entry(key: key.type, value: value.type)
        case .variant: .variant
        }
    }

    /// The text of a string or object path; nil of every other value.
    package var text: String? {
        switch self {
        case .string(let text), .objectPath(let text): text
        default: nil
        }
    }

    package static func bytes(_ bytes: [UInt8]) -> Value { .array(of: .byte, bytes.map { .byte($0) }) }
}
