/// Which lines of a log are shown.
package struct LogSelection: Sendable {
    /// Only of this stream; nil for both.
    package var stream: LogStream?
    /// Nanoseconds since 1970: from here on.
    package var since: Int64?
    /// Nanoseconds since 1970: up to here.
    package var until: Int64?
    /// At most so many lines, the last ones; nil for all.
    package var tail: Int?

    package init() {}

    /// A line whose time is not known is shown only where nobody asks for times.
    func contains(_ record: CRIRecord) -> Bool {
        if let stream, stream != record.stream { return false }
        if since == nil, until == nil { return true }
        guard let moment = record.moment else { return false }
        if let since, moment < since { return false }
        if let until, moment > until { return false }
        return true
    }
}

/// Takes a log's bytes apart into its lines. One that is not ended yet is kept for what follows.
struct RecordReader {
    private var rest: [UInt8] = []
    /// Longer than any record of ours by far: a file without newlines is no log, and must not fill the memory.
    private static let limit = 1 << 20

    mutating func take(_ bytes: ArraySlice<UInt8>, _ receive: (CRIRecord) -> Void) {
        var bytes = bytes
        while let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[..<end]
            bytes = bytes[(end + 1)...]
            if rest.isEmpty {
                receive(CRIRecord(line))
            } else {
                rest += line
                receive(CRIRecord(rest[...]))
                rest.removeAll(keepingCapacity: true)
            }
        }
        rest += bytes
        if rest.count > Self.limit { end(receive) }
    }

    /// What is left is a line, though it is not ended.
    mutating func end(_ receive: (CRIRecord) -> Void) {
        guard !rest.isEmpty else { return }
        receive(CRIRecord(rest[...]))
        rest = []
    }
}

/// Makes lines of records again, each for the stream that it belongs to.
struct LogText {
    private let selection: LogSelection
    private let showsTimes: Bool
    /// Whether a stream's line has been begun, by the stream's number.
    private var isInsideLine = [false, false]
    /// Whether the line that has been begun is shown.
    private var isShown = [false, false]

    init(_ selection: LogSelection, showsTimes: Bool) {
        self.selection = selection
        self.showsTimes = showsTimes
    }

    /// - Returns: what is to be written to the stream; nil where the record is not shown.
    mutating func text(_ record: CRIRecord) -> [UInt8]? {
        let index = record.stream.rawValue
        let begins = !isInsideLine[index]
        // A line's first piece decides for all of it.
        if begins { isShown[index] = selection.contains(record) }
        isInsideLine[index] = !record.isLast
        guard isShown[index] else { return nil }
        var text: [UInt8] = []
        if begins, showsTimes, !record.time.isEmpty { text += record.time + [UInt8(ascii: " ")] }
        text += record.content
        if record.isLast { text.append(UInt8(ascii: "\n")) }
        return text
    }
}
