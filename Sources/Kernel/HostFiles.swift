internal import KernelTypes

/// Small files of the host, of which each says one thing; one that cannot be read says nothing.
package enum HostFiles {
    /// The lines of a file; none when it cannot be read, which for every file here means that the feature is not there.
    package static func lines(_ path: String) -> [String] {
        guard let text = try? Files.readText(path) else { return [] }
        return text.parts(by: "\n")
    }

    /// A number in a file of its own.
    package static func number(_ path: String) -> UInt64? { lines(path).first.flatMap { UInt64($0) } }

    /// By /etc/passwd; the number where the user is not in it.
    package static func userName(_ user: UInt32) -> String {
        for line in lines("/etc/passwd") {
            let fields = line.parts(by: ":", keepingEmpty: true)
            if fields.count > 2, fields[2] == "\(user)" { return fields[0] }
        }
        return "\(user)"
    }
}
