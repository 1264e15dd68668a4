internal import JSON
internal import OCISpec

/// One thing that ``Bundle/check(_:config:options:)`` found.
public struct BundleFinding: Sendable, Equatable {
    /// What follows from a finding.
    public enum Severity: String, Sendable {
        /// `run` and `create` fail with it.
        case error
        /// The container is made, less what is named here or with this flaw.
        case warning
    }

    /// What follows from it.
    public let severity: Severity
    /// The configuration's file, as it was named.
    public let file: String
    /// Where in the file, both from 1; nil where the file could not be read, or says nothing of it.
    public let line: Int?
    /// The column in bytes, from 1.
    public let column: Int?
    /// The JSON path of the field, such as `mounts[2].options[0]`; empty for the whole document.
    public let path: String
    /// Where the specification speaks of the field, such as `config.md, Mounts`.
    public let clause: String
    /// What is wrong and what to do about it, in the words of `run`.
    public let message: String

    /// One line: place, severity, path, message and clause.
    public var description: String {
        let place = line.flatMap { line in column.map { ":\(line):\($0)" } } ?? ""
        return "\(file)\(place): \(severity.rawValue): \(path.isEmpty ? "" : "\(path): ")\(message) [\(clause)]"
    }
}

extension BundleFinding: CustomStringConvertible {}

extension BundleFinding {
    init(
        _ severity: Severity, file: String, at place: SourceLocation?, path: String, _ message: String
    ) {
        self.severity = severity
        self.file = file
        line = place?.line
        column = place?.column
        self.path = path
        self.message = message
        clause = Clause.of(path: path, message: message)
    }

    init(_ diagnostic: Diagnostic) {
        self.init(
            diagnostic.severity == .error ? .error : .warning, file: diagnostic.file, at: diagnostic.location,
            path: diagnostic.path, diagnostic.message)
    }
}

extension [BundleFinding] {
    /// In the order of the file; what was found first comes first at one place.
    func inOrder() -> [BundleFinding] {
        enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            return (a.line ?? 0, a.column ?? 0, left.offset) < (b.line ?? 0, b.column ?? 0, right.offset)
        }.map(\.element)
    }
}
