internal import KernelTypes

/// One entry of the journal in its native protocol: fields, each a line `NAME=value`, or, where the value has newlines,
/// the name, the value's length in eight bytes, and the value.
/// https://systemd.io/JOURNAL_NATIVE_PROTOCOL/
struct JournalEntry {
    /// What all entries of a service have in common.
    private let common: [UInt8]

    init(_ fields: LogFields) {
        var bytes: [UInt8] = []
        for (name, value) in [
            ("SYSLOG_IDENTIFIER", fields.name), ("CONTAINER_NAME", fields.name), ("CONTAINER_ID", fields.name),
            ("CONTAINER_ID_FULL", fields.name), ("RUNBOX_BUNDLE", fields.bundle),
        ] {
            Self.append(name, Array(value.utf8)[...], to: &bytes)
        }
        common = bytes
    }

    /// The priorities are those of syslog(3): informational, and an error.
    func append(_ message: ArraySlice<UInt8>, _ stream: LogStream, isLast: Bool, to bytes: inout [UInt8]) {
        Self.append("MESSAGE", message, to: &bytes)
        bytes +=
            stream == .stdout ? "PRIORITY=6\nRUNBOX_STREAM=stdout\n".utf8 : "PRIORITY=3\nRUNBOX_STREAM=stderr\n".utf8
        if !isLast { bytes += "CONTAINER_PARTIAL_MESSAGE=true\n".utf8 }
        bytes += common
    }

    static func append(_ name: String, _ value: ArraySlice<UInt8>, to bytes: inout [UInt8]) {
        bytes += name.utf8
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: UInt64(value.count) >> (8 * UInt64(shift)))) }
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes += value
        bytes.append(UInt8(ascii: "\n"))
    }
}
