internal import Cgroups
public import Errors
internal import Kernel
internal import KernelTypes

extension Container {
    /// What the container uses now.
    ///
    /// - Throws: ``RuntimeError/status(reason:)`` for a container that is not there yet or has ended.
    public func statistics() throws(RuntimeError) -> ContainerStatistics {
        ContainerStatistics(try usage(of: try living()))
    }

    /// Reports what the container uses, at once and then again and again, and when processes of it are killed for want
    /// of memory, until it ends.
    ///
    /// - Parameters:
    ///   - interval: between two reports; above 0, and counted in milliseconds.
    ///   - reader: a descriptor that is written to; when its other end is closed, the watch ends.
    ///   - receive: takes one event; returns whether to go on.
    public func watch(
        every interval: Duration, reader: Int32 = -1, _ receive: (ContainerEvent) -> Bool
    ) throws(RuntimeError) {
        try watch(every: interval, reader: reader, others: [], receive) { true }
    }

    /// The same, and waits for others meanwhile.
    ///
    /// - Parameters:
    ///   - others: descriptors; one that is ready stays so until it is seen to.
    ///   - see: sees to those that are ready; returns whether to go on.
    package func watch(
        every interval: Duration, reader: Int32, others: [Int32], _ receive: (ContainerEvent) -> Bool,
        see: () -> Bool
    ) throws(RuntimeError) {
        let interval = max(1, interval.milliseconds)
        let record = try living()
        let process = try operation("watch container \(id)") { () throws(SystemError) in
            try Processes.open(record.pid)
        }
        var watch = try withCgroup(of: record) { cgroup throws(CgroupError) in try cgroup.watchOOM() }
        var next = MonotonicClock.milliseconds
        while true {
            if MonotonicClock.milliseconds >= next {
                // It may have ended a moment ago; its cgroup may be gone.
                guard let usage = try usageWhileAlive(record) else { return }
                guard receive(.statistics(ContainerStatistics(usage))) else { return }
                let (later, isBeyond) = next.addingReportingOverflow(interval)
                next = isBeyond ? .max : max(later, MonotonicClock.milliseconds)
            }
            let left = Int32(clamping: max(0, next - MonotonicClock.milliseconds))
            var waiting: [(number: Int32, events: PollEvents)] = [
                (process.number, .readable), (watch?.number ?? -1, .priority), (reader, []),
            ]
            for number in others { waiting.append((number, .readable)) }
            let ready = try operation("watch container \(id)") { () throws(SystemError) in
                try Polling.wait(waiting, timeout: left)
            }
            // Asked before the end is: what killed the container is its last event.
            if try hasNews(&watch), !receive(.outOfMemory) { return }
            if !ready[0].isEmpty || !ready[2].isEmpty { return }
            if ready[3...].contains(where: { !$0.isEmpty }), !see() { return }
        }
    }

    private func hasNews(_ watch: inout OOMWatch?) throws(RuntimeError) -> Bool {
        do throws(SystemError) {
            return try watch?.newKills() ?? 0 > 0
        } catch {
            throw RuntimeError(error, doing: "watch container \(id)")
        }
    }

    /// The record of a container that has a process.
    private func living() throws(RuntimeError) -> Record {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        try status(of: record).check(.statistics, of: record.id)
        return record
    }

    private func usageWhileAlive(_ record: Record) throws(RuntimeError) -> Usage? {
        do throws(RuntimeError) {
            return try usage(of: record)
        } catch {
            if try status(of: record) == .stopped { return nil }
            throw error
        }
    }

    private func usage(of record: Record) throws(RuntimeError) -> Usage {
        let statistics = try withCgroup(of: record) { cgroup throws(CgroupError) in try cgroup.statistics() }
        let interfaces = try operation("read network statistics") { () throws(SystemError) in
            try Self.hasOwnNetwork(record.pid) ? NetworkCounters.read(ofProcess: record.pid) : []
        }
        return Usage(cgroup: statistics, interfaces: interfaces, resctrl: try resctrlStatistics(record))
    }

    /// The host's interfaces are nothing that the container uses.
    private static func hasOwnNetwork(_ pid: Int32) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try !Namespaces.isOwn("net", Files.status("/proc/\(pid)/ns/net"))
        } catch {
            if error.code == .noEntry || error.code == .noProcess { return false }  // it has just ended
            // An ordinary user may not look at an init that waits for its start, which has used no network yet.
            if error.code == .accessDenied { return false }
            throw error
        }
    }

    /// - Returns: nil where the container has no group of its own.
    private func resctrlStatistics(_ record: Record) throws(RuntimeError) -> ResctrlStatistics? {
        guard let group = record.resctrl else { return nil }
        return try operation("read Intel RDT statistics") { () throws(SystemError) in try ResctrlStatistics(group) }
    }
}
