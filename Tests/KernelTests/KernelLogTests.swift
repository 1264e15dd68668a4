import Testing

@testable import Kernel

@Suite struct KernelLogTests {
    /// As Linux 6.1 writes it.
    private static let records = [
        "6,900,4000000,-;memory: usage 100kB, limit 100kB, failcnt 1\n",
        "6,901,4000001,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a.scope,mems_allowed=0,oom_memcg=/s.slice/a.scope,task_memcg=/s.slice/a.scope,task=early,pid=5,uid=0\n",
        "6,910,7000000,-;tail invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0\n",
        "6,912,7000100,-;memory: usage 20480kB, limit 20480kB, failcnt 40\n SUBSYSTEM=x\n",
        "6,913,7000101,-;swap: usage 0kB, limit 0kB, failcnt 0\n",
        "6,914,7000200,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a.scope,mems_allowed=0,oom_memcg=/s.slice/a.scope,task_memcg=/s.slice/a.scope/in,task=tail,pid=7,uid=0\n",
        "6,915,7000300,-;oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/s.slice/a.scope,task=sh,pid=8,uid=0\n",
        "6,916,7000400,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/s.slice,task_memcg=/s.slice/a.scope2,task=sh,pid=9,uid=0\n",
        "", "6", "6,1", ";", "6,917,x,-;oom-kill:task_memcg=/s.slice/a.scope", "6,918,7000500,-;memory: usage",
        "6,919,7000600,-;oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/s.slice,task_memcg=/s.slice/a.scope,task=sh,pid=10,uid=0\n",
    ]

    private func found(_ cgroup: String, since beginning: Int64) -> [KernelLog.MemoryKill] {
        var search = MemoryKillSearch(cgroup: cgroup, beginning: beginning)
        for record in Self.records { search.read(record) }
        return search.found
    }

    @Test func memoryKillsAreReadFromTheLog() {
        #expect(
            found("/s.slice/a.scope", since: 5000) == [
                KernelLog.MemoryKill(limited: "/s.slice/a.scope", limit: 20480 * 1024),
                KernelLog.MemoryKill(limited: nil, limit: nil), KernelLog.MemoryKill(limited: "/s.slice", limit: nil),
            ])
    }

    @Test func earlierMemoryKillsAreAnotherContainers() {
        #expect(found("/s.slice/a.scope", since: 0).count == 4)
        #expect(found("/s.slice/a.scope", since: 8000).isEmpty)
        #expect(found("/s.slice/b.scope", since: 0).isEmpty)
    }

    @Test(
        arguments: [
            (
                "5,1,2,-;audit: type=1326 audit(1.2:3): auid=0 uid=0 gid=0 ses=1 pid=77 comm=\"x\" exe=\"/x\" sig=31 arch=c000003e syscall=41 compat=0 ip=0x1 code=0x80000000",
                "socket"
            ),
            ("audit: type=1326 pid=77 sig=31 arch=c000003e syscall=99999", "number 99999"),
            ("audit: type=1326 pid=7 sig=31 arch=c000003e syscall=41", nil),
            ("audit: type=1326 pid=77 sig=0 arch=c000003e syscall=41", nil),
            ("audit: type=1300 pid=77 sig=31 arch=c000003e syscall=41", nil), ("", nil),
        ] as [(String, String?)])
    func theKernelsLogIsRead(record: String, name: String?) {
        #expect(KernelLog.systemCall(in: record, of: 77) == name)
    }
}
