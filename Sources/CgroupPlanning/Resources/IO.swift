internal import Errors
internal import OCISpec

/// Block I/O: cgroup-v2.rst, "IO"; config-linux.md, "Block IO".
extension ResourcesPlan {
    mutating func addIO(_ blockIO: BlockIOResources) {
        if let leafWeight = blockIO.leafWeight, leafWeight != 0 { refuseVersion1("blockIO.leafWeight") }
        if let weight = blockIO.weight { addWeight(weight, device: nil, field: "blockIO.weight") }
        for (index, entry) in (blockIO.weightDevice ?? []).enumerated() {
            let field = "blockIO.weightDevice[\(index)]"
            if let leafWeight = entry.leafWeight, leafWeight != 0 { refuseVersion1("\(field).leafWeight") }
            if let weight = entry.weight {
                addWeight(weight, device: "\(entry.major):\(entry.minor)", field: "\(field).weight")
            }
        }
        addThrottle(blockIO.throttleReadBpsDevice, "rbps", "throttleReadBpsDevice")
        addThrottle(blockIO.throttleWriteBpsDevice, "wbps", "throttleWriteBpsDevice")
        addThrottle(blockIO.throttleReadIOPSDevice, "riops", "throttleReadIOPSDevice")
        addThrottle(blockIO.throttleWriteIOPSDevice, "wiops", "throttleWriteIOPSDevice")
    }

    /// Where the BFQ scheduler is there, it takes the specification's scale of 10 to 1000 as it is (bfq-iosched.rst);
    /// `io.weight` has 1 to 10000.
    private mutating func addWeight(_ weight: UInt16, device: String?, field: String) {
        if weight == 0 { return }  // unset, as engines send it
        guard (10...1000).contains(weight) else {
            return refuse(field, "expected 10 to 1000, found \(weight)")
        }
        let prefix = device.map { "\($0) " } ?? ""
        let converted = 1 + (Int(weight) - 10) * 9999 / 990
        add(
            "io.bfq.weight", "\(prefix)\(weight)", .io, field: field,
            alternative: Setting.Alternative(file: "io.weight", value: "\(prefix)\(converted)"))
    }

    /// The kernel merges lines of one device, so each limit is a write of its own.
    private mutating func addThrottle(_ entries: [ThrottleDevice]?, _ key: String, _ name: String) {
        for (index, entry) in (entries ?? []).enumerated() {
            // In cgroup v1, whose terms these are, zero took the limit away; v2 refuses it.
            let rate = entry.rate == 0 ? "max" : String(entry.rate)
            add("io.max", "\(entry.major):\(entry.minor) \(key)=\(rate)", .io, field: "blockIO.\(name)[\(index)]")
        }
    }
}
