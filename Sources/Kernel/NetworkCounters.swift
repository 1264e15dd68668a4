package import KernelTypes

/// What a network interface has carried: proc_pid_net(5), `/proc/PID/net/dev`.
package struct NetworkCounters: Hashable, Sendable {
    package var name: String
    package var receivedBytes: UInt64
    package var receivedPackets: UInt64
    package var receiveErrors: UInt64
    package var receiveDrops: UInt64
    package var sentBytes: UInt64
    package var sentPackets: UInt64
    package var sendErrors: UInt64
    package var sendDrops: UInt64

    /// The interfaces of the network namespace that a process is in; none when it has ended.
    package static func read(ofProcess pid: Int32) throws(SystemError) -> [NetworkCounters] {
        do throws(SystemError) {
            return parse(try Files.readText("/proc/\(pid)/net/dev"))
        } catch {
            if error.code == .noEntry || error.code == .noProcess || error.code == .invalidArgument { return [] }
            throw error
        }
    }

    /// Two lines of headings, then a line for each interface: its name, a colon, eight numbers received and eight sent.
    static func parse(_ text: String) -> [NetworkCounters] {
        text.parts(by: "\n").compactMap { line in
            // A name may hold anything but blanks and slashes, but no colon since Linux 4.19.
            let parts = line.parts(by: ":", most: 2)
            guard parts.count == 2, let name = parts[0].parts(by: " ").last else { return nil }
            let numbers = parts[1].parts(by: " ").map { UInt64($0) }
            guard numbers.count >= 12, !numbers.contains(nil) else { return nil }
            let values = numbers.compactMap { $0 }
            return NetworkCounters(
                name: name, receivedBytes: values[0], receivedPackets: values[1], receiveErrors: values[2],
                receiveDrops: values[3], sentBytes: values[8], sentPackets: values[9], sendErrors: values[10],
                sendDrops: values[11])
        }
    }
}
