import Cgroups
import Kernel
import Planning
import TestSupport
import Testing

@testable import ContainerRuntime

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
