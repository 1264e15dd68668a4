internal import Kernel
internal import KernelTypes

/// Formats for which the kernel has a registered interpreter: admin-guide/binfmt-misc.rst. Emulators of other machines
/// are registered so.
enum BinaryFormats {
    private static let folder = "/proc/sys/fs/binfmt_misc"

    /// Whether a handler is registered for files that begin like this. Extensions are left out: they are for names, and
    /// rare.
    static func handle(_ head: [UInt8]) -> Bool {
        // Not mounted: no formats.
        guard let names = try? Files.list(folder) else { return false }
        return names.contains { name in
            guard name != "register", name != "status", let text = try? Files.readText("\(folder)/\(name)") else {
                return false
            }
            return matches(text, head)
        }
    }

    /// - Parameter text: one entry's file: `enabled`, `interpreter …`, `offset 0`, `magic 7f45…`, `mask ff…`.
    static func matches(_ text: String, _ head: [UInt8]) -> Bool {
        let lines = text.parts(by: "\n")
        func value(_ key: String) -> String? { lines.lazy.compactMap { $0.rest(after: "\(key) ") }.first }
        guard lines.first == "enabled", let magic = value("magic").flatMap(bytes) else { return false }
        let offset = value("offset").flatMap { Int($0) } ?? 0
        let mask = value("mask").flatMap(bytes) ?? magic.map { _ in 0xff }
        guard offset >= 0, head.count >= offset + magic.count, mask.count == magic.count else { return false }
        return magic.indices.allSatisfy { (head[offset + $0] ^ magic[$0]) & mask[$0] == 0 }
    }

    private static func bytes(_ hex: String) -> [UInt8]? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index..<(index + 2)], as: UTF8.self), radix: 16) else {
                return nil
            }
            result.append(byte)
        }
        return result
    }
}
