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
        guard
            !text.isEmpty, text.utf8.count <= 255, !text.begins(with: "."),
            text.unicodeScalars.allSatisfy({ Self.allows($0) })
        else {
            throw .invalidID(text)
        }
        description = text
    }

    /// Whether a name may contain a character.
    package static func allows(_ character: Unicode.Scalar) -> Bool {
        switch character {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "+", "-", ".": true
        default: false
        }
    }
}
