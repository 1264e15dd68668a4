/// Something mounted below the root (config.md, "Mounts").
///
/// Type and options are not interpreted here: which options are flags is the mounter's knowledge.
package struct Mount: Sendable, Hashable {
    /// Where, inside the container. A relative path, which is deprecated, is relative to `/`.
    package var destination: String
    /// The file system's type; a dummy for bind mounts.
    package var type: String?
    /// A device, a file or directory of the host (relative to the bundle), or a dummy.
    package var source: String?
    /// Mount options in the order of the text.
    package var options: [String]?
    /// User IDs of an idmapped mount; only together with `gidMappings`.
    package var uidMappings: [IDMapping]?
    /// Group IDs of an idmapped mount; only together with `uidMappings`.
    package var gidMappings: [IDMapping]?

    /// A mount by its parts.
    package init(
        destination: String, type: String? = nil, source: String? = nil, options: [String]? = nil,
        uidMappings: [IDMapping]? = nil, gidMappings: [IDMapping]? = nil
    ) {
        self.destination = destination
        self.type = type
        self.source = source
        self.options = options
        self.uidMappings = uidMappings
        self.gidMappings = gidMappings
    }
}

extension Mount: Section {
    init(_ fields: inout Fields) {
        destination = fields.requiredName("destination")
        type = fields.string("type")
        source = fields.string("source")
        options = fields.strings("options")
        uidMappings = fields.sections("uidMappings")
        gidMappings = fields.sections("gidMappings")
        if fields.isPresent("uidMappings"), !fields.isPresent("gidMappings") {
            fields.error("uidMappings", "must stand together with \"gidMappings\"")
        }
        if fields.isPresent("gidMappings"), !fields.isPresent("uidMappings") {
            fields.error("gidMappings", "must stand together with \"uidMappings\"")
        }
    }
}
