internal import CgroupPlanning
internal import Cgroups
public import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

extension Container {
    /// Changes limits of a container that was created and has not ended: all of them, or none when one is refused.
    ///
    /// - Throws: ``RuntimeError/status(reason:)`` for one that has ended, ``RuntimeError/configuration(_:)`` for limits
    ///   that contradict each other or those that hold already, ``RuntimeError/failed(reason:)`` with the field, the
    ///   controller and the remedy for what the kernel refuses.
    public func update(_ changes: ResourceChanges) throws(RuntimeError) {
        try store.whileLocked(id.description) { () throws(RuntimeError) in
            guard let record = try store.load(id.description) else { throw .missing(id.description) }
            try status(of: record).check(.update, of: record.id)
            try updateIntelRdt(changes, record)
            try updateCgroup(changes, record)
        }
    }

    private func updateCgroup(_ changes: ResourceChanges, _ record: Record) throws(RuntimeError) {
        let stored = try StoredLimits.read(of: record, in: store)
        let resources = CgroupPlan.inTodaysTerms(changes.resources, of: record.ociVersion) ?? Resources()
        let update = ResourcesUpdate(resources, stored: stored)
        guard update.errors.isEmpty else { throw .configuration(update.errors.map { changes.placed($0) }) }
        guard !update.settings.isEmpty else { return }
        try withCgroup(of: record) { cgroup throws(CgroupError) in try cgroup.update(update) }
        try operation("the limits hold, but keeping them for later updates failed") { () throws(SystemError) in
            try StoredLimits.write(update.resources, of: record, in: store)
        }
    }

    private func updateIntelRdt(_ changes: ResourceChanges, _ record: Record) throws(RuntimeError) {
        guard changes.l3CacheSchema != nil || changes.memoryBandwidthSchema != nil else { return }
        try operation("update Intel RDT of container \(id)") { () throws(SystemError) in
            try ResctrlGroup.update(
                l3CacheSchema: changes.l3CacheSchema, memBwSchema: changes.memoryBandwidthSchema, of: record.resctrl)
        }
    }
}

/// The limits that hold: those of the kept configuration, until an update writes a file of its own beside it.
enum StoredLimits {
    static let fileName = "resources.json"

    static func read(of record: Record, in store: Store) throws(RuntimeError) -> Resources? {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read("\(store.folder(record.id))/\(fileName)")
        } catch {
            guard error.code == .noEntry else { throw RuntimeError(error, doing: "read the kept limits") }
            let spec = try StoredConfiguration(record, store: store).spec
            return CgroupPlan.inTodaysTerms(spec.linux?.resources, of: record.ociVersion)
        }
        guard let resources = ResourcesDocument(bytes: bytes, file: fileName).resources else {
            throw .failed(reason: "the kept limits of container \(record.id) in \(store.root) are damaged")
        }
        return resources
    }

    static func write(_ resources: Resources, of record: Record, in store: Store) throws(SystemError) {
        try Files.replace(
            "\(store.folder(record.id))/\(fileName)", with: String(decoding: resources.json(), as: UTF8.self),
            mode: 0o600)
    }
}
