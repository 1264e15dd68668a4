public import Errors
internal import KernelTypes

/// The name of a container, unique below one state root.
public struct ContainerID: Hashable, Sendable, CustomStringConvertible {
    /// The name itself.
    public let description: String

    /// Checks a name: one or more of letters, digits, `_`, `+`, `-` and `.`, not beginning with a dot, at most 255
    /// bytes.
    ///
    /// It becomes the name of a folder, so a leading dot is for the runtime's own (`.cache`), and `.` and `..` are out.
    /// - Throws: ``RuntimeError/invalidID(_:)``.
    public init(_ text: String) throws(RuntimeError) {
        let isWord = { (byte: UInt8) -> Bool in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."): true
            default: false
            }
        }
        guard !text.isEmpty, text.utf8.count <= 255, !text.begins(with: "."), text.utf8.allSatisfy(isWord) else {
            throw .invalidID(text)
        }
        description = text
    }
}
