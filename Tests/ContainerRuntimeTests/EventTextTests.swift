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
