internal import ContainerRuntime
package import Errors
internal import Kernel
internal import KernelTypes

/// Looks at containers again and again: what they use, and how much of the processors since the last look.
package struct StatsSampling: Sendable {
    private struct Look: Sendable {
        let name: String
        let pid: Int32
        let used: UInt64
        let moment: Int64
    }

    private let root: String
    /// nil for all that there are.
    private let names: [String]?
    private var last: [Look] = []

    package init(root: String, names: [String]) {
        self.root = root
        self.names = names.isEmpty ? nil : names
    }

    /// - Parameter warn: takes sentences about containers that are left out.
    /// - Throws: ``RuntimeError/missing(_:)`` where none of the named is there.
    package mutating func rows(warn: (String) -> Void = { _ in }) throws(RuntimeError) -> [StatsRow] {
        let store = Store(root: root)
        let states =
            if let names { try Self.states(names, store) } else { try Container.all(in: store, warn: warn) }
        let services = (names ?? ServiceFolder.names(in: root)).compactMap { name in
            ServiceFolder(root: root, name: name).view
        }
        var rows: [StatsRow] = []
        var looks: [Look] = []
        for state in states {
            rows.append(row(state, services.first { $0.name == state.id }, store, &looks))
        }
        for service in services where !states.contains(where: { $0.id == service.name }) {
            var row = StatsRow(name: service.name, status: service.status)
            row.add(service)
            rows.append(row)
        }
        if let names, rows.isEmpty { throw .missing(names[0]) }
        last = looks
        return rows.sorted { $0.name < $1.name }
    }

    /// Those of the named that are there.
    private static func states(_ names: [String], _ store: Store) throws(RuntimeError) -> [ContainerState] {
        var states: [ContainerState] = []
        for name in names {
            do throws(RuntimeError) {
                states.append(try Container(ContainerID(name), store: store).state())
            } catch .missing {
                continue
            }
        }
        return states
    }

    private func row(
        _ state: ContainerState, _ service: ServiceRecord?, _ store: Store, _ looks: inout [Look]
    ) -> StatsRow {
        let isPaused = state.status == .paused
        var row = StatsRow(name: state.id, status: isPaused ? "paused" : service?.status ?? state.status.rawValue)
        if let service { row.add(service) }
        // It may have ended by now, or be just being made.
        guard state.pid > 0, let id = try? ContainerID(state.id),
            let statistics = try? Container(id, store: store).statistics()
        else { return row }
        row.add(statistics)
        let now = MonotonicClock.milliseconds
        guard let used = row.cpuTotal else { return row }
        looks.append(Look(name: state.id, pid: state.pid, used: used, moment: now))
        if let before = last.first(where: { $0.name == state.id && $0.pid == state.pid }) {
            row.cpu = StatsRow.share(used: used, before: before.used, in: now - before.moment)
        }
        return row
    }
}

extension StatsRow {
    fileprivate mutating func add(_ service: ServiceRecord) {
        restarts = service.restarts
        health = service.health?.rawValue
    }

    fileprivate mutating func add(_ statistics: ContainerStatistics) {
        cpuTotal = statistics.cpu.total.map { total in
            let (seconds, attoseconds) = total.components
            return UInt64(max(0, seconds)) &* 1_000_000_000 &+ UInt64(max(0, attoseconds / 1_000_000_000))
        }
        memory = statistics.memory.usage
        memoryLimit = statistics.memory.limit
        processes = statistics.processes.count
        processLimit = statistics.processes.limit
        let shares = statistics.waitingShares
        (pressure.cpu, pressure.memory, pressure.io) = (shares.cpu, shares.memory, shares.io)
        guard statistics.countsBlockDevices else { return }
        bytesRead = statistics.blockDevices.reduce(0) { $0 &+ $1.bytesRead }
        bytesWritten = statistics.blockDevices.reduce(0) { $0 &+ $1.bytesWritten }
    }
}
