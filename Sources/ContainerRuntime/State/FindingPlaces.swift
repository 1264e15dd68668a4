package import Errors
package import JSON
package import OCISpec

extension Finding {
    /// What decoding found.
    package init(_ finding: SpecFinding) {
        self.init(finding.severity == .error ? .error : .warning, finding.path, finding.message)
        self = at(finding.location, in: finding.file)
    }

    /// The same with its place.
    /// - Parameter location: nil where the file says nothing of the field.
    package func at(_ location: SourceLocation?, in file: String) -> Finding {
        var finding = self
        finding.file = file
        finding.line = location?.line
        finding.column = location?.column
        return finding
    }
}

extension [SpecFinding] {
    var errors: [Finding] { filter { $0.severity == .error }.map { Finding($0) } }
    var warnings: [Finding] { filter { $0.severity == .warning }.map { Finding($0) } }
}
