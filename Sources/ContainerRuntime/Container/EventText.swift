internal import Cgroups
internal import JSON
internal import Kernel

/// The lines of `events`, with the keys of runc. What cgroup v2 or this host does not count is left out.
package enum EventText {
    package static func outOfMemory(id: String) -> String {
        var writer = Writer()
        writer.object { event in
            event.member("type", "oom")
            event.member("id", id)
        }
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    package static func statistics(_ statistics: ContainerStatistics, id: String) -> String {
        self.statistics(statistics.usage, id: id)
    }

    static func statistics(_ usage: Usage, id: String) -> String {
        var writer = Writer()
        writer.object { event in
            event.member("type", "stats")
            event.member("id", id)
            event.part("data") { data in
                data.part("cpu") { write(usage.cgroup.cpu, to: &$0) }
                data.part("cpuset") { write(usage.cgroup.cpuset, to: &$0) }
                data.part("memory") { write(usage.cgroup.memory, to: &$0) }
                data.part("pids") { pids in
                    pids.number("current", usage.cgroup.pids.current)
                    pids.member("limit", usage.cgroup.pids.limit)
                }
                data.part("blkio") { write(usage.cgroup.io, to: &$0) }
                data.part("hugetlb") { sizes in
                    for pages in usage.cgroup.hugePages {
                        sizes.part(pages.pageSize) { entry in
                            entry.member("usage", pages.usage)
                            entry.member("failcnt", pages.failures)
                        }
                    }
                }
                data.part("intel_rdt") { object in
                    if let resctrl = usage.resctrl { write(resctrl, to: &object) }
                }
                data.list("network_interfaces", usage.interfaces) { write($0, to: &$1) }
            }
        }
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    private static func write(_ cpu: CPUStatistics, to writer: inout Writer) {
        writer.part("usage") { usage in
            usage.number("total", cpu.total)
            usage.member("kernel", cpu.kernel)
            usage.member("user", cpu.user)
        }
        writer.part("throttling") { throttling in
            throttling.number("periods", cpu.periods)
            throttling.number("throttledPeriods", cpu.throttledPeriods)
            throttling.number("throttledTime", cpu.throttledTime)
        }
        writer.pressure(cpu.pressure)
    }

    /// Most of the keys are switches of cgroup v1, which v2 does not have; runc writes them as 0, always.
    private static func write(_ cpuset: CpusetStatistics, to writer: inout Writer) {
        if let cpus = cpuset.cpus { writer.numbers("cpus", cpus) }
        writer.member("cpu_exclusive", cpuset.isExclusive ? 1 : 0)
        if let mems = cpuset.mems { writer.numbers("mems", mems) }
        for key in [
            "mem_hardwall", "mem_exclusive", "memory_migrate", "memory_spread_page", "memory_spread_slab",
            "memory_pressure",
        ] {
            writer.member(key, 0)
        }
        writer.member("sched_load_balance", cpuset.isBalanced ? 1 : 0)
        writer.member("sched_relax_domain_level", 0)
    }

    private static func write(_ memory: MemoryStatistics, to writer: inout Writer) {
        func write(_ name: String, _ entry: MemoryStatistics.Entry) {
            writer.part(name) { object in
                object.member("limit", entry.limit)
                object.number("usage", entry.usage)
                object.number("max", entry.peak)
                object.member("failcnt", entry.failures)
            }
        }
        writer.number("cache", memory.cache)
        write("usage", memory.usage)
        write("swap", memory.swap)
        write("kernel", memory.kernel)
        write("kernelTCP", memory.kernelTCP)
        if !memory.raw.isEmpty {
            writer.part("raw") { raw in
                for (key, value) in memory.raw { raw.member(key, value) }
            }
        }
        writer.pressure(memory.pressure)
    }

    private static func write(_ io: IOStatistics, to writer: inout Writer) {
        func write(_ name: String, _ entries: [IOStatistics.Entry]) {
            guard !entries.isEmpty else { return }
            writer.list(name, entries) { entry, object in
                object.member("major", entry.major)
                object.member("minor", entry.minor)
                object.member("op", entry.operation)
                object.member("value", entry.value)
            }
        }
        write("ioServiceBytesRecursive", io.bytes)
        write("ioServicedRecursive", io.operations)
        writer.pressure(io.pressure)
    }

    private static func write(_ resctrl: ResctrlStatistics, to writer: inout Writer) {
        if let cache = resctrl.cache {
            writer.part("l3_cache_info") { info in
                info.member("cbm_mask", cache.mask)
                info.member("min_cbm_bits", cache.minimumBits)
                info.member("num_closids", cache.groups)
            }
        }
        writer.text("l3_cache_schema_root", ResctrlStatistics.line("L3", in: resctrl.rootSchemata))
        writer.text("l3_cache_schema", ResctrlStatistics.line("L3", in: resctrl.schemata))
        if let bandwidth = resctrl.bandwidth {
            writer.part("mem_bw_info") { info in
                info.member("bandwidth_gran", bandwidth.granularity)
                info.member("delay_linear", bandwidth.delayIsLinear)
                info.member("min_bandwidth", bandwidth.minimum)
                info.member("num_closids", bandwidth.groups)
            }
        }
        writer.text("mem_bw_schema_root", ResctrlStatistics.line("MB", in: resctrl.rootSchemata))
        writer.text("mem_bw_schema", ResctrlStatistics.line("MB", in: resctrl.schemata))
        if !resctrl.schemata.isEmpty { writer.member("schemata", resctrl.schemata) }
        guard !resctrl.domains.isEmpty else { return }
        writer.list("mbm_stats", resctrl.domains) { domain, object in
            object.number("mbm_total_bytes", domain.total)
            object.number("mbm_local_bytes", domain.local)
        }
        writer.list("cmt_stats", resctrl.domains) { $1.number("llc_occupancy", $0.occupancy) }
    }

    /// The only keys with capitals: those of runc have no other names.
    private static func write(_ interface: NetworkCounters, to writer: inout Writer) {
        writer.member("Name", interface.name)
        writer.member("RxBytes", interface.receivedBytes)
        writer.member("RxPackets", interface.receivedPackets)
        writer.member("RxErrors", interface.receiveErrors)
        writer.member("RxDropped", interface.receiveDrops)
        writer.member("TxBytes", interface.sentBytes)
        writer.member("TxPackets", interface.sentPackets)
        writer.member("TxErrors", interface.sendErrors)
        writer.member("TxDropped", interface.sendDrops)
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

    fileprivate mutating func number(_ name: String, _ value: UInt64?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func text(_ name: String, _ value: String?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func numbers(_ name: String, _ values: [UInt16]) {
        key(name)
        array { array in
            for value in values { array.integer(value) }
        }
    }

    fileprivate mutating func pressure(_ pressure: Pressure?) {
        guard let pressure else { return }
        part("psi") { psi in
            for (name, line) in [("some", pressure.some), ("full", pressure.full)] {
                guard let line else { continue }
                psi.part(name) { object in
                    for (key, value) in [
                        ("avg10", line.average10), ("avg60", line.average60), ("avg300", line.average300),
                    ] {
                        object.key(key)
                        object.hundredths(value)
                    }
                    object.member("total", line.total)
                }
            }
        }
    }
}
