internal import Kernel
internal import KernelTypes

/// When the payload began: a file of its own in the state folder, because it is written when the payload runs already,
/// and costs one small write.
enum StartTime {
    static let fileName = "started"

    /// Notes that the payload has begun just now. A container whose start could not be noted runs all the same.
    static func write(_ folder: String) {
        try? Files.write(Array(Timestamp.now().utf8), toNew: "\(folder)/\(fileName)", mode: 0o600)
    }

    /// - Returns: RFC 3339 in UTC; nil when the payload has not begun.
    static func read(_ folder: String) -> String? {
        // Not there before the start; half a text is none.
        guard let text = try? Files.readText("\(folder)/\(fileName)"), text.ends(with: "Z") else { return nil }
        return text
    }
}
