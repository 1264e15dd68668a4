public import Errors
internal import KernelTypes
package import OCISpec

/// What an update changes: limits of the cgroup and, where the container has it, Intel RDT. What is not named stays.
public struct ResourceChanges: Sendable {
    let resources: Resources
    /// The text that the limits came from, for the places of mistakes; nil where they came as flags.
    private let document: ResourcesDocument?
    private let file: String
    /// A line for the L3 caches of the container's resctrl group, such as `L3:0=f`; nil leaves it.
    public var l3CacheSchema: String?
    /// A line for its memory bandwidth, such as `MB:0=50`; nil leaves it.
    public var memoryBandwidthSchema: String?
    /// What is odd in the text but no mistake: unknown keys above all.
    public let warnings: [Finding]

    /// Reads a `linux.resources` object as the specification has it (config-linux.md, "Control groups").
    ///
    /// - Parameter file: the name that messages show.
    /// - Throws: ``RuntimeError/configuration(_:)`` with every mistake, each with file, line, column and path.
    public init(json bytes: [UInt8], file: String) throws(RuntimeError) {
        let document = ResourcesDocument(bytes: bytes, file: file)
        guard let resources = document.resources else {
            throw .configuration(document.findings.errors)
        }
        self.resources = resources
        self.document = document
        self.file = file
        warnings = document.findings.warnings
    }

    /// Limits that were put together by the caller.
    package init(_ resources: Resources) {
        self.resources = resources
        document = nil
        file = ""
        warnings = []
    }

    /// A mistake with, where there is a text, its place there.
    func placed(_ error: CgroupPlanError) -> Finding {
        let path = error.field.rest(after: "linux.resources.") ?? error.field
        let finding = Finding(.error, path, error.reason)
        guard let document else { return finding }
        return finding.at(document.location(ofPath: path), in: file)
    }
}
