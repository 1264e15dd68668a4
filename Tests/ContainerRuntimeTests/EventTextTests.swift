import OCISpec
import Testing

@testable import Cgroups
@testable import ContainerRuntime
@testable import Kernel

@Suite struct EventTextTests {
    @Test func anOutOfMemoryEventIsOneLine() {
        #expect(EventText.outOfMemory(id: "a") == #"{"type":"oom","id":"a"}"#)
    }

    /// What runc writes where nothing is counted, and no key more.
    @Test func whatIsNotCountedIsZero() {
        let none = #"{"limit":0,"failcnt":0}"#
        #expect(
            EventText.statistics(Usage(cgroup: Statistics(), interfaces: []), id: "a")
                == #"{"type":"stats","id":"a","data":{"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},"#
                + #""cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,"#
                + #""memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,"sched_load_balance":0,"#
                + #""sched_relax_domain_level":0},"memory":{"usage":\#(none),"swap":\#(none),"kernel":\#(none),"#
                + #""kernelTCP":\#(none)},"pids":{"limit":0},"blkio":{},"hugetlb":{},"intel_rdt":{},"#
                + #""network_interfaces":[]}}"#)
    }

    @Test func everyCounterHasItsKey() {
        var usage = Usage(cgroup: Statistics(), interfaces: [])
        let pressure = Pressure(
            "some avg10=1.50 avg60=0.07 avg300=12.00 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=4")
        let psi =
            #""psi":{"some":{"avg10":1.5,"avg60":0.07,"avg300":12,"total":5},"#
            + #""full":{"avg10":0,"avg60":0,"avg300":0,"total":4}}"#
        usage.cgroup.cpu.total = 3
        usage.cgroup.cpu.periods = 1
        usage.cgroup.cpu.throttledPeriods = 2
        usage.cgroup.cpu.throttledTime = 3
        usage.cgroup.cpu.pressure = pressure
        usage.cgroup.cpuset.cpus = [0, 2]
        usage.cgroup.cpuset.mems = [0]
        usage.cgroup.memory.cache = 7
        usage.cgroup.memory.usage = .init(limit: .max, usage: 1, peak: 2, failures: 3)
        usage.cgroup.memory.entries = [.init(key: "anon", value: 5)]
        usage.cgroup.memory.pressure = pressure
        usage.cgroup.pids.current = 1
        usage.cgroup.io.read("8:1 rbytes=1 wios=2")
        usage.cgroup.io.pressure = pressure
        usage.cgroup.hugePages = [.init(pageSize: "2MB", usage: 1, failures: 2)]
        usage.interfaces = [
            NetworkCounters(
                name: "eth0", receivedBytes: 1, receivedPackets: 2, receiveErrors: 3, receiveDrops: 4, sentBytes: 5,
                sentPackets: 6, sendErrors: 7, sendDrops: 8)
        ]
        let text = EventText.statistics(usage, id: "a")
        for part in [
            #""cpu":{"usage":{"total":3,"kernel":0,"user":0},"throttling":{"periods":1,"throttledPeriods":2,"throttledTime":3},\#(psi)}"#,
            #""cpuset":{"cpus":[0,2],"cpu_exclusive":0,"mems":[0],"#,
            #""memory":{"cache":7,"usage":{"limit":18446744073709551615,"usage":1,"max":2,"failcnt":3},"#,
            #""raw":{"anon":5},\#(psi)},"#, #""pids":{"current":1,"limit":0}"#,
            #""blkio":{"ioServiceBytesRecursive":[{"major":8,"minor":1,"op":"Read","value":1}],"#
                + #""ioServicedRecursive":[{"major":8,"minor":1,"op":"Write","value":2}],\#(psi)}"#,
            #""hugetlb":{"2MB":{"usage":1,"failcnt":2}}"#,
            #""network_interfaces":[{"Name":"eth0","RxBytes":1,"RxPackets":2,"RxErrors":3,"RxDropped":4,"TxBytes":5,"TxPackets":6,"TxErrors":7,"TxDropped":8}]"#,
        ] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("\n"))
    }
}

@Suite struct ResctrlStatisticsTests {
    private func tree(_ folder: Folder) throws {
        for name in ["info/L3", "info/MB", "box/mon_groups/m/mon_data/mon_L3_00", "box/mon_data/mon_L3_00"] {
            try Files.makeDirectories(folder.path(name), mode: 0o755)
        }
        for (name, text) in [
            ("schemata", "    MB:0=100\n    L3:0=fffff\n"), ("info/L3/cbm_mask", "fffff\n"),
            ("info/L3/min_cbm_bits", "1\n"), ("info/L3/num_closids", "16\n"), ("info/MB/min_bandwidth", "10\n"),
            ("info/MB/bandwidth_gran", "10\n"), ("info/MB/delay_linear", "1\n"), ("info/MB/num_closids", "8\n"),
            ("box/schemata", "    MB:0= 50\n    L3:0=f\n"),
            ("box/mon_groups/m/mon_data/mon_L3_00/mbm_total_bytes", "20\n"),
            ("box/mon_groups/m/mon_data/mon_L3_00/mbm_local_bytes", "Unavailable\n"),
            ("box/mon_groups/m/mon_data/mon_L3_00/llc_occupancy", "30\n"),
        ] {
            try Files.write(Array(text.utf8), toNew: folder.path(name), mode: 0o644)
        }
    }

    @Test func aGroupsCountersAreRead() throws {
        try withFolder { folder in
            try tree(folder)
            let box = folder.path("box")
            let seen = try ResctrlStatistics(
                ResctrlRecord(group: box, isRemoved: true, monitor: "\(box)/mon_groups/m"))
            #expect(try ResctrlStatistics(ResctrlRecord(group: folder.path(""), isRemoved: false)).cache == seen.cache)
            #expect(seen.cache == .init(mask: "fffff", minimumBits: 1, groups: 16))
            #expect(seen.bandwidth == .init(granularity: 10, delayIsLinear: 1, minimum: 10, groups: 8))
            #expect(seen.rootSchemata == ["MB:0=100", "L3:0=fffff"])
            #expect(seen.domains == [.init(total: 20, local: nil, occupancy: 30)])
            let text = EventText.statistics(Usage(cgroup: Statistics(), interfaces: [], resctrl: seen), id: "a")
            let expected =
                #""intel_rdt":{"l3_cache_info":{"cbm_mask":"fffff","min_cbm_bits":1,"num_closids":16},"#
                + #""l3_cache_schema_root":"L3:0=fffff","l3_cache_schema":"L3:0=f","#
                + #""mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":10,"num_closids":8},"#
                + #""mem_bw_schema_root":"MB:0=100","mem_bw_schema":"MB:0= 50","schemata":["MB:0= 50","L3:0=f"],"#
                + #""mbm_stats":[{"mbm_total_bytes":20}],"cmt_stats":[{"llc_occupancy":30}]}"#
            #expect(text.contains(expected), "\(text)")
        }
    }

    @Test func aMachineWithoutResctrlHasNoCounters() throws {
        try withFolder { folder in
            let seen = try ResctrlStatistics(
                root: folder.path(""), group: folder.path("x"), monitored: folder.path("x"))
            #expect(seen.cache == nil && seen.bandwidth == nil && seen.schemata.isEmpty && seen.domains.isEmpty)
        }
    }
}
