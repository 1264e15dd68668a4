/// Cache and memory bandwidth control by resctrl (config-linux.md, "IntelRdt").
package struct IntelRdt: Sendable, Hashable {
    /// The class of service, a directory of resctrl; `/` is its root.
    package var closID: String?
    /// L3 cache masks, `L3:…`.
    package var l3CacheSchema: String?
    /// Memory bandwidth, `MB:…`.
    package var memBwSchema: String?
    /// Lines for the `schemata` file, written after the two above.
    package var schemata: [String]?
    /// Whether the container gets its own monitoring group.
    package var enableMonitoring: Bool?

    /// Settings by their parts.
    package init(
        closID: String? = nil, l3CacheSchema: String? = nil, memBwSchema: String? = nil, schemata: [String]? = nil,
        enableMonitoring: Bool? = nil
    ) {
        self.closID = closID
        self.l3CacheSchema = l3CacheSchema
        self.memBwSchema = memBwSchema
        self.schemata = schemata
        self.enableMonitoring = enableMonitoring
    }
}

extension IntelRdt: Section {
    init(_ fields: inout Fields) {
        closID = fields.string("closID")
        l3CacheSchema = fields.string("l3CacheSchema")
        memBwSchema = fields.string("memBwSchema")
        schemata = fields.strings("schemata")
        enableMonitoring = fields.boolean("enableMonitoring")
        // Replaced by enableMonitoring in version 1.3 because no runtime had implemented them.
        fields.ignore("enableCMT", "enableMBM")
        fields.refuseLineBreaks("l3CacheSchema", l3CacheSchema)
        fields.refuseLineBreaks("memBwSchema", memBwSchema)
        for line in schemata ?? [] {
            fields.refuseLineBreaks("schemata", line)
        }
        if let l3CacheSchema, !l3CacheSchema.utf8.starts(with: "L3:".utf8) {
            fields.warning("l3CacheSchema", "should start with \"L3:\"")
        }
        if let memBwSchema, !memBwSchema.utf8.starts(with: "MB:".utf8) {
            fields.error("memBwSchema", "must start with \"MB:\"")
        }
    }
}
