public import Errors
internal import JSON
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// A bundle: a folder with config.json and, usually, the root file system. Specification: bundle.md.
public struct Bundle: Sendable {
    /// The folder, absolute.
    public let path: String
    /// The configuration's bytes, read once: what happens to the file later does not matter.
    package let bytes: [UInt8]
    let document: SpecDocument
    let spec: Spec
    /// What is odd in the configuration but no mistake: unknown keys above all. Each a line with file, line, column and path.
    public let warnings: [String]
    package let file: String

    /// Reads a bundle's configuration and decodes it.
    ///
    /// - Parameters:
    ///   - path: the folder, absolute or relative to the working directory.
    ///   - config: another name of the configuration file: an absolute path, or one from the bundle's folder.
    ///   - warn: takes the ``warnings`` of a configuration that has mistakes, too.
    /// - Throws: ``RuntimeError/bundle(reason:)`` or ``RuntimeError/configuration(_:)`` with every mistake of the file.
    public init(
        _ path: String, config: String? = nil, warn: (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        try self.init(BundleText(path, config: config), warn)
    }

    /// A bundle whose configuration lies in no file: a program has written it by itself.
    ///
    /// - Parameters:
    ///   - path: the folder, from which relative paths of the configuration count.
    ///   - configuration: JSON as config.json has it (config.md); messages call it config.json.
    ///   - warn: takes the ``warnings`` of a configuration that has mistakes, too.
    /// - Throws: ``RuntimeError/configuration(_:)`` with every mistake.
    public init(
        _ path: String, configuration: [UInt8], warn: (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        try self.init(BundleText(path, bytes: configuration), warn)
    }

    private init(_ text: BundleText, _ warn: (String) -> Void) throws(RuntimeError) {
        path = text.path
        file = text.file
        bytes = text.bytes
        document = SpecDocument(bytes: bytes, file: file)
        warnings = document.diagnostics.filter { $0.severity == .warning }.map(\.description)
        guard let spec = document.spec else {
            for warning in warnings { warn(warning) }
            throw .configuration(document.diagnostics.filter { $0.severity == .error }.map(\.description))
        }
        self.spec = spec
    }

    /// Findings of planning as lines, in the order of the file.
    func lines(_ findings: [PlanError]) -> [String] {
        let placed = findings.map { (document.location(ofPath: $0.field), line($0)) }
        return placed.enumerated().sorted { left, right in
            let (a, b) = (left.element.0, right.element.0)
            return (a?.line ?? 0, a?.column ?? 0, left.offset) < (b?.line ?? 0, b?.column ?? 0, right.offset)
        }.map(\.element.1)
    }

    /// A finding of planning as a line with its place in the file.
    func line(_ finding: PlanError) -> String {
        let place = document.location(ofPath: finding.field).map { ":\($0)" } ?? ""
        return "\(file)\(place): \(finding.field): \(finding.reason)"
    }
}

/// The configuration of a bundle as it was read, whatever is in it.
package struct BundleText: Sendable {
    /// The bundle's folder, absolute.
    package let path: String
    package let file: String
    package let bytes: [UInt8]

    package init(_ path: String, bytes: [UInt8]) throws(RuntimeError) {
        self.path = try operation("open bundle \(path)") { () throws(SystemError) in try Self.absolute(path) }
        file = "config.json"
        self.bytes = bytes
    }

    package init(_ path: String, config: String?) throws(RuntimeError) {
        let absolute = try operation("open bundle \(path)") { () throws(SystemError) in try Self.absolute(path) }
        self.path = absolute
        file = config ?? "config.json"
        let location = file.isAbsolutePath ? file : "\(absolute)/\(file)"
        do throws(SystemError) {
            bytes = try Files.read(location)
        } catch {
            if error.code == .noEntry {
                throw .bundle(
                    reason: "JSON specification file \(file) not found in \(absolute); runbox spec writes one")
            }
            throw .bundle(reason: "read \(location): \(error.code)")
        }
    }

    private static func absolute(_ path: String) throws(SystemError) -> String {
        guard !path.isAbsolutePath else { return path.cleanedPath }
        return "\(try Files.currentDirectory())/\(path)".cleanedPath
    }
}
