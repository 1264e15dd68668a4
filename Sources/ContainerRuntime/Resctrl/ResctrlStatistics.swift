internal import CgroupPlanning
internal import Kernel
internal import KernelTypes
internal import Planning

/// What a resctrl group may use and has used of L3 caches and memory bandwidth (resctrl.rst, "Info directory",
/// "Resource alloc and monitor groups").
struct ResctrlStatistics: Hashable, Sendable {
    /// What the processor can share out.
    struct Cache: Hashable, Sendable {
        let mask: String
        let minimumBits: UInt64
        let groups: UInt64
    }

    struct Bandwidth: Hashable, Sendable {
        let granularity: UInt64
        let delayIsLinear: UInt64
        let minimum: UInt64
        let groups: UInt64
    }

    /// Of one L3 cache, in bytes; nil what is not counted.
    struct Domain: Hashable, Sendable {
        let total: UInt64?
        let local: UInt64?
        let occupancy: UInt64?
    }

    var cache: Cache?
    var bandwidth: Bandwidth?
    /// The lines of the `schemata` of the whole machine and of the group.
    var rootSchemata: [String] = []
    var schemata: [String] = []
    var domains: [Domain] = []

    /// Of a container's group.
    init(_ record: ResctrlRecord) throws(SystemError) {
        // Only the root has a folder `info`; groups lie in the root.
        let isRoot = Files.exists("\(record.group)/info")
        let root = isRoot ? record.group : record.group.splitAtLastSlash?.folder ?? ""
        try self.init(root: root, group: record.group, monitored: record.monitor ?? record.group)
    }

    /// - Parameter monitored: the folder whose `mon_data` counts for the container.
    init(root: String, group: String, monitored: String) throws(SystemError) {
        if let mask = try Self.text("\(root)/info/L3/cbm_mask") {
            cache = Cache(
                mask: mask, minimumBits: try Self.number("\(root)/info/L3/min_cbm_bits") ?? 0,
                groups: try Self.number("\(root)/info/L3/num_closids") ?? 0)
        }
        if let minimum = try Self.number("\(root)/info/MB/min_bandwidth") {
            bandwidth = Bandwidth(
                granularity: try Self.number("\(root)/info/MB/bandwidth_gran") ?? 0,
                delayIsLinear: try Self.number("\(root)/info/MB/delay_linear") ?? 0, minimum: minimum,
                groups: try Self.number("\(root)/info/MB/num_closids") ?? 0)
        }
        rootSchemata = try Self.lines("\(root)/schemata")
        schemata = try Self.lines("\(group)/schemata")
        guard Files.exists("\(monitored)/mon_data") else { return }
        for name in try Files.list("\(monitored)/mon_data").sorted() where name.begins(with: "mon_L3_") {
            let folder = "\(monitored)/mon_data/\(name)"
            domains.append(
                Domain(
                    total: try Self.number("\(folder)/mbm_total_bytes"),
                    local: try Self.number("\(folder)/mbm_local_bytes"),
                    occupancy: try Self.number("\(folder)/llc_occupancy")))
        }
    }

    /// The line of one resource, as `L3:0=f;1=f`.
    static func line(_ resource: String, in schemata: [String]) -> String? {
        schemata.first { $0.begins(with: "\(resource):") }
    }

    private static func text(_ path: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            return try Files.readText(path)
        } catch {
            if error.code == .noEntry { return nil }
            throw error
        }
    }

    /// nil also for what the hardware has no answer to ("Unavailable").
    private static func number(_ path: String) throws(SystemError) -> UInt64? {
        try text(path).flatMap { UInt64($0) }
    }

    /// The kernel indents shorter names.
    private static func lines(_ path: String) throws(SystemError) -> [String] {
        (try text(path) ?? "").parts(by: "\n").map { line in
            String(decoding: Array(line.utf8.drop { $0 == UInt8(ascii: " ") }), as: UTF8.self)
        }
    }
}
