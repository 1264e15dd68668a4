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

extension MemoryResources {
    fileprivate func write(to writer: inout Writer) {
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

extension CPUResources {
    fileprivate func write(to writer: inout Writer) {
        writer.number("shares", shares)
        writer.number("quota", quota)
        writer.number("burst", burst)
        writer.number("period", period)
        writer.number("realtimeRuntime", realtimeRuntime)
        writer.number("realtimePeriod", realtimePeriod)
        if let cpus { writer.member("cpus", cpus) }
        if let mems { writer.member("mems", mems) }
        writer.number("idle", idle)
    }
}

extension BlockIOResources {
    fileprivate func write(to writer: inout Writer) {
        writer.number("weight", weight)
        writer.number("leafWeight", leafWeight)
        if let weightDevice { writer.list("weightDevice", weightDevice) { $0.write(to: &$1) } }
        writer.rates("throttleReadBpsDevice", throttleReadBpsDevice)
        writer.rates("throttleWriteBpsDevice", throttleWriteBpsDevice)
        writer.rates("throttleReadIOPSDevice", throttleReadIOPSDevice)
        writer.rates("throttleWriteIOPSDevice", throttleWriteIOPSDevice)
    }
}

extension WeightDevice {
    fileprivate func write(to writer: inout Writer) {
        writer.member("major", major)
        writer.member("minor", minor)
        writer.number("weight", weight)
        writer.number("leafWeight", leafWeight)
    }
}

extension HugepageLimit {
    fileprivate func write(to writer: inout Writer) {
        writer.member("pageSize", pageSize)
        writer.member("limit", limit)
    }
}

extension NetworkResources {
    fileprivate func write(to writer: inout Writer) {
        writer.number("classID", classID)
        guard let priorities else { return }
        writer.list("priorities", priorities) { priority, writer in
            writer.member("name", priority.name)
            writer.member("priority", priority.priority)
        }
    }
}

extension RDMALimit {
    fileprivate func write(to writer: inout Writer) {
        writer.part(device) { writer in
            writer.number("hcaHandles", hcaHandles)
            writer.number("hcaObjects", hcaObjects)
        }
    }
}

extension Writer {
    fileprivate mutating func part(_ name: String, _ body: (inout Writer) -> Void) {
        key(name)
        object(body)
    }

    fileprivate mutating func list<Entry>(_ name: String, _ entries: [Entry], _ body: (Entry, inout Writer) -> Void) {
        key(name)
        array { array in
            for entry in entries { array.object { body(entry, &$0) } }
        }
    }

    fileprivate mutating func number(_ name: String, _ value: (some BinaryInteger)?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func truth(_ name: String, _ value: Bool?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func rates(_ name: String, _ devices: [ThrottleDevice]?) {
        guard let devices else { return }
        list(name, devices) { device, writer in
            writer.member("major", device.major)
            writer.member("minor", device.minor)
            writer.member("rate", device.rate)
        }
    }
}
