internal import Kernel
internal import KernelTypes

/// `io.stat` and `io.pressure`.
package struct IOStatistics: Hashable, Sendable {
    /// One number of one block device.
    package struct Entry: Hashable, Sendable {
        package let major: UInt64
        package let minor: UInt64
        /// `Read`, `Write` or `Discard`, the names of cgroup v1.
        package let operation: String
        package let value: UInt64
    }

    package var bytes: [Entry] = []
    package var operations: [Entry] = []
    package var pressure: Pressure?
    /// Whether there is a controller that counts.
    package var isCounted = false

    init() {}

    init(_ directory: borrowing Descriptor) throws(SystemError) {
        let text = try StatisticsFile.text("io.stat", at: directory)
        isCounted = text != nil
        read(text ?? "")
        pressure = try Pressure("io.pressure", at: directory)
    }

    /// Lines as `8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6`; other keys belong to single policies and have no
    /// counterpart in `events`.
    mutating func read(_ text: String) {
        for line in text.parts(by: "\n") {
            let words = line.parts(by: " ")
            let device = (words.first ?? "").parts(by: ":").map { UInt64($0) }
            guard device.count == 2, let major = device[0], let minor = device[1] else { continue }
            for word in words.dropFirst() {
                let pair = word.parts(by: "=")
                guard pair.count == 2, let value = UInt64(pair[1]) else { continue }
                func entry(_ operation: String) -> Entry {
                    Entry(major: major, minor: minor, operation: operation, value: value)
                }
                switch pair[0] {
                case "rbytes": bytes.append(entry("Read"))
                case "wbytes": bytes.append(entry("Write"))
                case "dbytes": bytes.append(entry("Discard"))
                case "rios": operations.append(entry("Read"))
                case "wios": operations.append(entry("Write"))
                case "dios": operations.append(entry("Discard"))
                default: continue
                }
            }
        }
    }
}
