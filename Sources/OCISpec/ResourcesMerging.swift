/// Changing some limits of a container and leaving the others (`update`).
extension Resources {
    /// These limits with changes put over them.
    ///
    /// What the changes do not name stays; so does what they give as 0 or as an empty text where that means "unset",
    /// for engines fill in all fields. Lists are merged entry by entry, as the kernel keeps them. Device rules are
    /// never changed: a program that judges them is in the kernel already.
    package func merging(_ changes: Resources) -> Resources {
        var merged = self
        merged.memory = Self.merge(memory, changes.memory, MemoryResources()) { $0.merging($1) }
        merged.cpu = Self.merge(cpu, changes.cpu, CPUResources()) { $0.merging($1) }
        merged.blockIO = Self.merge(blockIO, changes.blockIO, BlockIOResources()) { $0.merging($1) }
        merged.pids = PIDsResources(limit: changes.pids?.limit ?? pids?.limit)
        if merged.pids?.limit == nil { merged.pids = nil }
        merged.hugepageLimits = Self.merge(hugepageLimits, changes.hugepageLimits) { $0.pageSize == $1.pageSize }
        merged.rdma = Self.merge(rdma, changes.rdma) { $0.device == $1.device }
        merged.unified = Self.merge(unified, changes.unified) { $0.key == $1.key }
        merged.network = changes.network ?? network
        return merged
    }

    private static func merge<Part>(
        _ old: Part?, _ changes: Part?, _ none: Part, _ merging: (Part, Part) -> Part
    ) -> Part? {
        guard let changes else { return old }
        return merging(old ?? none, changes)
    }

    /// Entries about the same thing are replaced where they stand; the others come behind.
    static func merge<Entry>(
        _ old: [Entry]?, _ changes: [Entry]?, _ areAboutTheSame: (Entry, Entry) -> Bool
    ) -> [Entry]? {
        guard let changes else { return old }
        var merged = old ?? []
        for change in changes {
            if let index = merged.firstIndex(where: { areAboutTheSame($0, change) }) {
                merged[index] = change
            } else {
                merged.append(change)
            }
        }
        return merged
    }
}

/// What changes something: engines give 0 or an empty text for what they leave as it is.
func given<Number: FixedWidthInteger>(_ value: Number?) -> Number? { value == 0 ? nil : value }
func given(_ text: String?) -> String? { text?.isEmpty == true ? nil : text }
