public import Errors
internal import JSON
internal import Kernel
internal import KernelTypes
package import OCISpec

/// A bundle: a folder with config.json and, usually, the root file system. Specification: bundle.md.
public struct ContainerBundle: Sendable {
    /// The folder, absolute.
    public let path: String
    /// The configuration's bytes, read once: what happens to the file later does not matter.
    let bytes: [UInt8]
    let document: SpecDocument
    private let shared: SharedSpec
    package var spec: Spec { shared.spec }
    /// What is odd in the configuration but no mistake: unknown keys above all.
    public let warnings: [Finding]
    package let file: String

    /// Reads a bundle's configuration and decodes it.
    ///
    /// - Parameters:
    ///   - path: the folder, absolute or relative to the working directory.
    ///   - config: another name of the configuration file: an absolute path, or one from the bundle's folder.
    ///   - strict: takes what is merely odd for a mistake, as ``LaunchOptions/strict`` does, where there are mistakes.
    ///   - warn: takes the ``warnings`` of a configuration that has mistakes, too.
    /// - Throws: ``RuntimeError/bundle(reason:)`` or ``RuntimeError/configuration(_:)`` with every mistake of the file.
    public init(
        _ path: String, config: String? = nil, strict: Bool = false, warn: (String) -> Void = { _ in }
    ) throws(RuntimeError) {
        try self.init(BundleText(path, config: config), strict: strict, warn)
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
        try self.init(BundleText(path, bytes: configuration), strict: false, warn)
    }

    private init(_ text: BundleText, strict: Bool, _ warn: (String) -> Void) throws(RuntimeError) {
        path = text.path
        file = text.file
        bytes = text.bytes
        document = SpecDocument(bytes: bytes, file: file)
        warnings = document.findings.warnings
        guard let shared = document.shared else {
            if strict { throw .configuration((document.findings.errors + warnings).map { $0.asMistake }.inOrder()) }
            for warning in warnings { warn(warning.description) }
            throw .configuration(document.findings.errors)
        }
        self.shared = shared
    }

    /// Findings of planning with their places, in the order of the file.
    package func placed(_ findings: [Finding]) -> [Finding] {
        findings.map { $0.at(document.location(ofPath: $0.field), in: file) }.inOrder()
    }
}

/// The configuration of a bundle as it was read, whatever is in it.
package struct BundleText: Sendable {
    /// The bundle's folder, absolute.
    package let path: String
    package let file: String
    package let bytes: [UInt8]

    init(_ path: String, bytes: [UInt8]) throws(RuntimeError) {
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
            throw Self.unreadable(file, location, in: absolute, error)
        }
    }

    /// Engines look for "JSON specification file".
    private static func unreadable(
        _ file: String, _ location: String, in folder: String, _ error: SystemError
    ) -> RuntimeError {
        guard error.code == .noEntry || error.code == .notDirectory else {
            return .bundle(reason: "read \(location): \(error.code)")
        }
        let missing = "JSON specification file \(file) not found"
        guard let status = try? Files.status(folder) else {  // what cannot be looked at is not there for this user
            let isLink = (try? Files.status(folder, follow: false))?.kind == .symbolicLink
            let why = isLink ? "that is a symbolic link to what is not there" : "there is no such folder"
            return .bundle(reason: "\(missing) in \(folder): \(why)")
        }
        guard status.kind == .directory else {
            return .bundle(
                reason: "\(missing) in \(folder): that is no folder; a bundle is one, with a config.json in it")
        }
        if file.isAbsolutePath { return .bundle(reason: missing) }
        return .bundle(reason: "\(missing) in \(folder); runbox spec writes one")
    }

    private static func absolute(_ path: String) throws(SystemError) -> String {
        guard !path.isAbsolutePath else { return path.cleanedPath }
        return "\(try Files.currentDirectory())/\(path)".cleanedPath
    }
}
