internal import Cgroups
internal import Kernel

/// What a container uses, and how much it may use: the numbers of its cgroup (cgroup-v2.rst) and of its own network
/// namespace. What is not counted on this host is nil.
public struct ContainerStatistics: Sendable {
    /// CPU time; `cpu.stat`.
    public struct CPU: Hashable, Sendable {
        /// All of it.
        public var total: Duration?
        /// In user mode.
        public var user: Duration
        /// In the kernel.
        public var kernel: Duration
        /// How long the container had to wait because its quota was used up.
        public var throttled: Duration?
    }

    /// Memory in bytes; `memory.current` and its neighbours.
    public struct Memory: Hashable, Sendable {
        /// In use, files in the page cache included.
        public var usage: UInt64?
        /// The most that has been in use.
        public var peak: UInt64?
        /// How much may be used; nil where there is no limit.
        public var limit: UInt64?
        /// What the page cache holds of it.
        public var cache: UInt64?
        /// How often the limit was reached.
        public var limitReached: UInt64
        /// Memory and swap together.
        public var usageWithSwap: UInt64?
    }

    /// Processes and threads; `pids.current`.
    public struct Processes: Hashable, Sendable {
        /// How many there are.
        public var count: UInt64?
        /// How many there may be; nil where there is no limit.
        public var limit: UInt64?
    }

    /// What was read from and written to one block device; `io.stat`.
    public struct BlockDevice: Hashable, Sendable {
        /// The device's numbers.
        public var major: UInt64
        /// The device's minor number.
        public var minor: UInt64
        /// Bytes read.
        public var bytesRead: UInt64
        /// Bytes written.
        public var bytesWritten: UInt64
        /// How many requests read.
        public var reads: UInt64
        /// How many requests wrote.
        public var writes: UInt64
    }

    /// What a network interface has carried; proc_pid_net(5).
    public struct NetworkInterface: Hashable, Sendable {
        /// Its name in the container.
        public var name: String
        /// Bytes received.
        public var bytesReceived: UInt64
        /// Bytes sent.
        public var bytesSent: UInt64
        /// Packets received.
        public var packetsReceived: UInt64
        /// Packets sent.
        public var packetsSent: UInt64
    }

    /// CPU time.
    public var cpu: CPU
    /// Memory.
    public var memory: Memory
    /// Processes and threads.
    public var processes: Processes
    /// Block devices.
    public var blockDevices: [BlockDevice]
    /// Interfaces of the container's own network namespace; none where it has the host's.
    public var networkInterfaces: [NetworkInterface]
    /// Everything that was read, for ``EventText``.
    let usage: Usage
}

/// What ``Container/watch(every:reader:_:)`` reports.
public enum ContainerEvent: Sendable {
    /// What the container uses.
    case statistics(ContainerStatistics)
    /// Processes of the container were killed for want of memory.
    case outOfMemory
}

/// What was read of a container's cgroup and namespaces.
struct Usage: Sendable {
    var cgroup: Statistics
    /// Of its own network namespace; none where it has the host's.
    var interfaces: [NetworkCounters]
    var resctrl: ResctrlStatistics?
}

extension ContainerStatistics {
    /// The shares of the last ten seconds in which something waited for a resource, in hundredths of a percent;
    /// psi.rst, `some avg10`. nil where that is not accounted.
    package var waitingShares: (cpu: UInt64?, memory: UInt64?, io: UInt64?) {
        let cgroup = usage.cgroup
        return (
            cgroup.cpu.pressure?.some?.average10, cgroup.memory.pressure?.some?.average10,
            cgroup.io.pressure?.some?.average10
        )
    }

    /// Whether what block devices do is counted; a container that has used none has no ``blockDevices`` all the same.
    package var countsBlockDevices: Bool { usage.cgroup.io.isCounted }

    init(_ usage: Usage) {
        self.usage = usage
        let times = usage.cgroup.cpu
        func time(_ nanoseconds: UInt64) -> Duration { .nanoseconds(Int64(clamping: nanoseconds)) }
        cpu = CPU(
            total: times.total.map(time), user: time(times.user), kernel: time(times.kernel),
            throttled: times.throttledTime.map(time))
        let bytes = usage.cgroup.memory
        memory = Memory(
            usage: bytes.usage.usage, peak: bytes.usage.peak, limit: Self.limit(bytes.usage.limit), cache: bytes.cache,
            limitReached: bytes.usage.failures, usageWithSwap: bytes.swap.usage)
        processes = Processes(count: usage.cgroup.pids.current, limit: Self.limit(usage.cgroup.pids.limit))
        blockDevices = Self.devices(usage.cgroup.io)
        networkInterfaces = usage.interfaces.map {
            NetworkInterface(
                name: $0.name, bytesReceived: $0.receivedBytes, bytesSent: $0.sentBytes,
                packetsReceived: $0.receivedPackets, packetsSent: $0.sentPackets)
        }
    }

    /// In the files' own terms 0 or the greatest number stands for none.
    private static func limit(_ number: UInt64) -> UInt64? { number == 0 || number == .max ? nil : number }

    private static func devices(_ io: IOStatistics) -> [BlockDevice] {
        var devices: [BlockDevice] = []
        func change(_ entry: IOStatistics.Entry, _ body: (inout BlockDevice) -> Void) {
            var index = devices.firstIndex { $0.major == entry.major && $0.minor == entry.minor }
            if index == nil {
                devices.append(
                    BlockDevice(
                        major: entry.major, minor: entry.minor, bytesRead: 0, bytesWritten: 0, reads: 0, writes: 0))
                index = devices.count - 1
            }
            if let index { body(&devices[index]) }
        }
        for entry in io.bytes {
            change(entry) {
                if entry.operation == "Read" { $0.bytesRead += entry.value }
                if entry.operation == "Write" { $0.bytesWritten += entry.value }
            }
        }
        for entry in io.operations {
            change(entry) {
                if entry.operation == "Read" { $0.reads += entry.value }
                if entry.operation == "Write" { $0.writes += entry.value }
            }
        }
        return devices
    }
}
