internal import JSON

/// Memory limits in bytes, −1 meaning no limit (config-linux.md, "Memory").
package struct MemoryResources: Sendable, Hashable {
    /// The limit.
    package var limit: Int64?
    /// The soft limit.
    package var reservation: Int64?
    /// The limit of memory and swap together.
    package var swap: Int64?
    /// Kernel memory (cgroup v1 only).
    package var kernel: Int64?
    /// TCP buffers (cgroup v1 only).
    package var kernelTCP: Int64?
    /// How readily memory is swapped out, 0 to 100 (cgroup v1 only).
    package var swappiness: UInt64?
    /// Whether tasks wait for memory rather than being killed (cgroup v1 only).
    package var disableOOMKiller: Bool?
    /// Whether child groups share the limits (cgroup v1 only; always so in v2).
    package var useHierarchy: Bool?
    /// Whether an update below the current usage is refused.
    package var checkBeforeUpdate: Bool?

    /// Limits by their kind.
    package init(
        limit: Int64? = nil, reservation: Int64? = nil, swap: Int64? = nil, kernel: Int64? = nil,
        kernelTCP: Int64? = nil, swappiness: UInt64? = nil, disableOOMKiller: Bool? = nil,
        useHierarchy: Bool? = nil, checkBeforeUpdate: Bool? = nil
    ) {
        self.limit = limit
        self.reservation = reservation
        self.swap = swap
        self.kernel = kernel
        self.kernelTCP = kernelTCP
        self.swappiness = swappiness
        self.disableOOMKiller = disableOOMKiller
        self.useHierarchy = useHierarchy
        self.checkBeforeUpdate = checkBeforeUpdate
    }
}

extension MemoryResources: Section {
    init(_ fields: inout Fields) {
        let limits: ClosedRange<Int64> = -1...Int64.max
        limit = fields.integer("limit", in: limits)
        reservation = fields.integer("reservation", in: limits)
        swap = fields.integer("swap", in: limits)
        kernel = fields.integer("kernel", in: limits)
        kernelTCP = fields.integer("kernelTCP", in: limits)
        swappiness = fields.integer("swappiness", in: 0...100)
        disableOOMKiller = fields.boolean("disableOOMKiller")
        useHierarchy = fields.boolean("useHierarchy")
        checkBeforeUpdate = fields.boolean("checkBeforeUpdate")
    }

    func merging(_ changes: MemoryResources) -> MemoryResources {
        var merged = self
        merged.limit = given(changes.limit) ?? limit
        merged.reservation = given(changes.reservation) ?? reservation
        merged.swap = given(changes.swap) ?? swap
        // A limit of memory and swap together means nothing beside memory without one; so does runc.
        if changes.limit == -1, given(changes.swap) == nil { merged.swap = nil }
        merged.kernel = given(changes.kernel) ?? kernel
        merged.kernelTCP = given(changes.kernelTCP) ?? kernelTCP
        merged.swappiness = changes.swappiness ?? swappiness
        merged.disableOOMKiller = changes.disableOOMKiller ?? disableOOMKiller
        merged.useHierarchy = changes.useHierarchy ?? useHierarchy
        merged.checkBeforeUpdate = changes.checkBeforeUpdate ?? checkBeforeUpdate
        return merged
    }

    func write(to writer: inout Writer) {
        writer.number("limit", limit)
        writer.number("reservation", reservation)
        writer.number("swap", swap)
        writer.number("kernel", kernel)
        writer.number("kernelTCP", kernelTCP)
        writer.number("swappiness", swappiness)
        writer.truth("disableOOMKiller", disableOOMKiller)
        writer.truth("useHierarchy", useHierarchy)
        writer.truth("checkBeforeUpdate", checkBeforeUpdate)
    }
}

/// The limit of one size of huge pages (config-linux.md, "Huge page limits").
package struct HugepageLimit: Sendable, Hashable {
    /// The page size as in the control file's name: `64KB`, `2MB`, `1GB`.
    package var pageSize: String
    /// Bytes.
    package var limit: UInt64

    /// A limit by its parts.
    package init(pageSize: String, limit: UInt64) {
        self.pageSize = pageSize
        self.limit = limit
    }
}

extension HugepageLimit: Section {
    init(_ fields: inout Fields) {
        pageSize = fields.requiredString("pageSize")
        limit = fields.requiredInteger("limit")
        if fields.isString("pageSize"), !Self.isPageSize(pageSize) {
            let found = fields.words(for: "pageSize")
            fields.error("pageSize", "expected a size such as \"64KB\", \"2MB\" or \"1GB\", found \(found)")
        }
    }

    /// Whether a text is a page size as the kernel's names of files have it.
    package static func isPageSize(_ text: String) -> Bool {
        let number = text.utf8.dropLast(2)
        let unit = Array(text.utf8.suffix(2))
        guard unit.count == 2, "KMG".utf8.contains(unit[0]), unit[1] == UInt8(ascii: "B") else { return false }
        guard let first = number.first, first != UInt8(ascii: "0") else { return false }
        return number.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
    }

    func write(to writer: inout Writer) {
        writer.member("pageSize", pageSize)
        writer.member("limit", limit)
    }
}
