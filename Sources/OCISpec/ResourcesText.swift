import JSON

/// Limits as JSON, for the state of a container whose limits were changed. Reading it back gives the same limits.
extension Resources {
    /// One line without a line break. Device rules are left out: they are never changed, and stand in the
    /// configuration.
    package func json() -> [UInt8] {
        var writer = Writer()
        writer.object { writer in
            if let memory { writer.part("memory", memory.write) }
            if let cpu { writer.part("cpu", cpu.write) }
            if let pids { writer.part("pids") { $0.number("limit", pids.limit) } }
            if let blockIO { writer.part("blockIO", blockIO.write) }
            if let hugepageLimits { writer.list("hugepageLimits", hugepageLimits) { $0.write(to: &$1) } }
            if let network { writer.part("network", network.write) }
            if let rdma { writer.part("rdma") { writer in for limit in rdma { limit.write(to: &writer) } } }
            if let unified {
                writer.part("unified") { writer in for entry in unified { writer.member(entry.key, entry.value) } }
            }
        }
        return writer.finish()
    }
}

extension Writer {
    mutating func part(_ name: String, _ body: (inout Writer) -> Void) {
        key(name)
        object(body)
    }

    mutating func list<Entry>(_ name: String, _ entries: [Entry], _ body: (Entry, inout Writer) -> Void) {
        key(name)
        array { array in
            for entry in entries { array.object { body(entry, &$0) } }
        }
    }

    mutating func number(_ name: String, _ value: (some BinaryInteger)?) {
        if let value { member(name, value) }
    }

    mutating func truth(_ name: String, _ value: Bool?) {
        if let value { member(name, value) }
    }

    mutating func rates(_ name: String, _ devices: [ThrottleDevice]?) {
        guard let devices else { return }
        list(name, devices) { device, writer in
            writer.member("major", device.major)
            writer.member("minor", device.minor)
            writer.member("rate", device.rate)
        }
    }
}
