/// The container's root file system (config.md, "Root").
package struct Root: Sendable, Hashable {
    /// Its directory, absolute or relative to the bundle; not empty.
    package var path: String
    /// Whether `/` is read-only inside the container; false where absent.
    package var readonly: Bool?

    /// A root by its parts.
    package init(path: String, readonly: Bool? = nil) {
        self.path = path
        self.readonly = readonly
    }
}

extension Root: Section {
    init(_ fields: inout Fields) {
        path = fields.requiredName("path")
        readonly = fields.boolean("readonly")
    }
}
