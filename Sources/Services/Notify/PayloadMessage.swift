internal import KernelTypes

/// What a payload says of itself in one datagram; sd_notify(3).
package struct PayloadMessage: Sendable, Equatable {
    package private(set) var isReady = false
    package private(set) var isReloading = false
    package private(set) var isStopping = false
    /// One line for people.
    package private(set) var status: String?
    /// It is alive.
    package private(set) var pings = false
    /// It asks to be taken for one that is not.
    package private(set) var givesUp = false
    /// How often it wants to say so from now on, in microseconds.
    package private(set) var watchdog: UInt64?
    /// What a service manager is to get of it as it is.
    package private(set) var passed: [String] = []

    /// Process numbers are the container's, and descriptors would be stored for another process: what is not listed is
    /// left out. READY, STATUS, STOPPING and the watchdog are the supervisor's to say.
    private static let passedNames = [
        "RELOADING", "ERRNO", "BUSERROR", "EXIT_STATUS", "EXTEND_TIMEOUT_USEC", "MONOTONIC_USEC",
    ]

    package init(_ bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).parts(by: "\n") {
            let parts = line.parts(by: "=", keepingEmpty: true, most: 2)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "READY": isReady = isReady || parts[1] == "1"
            case "RELOADING": isReloading = isReloading || parts[1] == "1"
            case "STOPPING": isStopping = isStopping || parts[1] == "1"
            case "STATUS": status = printable(String(decoding: Array(parts[1].utf8.prefix(1024)), as: UTF8.self))
            case "WATCHDOG":
                pings = pings || parts[1] == "1"
                givesUp = givesUp || parts[1] == "trigger"
            case "WATCHDOG_USEC": watchdog = UInt64(parts[1])
            default: break
            }
            if Self.passedNames.contains(parts[0]) { passed.append(line) }
        }
    }
}
