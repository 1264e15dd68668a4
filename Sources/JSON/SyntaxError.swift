/// Why a text is not the JSON (RFC 8259) that this module reads.
///
/// Stricter than the RFC in three points: a byte order mark, a key that stands twice in one object and nesting deeper
/// than ``Document/maximumDepth`` are refused.
package struct SyntaxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The byte at which reading stopped, from 0.
    package let offset: Int
    /// The same place as line and column.
    package let location: SourceLocation
    /// The value the mistake stands in, as in `linux.namespaces[2]`; empty at the top.
    package let path: String
    /// What is wrong, in a sentence without a full stop.
    package let message: String

    /// `line:column: path: message`, the path left out at the top.
    package var description: String {
        path.isEmpty ? "\(location): \(message)" : "\(location): \(path): \(message)"
    }
}
