internal import DBus
internal import KernelTypes

/// Limits of a cgroup as properties of its unit, so that systemd, which writes the files itself whenever it likes,
/// writes the same.
///
/// It goes by file and value and not by field, so that `unified` is understood as well: what has a property gets it
/// (systemd.resource-control(5)), the rest is written to its file alone, which systemd then leaves as it is.
package struct UnitLimits {
    package private(set) var properties = UnitProperties()
    /// systemd's version. Properties that it does not know yet are left out; the file has the value all the same.
    let version: Int
    /// Block devices by their numbers `MAJOR:MINOR`: the path of a node.
    let devices: [String: String]

    package init(_ settings: [Setting], version: Int, devices: [String: String]) {
        self.version = version
        self.devices = devices
        for setting in Self.agreeable(settings) { add(setting) }
    }

    // MARK: Values that systemd cannot have

    /// The settings with those values changed that systemd would round, so that both write the same.
    package static func agreeable(_ settings: [Setting]) -> [Setting] {
        settings.map { setting in
            switch setting.file {
            case "cpu.max": Bandwidth(setting.value).map { setting.with(value: $0.text) } ?? setting
            // TasksMax has no 0. With the one task that the container's own process is, 1 allows as little.
            case "pids.max" where setting.value == "0": setting.with(value: "1")
            default: setting
            }
        }
    }

    /// What `cpu.max` says, in the terms of systemd: microseconds per second, in steps of ten milliseconds, rounded up
    /// as in runc.
    package struct Bandwidth: Equatable {
        /// nil for no limit.
        let perSecond: UInt64?
        let period: UInt64

        init?(_ text: String) {
            let words = text.parts(by: " ")
            guard let quota = words.first, words.count <= 2 else { return nil }
            // What lies outside of these is the kernel's to refuse.
            guard let period = words.count == 2 ? UInt64(words[1]) : 100_000, (1000...1_000_000).contains(period)
            else { return nil }
            self.period = period
            if quota == "max" {
                perSecond = nil
                return
            }
            guard let quota = UInt64(quota), quota > 0, quota <= 1 << 40 else { return nil }
            perSecond = (quota * 1_000_000 / period + 9_999) / 10_000 * 10_000
        }

        var text: String { "\(perSecond.map { String($0 * period / 1_000_000) } ?? "max") \(period)" }
    }

    // MARK: Files and their properties

    private mutating func add(_ setting: Setting) {
        let value = setting.value
        switch setting.file {
        case "memory.min": setSize("MemoryMin", value)
        case "memory.low": setSize("MemoryLow", value)
        case "memory.high": setSize("MemoryHigh", value, least: 1)
        case "memory.max": setSize("MemoryMax", value, least: 1)
        case "memory.swap.max": setSize("MemorySwapMax", value)
        case "memory.zswap.max": if version >= 253 { setSize("MemoryZSwapMax", value) }
        case "memory.oom.group": setOOMPolicy(value)
        case "pids.max": setSize("TasksMax", value, least: 1)
        case "cpu.max": setBandwidth(value)
        case "cpu.weight": if let weight = weight(value) { properties.set("CPUWeight", .uint64(weight)) }
        case "cpu.idle": setIdle(value)
        case "cpuset.cpus": setMask("AllowedCPUs", value)
        case "cpuset.mems": setMask("AllowedMemoryNodes", value)
        // What BFQ's own file gets is in another scale; systemd converts by itself.
        case "io.bfq.weight": if let other = setting.alternative { setIOWeight(other.value) }
        case "io.weight": for line in value.parts(by: "\n") { setIOWeight(line) }
        case "io.max": for line in value.parts(by: "\n") { limitIO(line) }
        case "io.latency": for line in value.parts(by: "\n") { setLatency(line) }
        default: break
        }
    }

    /// A number, or `max`, which systemd calls infinity.
    private mutating func setSize(_ name: String, _ text: String, least: UInt64 = 0) {
        guard let size = Self.size(text), size >= least else { return }
        properties.set(name, .uint64(size))
    }

    /// The kernel's way of writing bytes, with a letter for a power of 1024 (lib/cmdline.c, `memparse`).
    static func size(_ text: String) -> UInt64? {
        if text == "max" { return .max }
        let letters: [Unicode.Scalar] = ["k", "m", "g", "t", "p", "e"]
        guard let last = text.utf8.last else { return nil }
        guard let power = letters.firstIndex(where: { UInt8(ascii: $0) == last | 0x20 }) else { return UInt64(text) }
        guard let number = UInt64(String(decoding: text.utf8.dropLast(), as: UTF8.self)) else { return nil }
        let (size, overflow) = number.multipliedReportingOverflow(by: 1 << UInt64(10 * (power + 1)))
        return overflow ? nil : size
    }

    private mutating func setBandwidth(_ text: String) {
        guard let bandwidth = Bandwidth(text) else { return }
        properties.set("CPUQuotaPerSecUSec", .uint64(bandwidth.perSecond ?? .max))
        if version >= 242 { properties.set("CPUQuotaPeriodUSec", .uint64(bandwidth.period)) }
    }

    private func weight(_ text: String) -> UInt64? {
        guard let weight = UInt64(text), (1...10_000).contains(weight) else { return nil }
        return weight
    }

    /// systemd's value for an idle cgroup is the weight 0; without it, it knows nothing of idleness.
    private mutating func setIdle(_ text: String) {
        guard version >= 252 else { return }
        if text == "1" { properties.set("CPUWeight", .uint64(0)) }
        if text == "0" { properties.set("CPUWeight", .uint64(.max)) }  // as if never set; a weight may follow
    }

    /// What happens to the processes of a scope when one of them is killed for memory.
    private mutating func setOOMPolicy(_ text: String) {
        guard version >= 253, text == "0" || text == "1" else { return }
        properties.set("OOMPolicy", .string(text == "1" ? "kill" : "continue"))
    }

    /// A list such as `0-3,7` as bits, the lowest first; a list that is no such thing is the kernel's to refuse.
    private mutating func setMask(_ name: String, _ list: String) {
        guard version >= 244, let mask = Self.mask(list) else { return }
        properties.set(name, .bytes(mask))
    }

    static func mask(_ list: String) -> [UInt8]? {
        var mask: [UInt8] = []
        for range in list.parts(by: ",") {
            let ends = range.parts(by: "-", keepingEmpty: true).map {
                UInt16($0.utf8.filter { $0 != 32 && $0 != 10 }.text)
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first <= last,
                last < 8192
            else { return nil }
            for number in first...last {
                let byte = Int(number / 8)
                if byte >= mask.count { mask += [UInt8](repeating: 0, count: byte + 1 - mask.count) }
                mask[byte] |= 1 << UInt8(number % 8)
            }
        }
        return mask
    }

    // MARK: Devices with limits

    /// `200`, `default 200` or `8:0 200`.
    private mutating func setIOWeight(_ line: String) {
        let words = line.parts(by: " ")
        guard let last = words.last, let weight = weight(last), words.count <= 2 else { return }
        if words.count == 1 || words[0] == "default" {
            properties.set("IOWeight", .uint64(weight))
        } else {
            extend("IODeviceWeight", words[0], weight)
        }
    }

    /// `8:0 rbps=1048576 wiops=max`.
    private mutating func limitIO(_ line: String) {
        let words = line.parts(by: " ")
        guard let device = words.first else { return }
        for word in words.dropFirst() {
            let pair = word.parts(by: "=", keepingEmpty: true)
            guard pair.count == 2, let limit = pair[1] == "max" ? .max : UInt64(pair[1]) else { continue }
            switch pair[0] {
            case "rbps": extend("IOReadBandwidthMax", device, limit)
            case "wbps": extend("IOWriteBandwidthMax", device, limit)
            case "riops": extend("IOReadIOPSMax", device, limit)
            case "wiops": extend("IOWriteIOPSMax", device, limit)
            default: break
            }
        }
    }

    /// `8:0 target=2000`.
    private mutating func setLatency(_ line: String) {
        let words = line.parts(by: " ")
        guard version >= 240, words.count == 2, let target = words[1].rest(after: "target=").flatMap({ UInt64($0) })
        else { return }
        extend("IODeviceLatencyTargetUSec", words[0], target)
    }

    private mutating func extend(_ name: String, _ device: String, _ number: UInt64) {
        let node = devices[device] ?? "/dev/block/\(device)"
        properties.extend(
            name, of: .structure([.string, .uint64]), with: .structure([.string(node), .uint64(number)]))
    }
}

extension Setting {
    fileprivate func with(value: String) -> Setting {
        Setting(
            file: file, value: value, controller: controller, field: field, optional: optional,
            alternative: alternative, usageFile: usageFile)
    }
}

extension Sequence where Element == UInt8 {
    fileprivate var text: String { String(decoding: Array(self), as: UTF8.self) }
}
