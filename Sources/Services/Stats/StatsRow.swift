package import JSON

/// What `stats` shows of one container. What is not counted on this host, or of a container without a process, is nil.
package struct StatsRow: Sendable, Equatable {
    package var name: String
    /// In one word, with the health where it has one.
    package var status: String
    /// Hundredths of a percent of one processor.
    package var cpu: UInt64?
    /// Nanoseconds, all in all.
    package var cpuTotal: UInt64?
    package var memory: UInt64?
    package var memoryLimit: UInt64?
    /// Shares of the last ten seconds in which something waited, in hundredths of a percent.
    package var pressure = StatsPressure()
    package var bytesRead: UInt64?
    package var bytesWritten: UInt64?
    package var processes: UInt64?
    package var processLimit: UInt64?
    /// Of a service.
    package var restarts: Int?
    package var health: String?

    package init(name: String, status: String) {
        self.name = name
        self.status = status
    }

    /// Of one processor's time, in hundredths of a percent.
    /// - Parameters:
    ///   - used: nanoseconds, now and before; less than before is that of another container of the name.
    ///   - milliseconds: that have gone by.
    package static func share(used now: UInt64, before: UInt64, in milliseconds: Int64) -> UInt64? {
        guard milliseconds > 0 else { return nil }
        let difference = now >= before ? now - before : now
        let (scaled, isTooLarge) = difference.multipliedReportingOverflow(by: 10_000)
        return isTooLarge ? nil : scaled / (UInt64(milliseconds) * 1_000_000)
    }

    package func write(to writer: inout Writer) {
        writer.object { object in
            object.member("name", name)
            object.member("status", status)
            if let health { object.member("health", health) }
            if let restarts { object.member("restarts", restarts) }
            object.part("cpu", [("total", cpuTotal)], hundredths: [("percent", cpu)])
            object.part("memory", [("usage", memory), ("limit", memoryLimit)])
            object.part(
                "pressure", [],
                hundredths: [("cpu", pressure.cpu), ("memory", pressure.memory), ("io", pressure.io)])
            object.part("io", [("read", bytesRead), ("written", bytesWritten)])
            object.part("processes", [("count", processes), ("limit", processLimit)])
        }
    }
}

package struct StatsPressure: Sendable, Equatable {
    package var cpu: UInt64?
    package var memory: UInt64?
    package var io: UInt64?

    package init() {}
}

extension Writer {
    /// An object of the numbers that there are; nothing where there are none.
    fileprivate mutating func part(
        _ name: String, _ numbers: [(String, UInt64?)], hundredths: [(String, UInt64?)] = []
    ) {
        guard numbers.contains(where: { $0.1 != nil }) || hundredths.contains(where: { $0.1 != nil }) else { return }
        key(name)
        object { object in
            for (key, value) in hundredths {
                guard let value else { continue }
                object.key(key)
                object.hundredths(value)
            }
            for (key, value) in numbers {
                if let value { object.member(key, value) }
            }
        }
    }
}
