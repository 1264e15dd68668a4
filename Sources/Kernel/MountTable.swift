package import KernelTypes

/// The mounts of this namespace, from /proc/self/mountinfo; proc_pid_mountinfo(5).
package enum MountTable {
    package struct Entry: Equatable, Sendable {
        package let path: String
        package let type: String

        package init(path: String, type: String) {
            self.path = path
            self.type = type
        }
    }

    package static func read() throws(SystemError) -> [Entry] {
        parse(String(decoding: try Files.read("/proc/self/mountinfo"), as: UTF8.self))
    }

    package static func parse(_ text: String) -> [Entry] {
        lines(of: text) { fields, type in Entry(path: unescape(fields[4]), type: type) }
    }

    /// Optional fields stand before a lone hyphen, so the type is found from there.
    static func lines<Line>(of text: String, _ make: (_ fields: [String], _ type: String) -> Line) -> [Line] {
        text.parts(by: "\n").compactMap { line -> Line? in
            let fields = line.parts(by: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count else { return nil }
            return make(fields, fields[dash + 1])
        }
    }

    /// Blanks, tabs, line ends and backslashes are written as three octal digits.
    static func unescape(_ field: String) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
