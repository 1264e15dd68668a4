internal import KernelTypes

/// Something found wrong or odd: what, in which field, and where that stands.
public struct Finding: Error, Hashable, Sendable {
    /// What follows from a finding.
    public enum Severity: String, Sendable {
        /// `run` and `create` fail with it.
        case error
        /// The container is made, less what is named here or with this flaw.
        case warning
    }

    /// What follows from it.
    public var severity: Severity
    /// The JSON path of the field, such as `linux.namespaces[2].path`; empty for the whole document.
    public var field: String
    /// What is wrong and what to do about it, a sentence without a full stop.
    public var reason: String
    /// The file, as the user named it; empty where the field stands in none.
    public var file = ""
    /// The line in the file, from 1; nil where the file says nothing of the field.
    public var line: Int?
    /// The column in bytes, from 1.
    public var column: Int?
    /// Whether it is refused because this version does not apply it; `features` shows so.
    package let isUnsupported: Bool

    package init(_ severity: Severity, _ field: String, _ reason: String, isUnsupported: Bool = false) {
        self.severity = severity
        self.field = field
        self.reason = reason
        self.isUnsupported = isUnsupported
    }
}

extension Finding {
    /// The same as --strict has it: a mistake, which is not passed over.
    package var asMistake: Finding {
        var finding = self
        finding.severity = .error
        let ending = " (ignored)"
        if reason.ends(with: ending) {
            finding.reason = String(decoding: reason.utf8.dropLast(ending.utf8.count), as: UTF8.self)
        }
        return finding
    }
}

extension Finding: CustomStringConvertible {
    /// One line: `config.json:41:17: process.user.uid: expected a number, found the string "1000"`.
    public var description: String {
        "\(place.isEmpty ? "" : "\(place): ")\(field.isEmpty ? "" : "\(field): ")\(reason)"
    }

    /// The file with line and column, as far as they are known.
    public var place: String {
        guard let line, let column else { return file }
        return "\(file):\(line):\(column)"
    }
}

/// Collects everything that is wrong with a configuration, and what is merely odd, so that a user sees all of it at
/// once.
package struct Findings: Sendable {
    package private(set) var errors: [Finding] = []
    package private(set) var warnings: [Finding] = []

    package init() {}

    package mutating func refuse(_ field: String, _ reason: String) {
        errors.append(Finding(.error, field, reason))
    }

    package mutating func warn(_ field: String, _ reason: String) {
        warnings.append(Finding(.warning, field, reason))
    }

    /// A field of the specification that this version does not apply. It must never be ignored in silence.
    package mutating func refuseUnsupported(_ field: String) {
        errors.append(Finding(.error, field, "not supported yet", isUnsupported: true))
    }
}

extension [Finding] {
    /// In the order of the file; what was found first comes first at one place.
    package func inOrder() -> [Finding] {
        enumerated().sorted { left, right in
            let (a, b) = (left.element, right.element)
            return (a.line ?? 0, a.column ?? 0, left.offset) < (b.line ?? 0, b.column ?? 0, right.offset)
        }.map { $0.element }
    }
}
