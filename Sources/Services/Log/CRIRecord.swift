internal import Kernel
internal import KernelTypes

/// One line of a log file in the format of Kubernetes' container runtime interface: when it was read, from which
/// stream, whether its line ends with it (F) or goes on (P), and what it says.
///
///     2026-01-02T03:04:05.123456789Z stdout F the line
struct CRIRecord: Equatable {
    /// As it is written; empty where the line is of another format.
    var time: ArraySlice<UInt8>
    var stream: LogStream
    var isLast: Bool
    var content: ArraySlice<UInt8>

    static func append(
        _ content: ArraySlice<UInt8>, time: [UInt8], _ stream: LogStream, isLast: Bool, to bytes: inout [UInt8]
    ) {
        bytes += time
        bytes += stream == .stdout ? " stdout ".utf8 : " stderr ".utf8
        bytes += isLast ? "F ".utf8 : "P ".utf8
        bytes += content
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Reads a line without its newline. Whatever is no record is a line of standard output without a time: somebody
    /// has written into the file, or a disk that was full has cut a record off.
    init(_ line: ArraySlice<UInt8>) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        if parts.count == 4, let stream = LogStream(String(decoding: parts[1], as: UTF8.self)),
            let tag = Self.tag(parts[2]), LogTime.nanoseconds(parts[0]) != nil
        {
            self.init(time: parts[0], stream: stream, isLast: tag, content: parts[3])
        } else {
            self.init(time: [], stream: .stdout, isLast: true, content: line)
        }
    }

    init(time: ArraySlice<UInt8>, stream: LogStream, isLast: Bool, content: ArraySlice<UInt8>) {
        self.time = time
        self.stream = stream
        self.isLast = isLast
        self.content = content
    }

    /// Tags may have more behind a colon, as the format says.
    private static func tag(_ text: ArraySlice<UInt8>) -> Bool? {
        switch text.prefix(while: { $0 != UInt8(ascii: ":") }).first {
        case UInt8(ascii: "F"): true
        case UInt8(ascii: "P"): false
        default: nil
        }
    }

    /// When it was written, in nanoseconds since 1970; nil where it does not say.
    var moment: Int64? { LogTime.nanoseconds(time) }
}
