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
    fileprivate static func merge<Entry>(
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

extension MemoryResources {
    fileprivate func merging(_ changes: MemoryResources) -> MemoryResources {
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
}

extension CPUResources {
    fileprivate func merging(_ changes: CPUResources) -> CPUResources {
        var merged = self
        merged.shares = given(changes.shares) ?? shares
        // The kernel gives idle containers a weight of its own; so does runc.
        if changes.idle == 1, given(changes.shares) == nil { merged.shares = nil }
        merged.quota = given(changes.quota) ?? quota
        merged.burst = changes.burst ?? burst
        merged.period = given(changes.period) ?? period
        merged.realtimeRuntime = given(changes.realtimeRuntime) ?? realtimeRuntime
        merged.realtimePeriod = given(changes.realtimePeriod) ?? realtimePeriod
        merged.cpus = given(changes.cpus) ?? cpus
        merged.mems = given(changes.mems) ?? mems
        merged.idle = changes.idle ?? idle
        return merged
    }
}

extension BlockIOResources {
    fileprivate func merging(_ changes: BlockIOResources) -> BlockIOResources {
        let isSameDevice = { (a: ThrottleDevice, b: ThrottleDevice) in a.major == b.major && a.minor == b.minor }
        var merged = self
        merged.weight = given(changes.weight) ?? weight
        merged.leafWeight = given(changes.leafWeight) ?? leafWeight
        merged.weightDevice = Resources.merge(weightDevice, changes.weightDevice) {
            $0.major == $1.major && $0.minor == $1.minor
        }
        merged.throttleReadBpsDevice = Resources.merge(
            throttleReadBpsDevice, changes.throttleReadBpsDevice, isSameDevice)
        merged.throttleWriteBpsDevice = Resources.merge(
            throttleWriteBpsDevice, changes.throttleWriteBpsDevice, isSameDevice)
        merged.throttleReadIOPSDevice = Resources.merge(
            throttleReadIOPSDevice, changes.throttleReadIOPSDevice, isSameDevice)
        merged.throttleWriteIOPSDevice = Resources.merge(
            throttleWriteIOPSDevice, changes.throttleWriteIOPSDevice, isSameDevice)
        return merged
    }
}

private func given<Number: FixedWidthInteger>(_ value: Number?) -> Number? { value == 0 ? nil : value }
private func given(_ text: String?) -> String? { text?.isEmpty == true ? nil : text }
