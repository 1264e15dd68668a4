internal import Kernel
package import KernelTypes

/// Shows what is in a log: the full files first, then the one that is written to.
package struct LogReader: ~Copyable {
    let files: LogFiles
    private let selection: LogSelection
    private var text: LogText
    private let write: (ArraySlice<UInt8>, LogStream) -> Bool

    private var output: [UInt8] = []
    private var outputStream = LogStream.stdout
    /// Whether what is written is still wanted.
    private(set) var isWanted = true

    /// The file that is written to, while it is followed, and how far it was read.
    var source: LogSource?
    var offset: Int64 = 0
    var records = RecordReader()
    /// The file before it, to which somebody who has not noticed yet may still write.
    var previous: LogSource?
    var previousRecords = RecordReader()
    /// The last file that was shown.
    var last: FileStatus?
    /// All that were there at the beginning, or were shown since: none of them comes anew under another name.
    var known: [FileStatus] = []

    /// - Parameters:
    ///   - path: of the file that is written to.
    ///   - write: takes text for a stream; returns whether more is wanted.
    /// - Throws: ENOENT where there is no log at all.
    package init(
        _ path: String, _ selection: LogSelection, showsTimes: Bool,
        write: @escaping (ArraySlice<UInt8>, LogStream) -> Bool
    ) throws(SystemError) {
        let files = try LogFiles(path)
        self.selection = selection
        text = LogText(selection, showsTimes: showsTimes)
        self.write = write
        self.files = files
    }

    // MARK: What is there

    /// Shows what there is.
    /// - Returns: whether there is a log at all.
    package mutating func show() throws(SystemError) -> Bool {
        let opened = try files.open()
        let parts = opened.parts
        known = parts.filter { $0.name != files.name }.map { $0.status }
        let (first, skipped) = try begin(of: opened)
        for index in first..<parts.count where isWanted {
            try show(opened, index, skipping: index == first ? skipped : 0, keeps: parts[index].name == files.name)
        }
        flush()
        return !parts.isEmpty
    }

    /// Where the last lines begin that are asked for: which file, and how many records of it are passed over.
    private func begin(of opened: borrowing LogParts) throws(SystemError) -> (first: Int, skipped: Int) {
        guard let tail = selection.tail else { return (0, 0) }
        if tail == 0 { return (max(0, opened.parts.count - 1), .max) }
        var missing = tail
        for index in opened.parts.indices.reversed() {
            // The places that the lines' first pieces have among the records.
            let begins = try beginnings(opened, index)
            if begins.count >= missing { return (index, begins[begins.count - missing]) }
            missing -= begins.count
        }
        return (0, 0)
    }

    private func beginnings(_ opened: borrowing LogParts, _ index: Int) throws(SystemError) -> [Int] {
        var text = LogText(selection, showsTimes: false)
        var begins: [Int] = []
        var count = 0
        var isInside = [false, false]
        try Self.each(opened.source(index)) { record in
            if text.text(record) != nil, !isInside[record.stream.rawValue] { begins.append(count) }
            isInside[record.stream.rawValue] = !record.isLast
            count += 1
        }
        return begins
    }

    private static func each(
        _ source: consuming LogSource, _ receive: (CRIRecord) -> Void
    ) throws(SystemError) {
        var records = RecordReader()
        while true {
            let bytes = try source.read()
            if bytes.isEmpty { break }
            records.take(bytes[...], receive)
        }
        records.end(receive)
        try source.finish()
    }

    /// - Parameter keeps: whether it is the one that more may come in.
    mutating func show(
        _ opened: borrowing LogParts, _ index: Int, skipping: Int, keeps: Bool
    ) throws(SystemError) {
        let source = try opened.source(index)
        last = source.status
        var records = RecordReader()
        var left = skipping
        var read: Int64 = 0
        while isWanted {
            let bytes = try source.read()
            if bytes.isEmpty { break }
            read += Int64(bytes.count)
            records.take(bytes[...]) { record in pass(record, &left) }
        }
        if keeps {
            self.source = consume source
            self.records = records
            offset = read
            return
        }
        records.end { record in pass(record, &left) }
        if isWanted { try source.finish() }
    }

    private mutating func pass(_ record: CRIRecord, _ left: inout Int) {
        if left > 0 {
            left -= 1
        } else {
            show(record)
        }
    }

    mutating func show(_ record: CRIRecord) {
        guard isWanted, let text = text.text(record) else { return }
        if record.stream != outputStream || output.count > 32 << 10 { flush() }
        outputStream = record.stream
        output += text
    }

    mutating func flush() {
        if !output.isEmpty, isWanted { isWanted = write(output[...], outputStream) }
        output.removeAll(keepingCapacity: true)
    }
}
