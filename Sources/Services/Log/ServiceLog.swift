package import Kernel
package import KernelTypes

/// Writes what a service says to its log.
///
/// Lines that cannot be written wait in a buffer of 64 KiB; beyond that whole lines are dropped and counted, and when
/// writing works again a line of the stream says how many. Nothing here waits.
package struct ServiceLog: ~Copyable {
    /// Bytes of lines that wait.
    static let room = 64 << 10
    /// Lines are collected up to so many bytes before they are written.
    private static let batchSize = 32 << 10
    /// Milliseconds: how long the beginning of a line waits for its rest, and between two attempts to write.
    private static let patience: Int64 = 100
    private static let pause: Int64 = 500
    /// What the journal shows of a line at most, as systemd cuts those that come by a stream (LineMax=).
    private static let journalLine = 48 << 10

    private var file: LogFile?
    private var journal: JournalSocket?
    private let encoder: Encoder
    private let warn: (String) -> Void

    private var streams: [StreamState]
    private var batch = LogBatch()
    private var waiting = LogBatch()
    /// When writing is tried again; nil while it works. On the monotonic clock.
    private var retry: Int64?

    /// - Parameter warn: takes sentences about what does not work, once for each failure that lasts.
    /// - Throws: what keeps the log from being written from the beginning.
    package init(
        _ destination: LogDestination, _ fields: LogFields, warn: @escaping (String) -> Void
    ) throws(SystemError) {
        self.warn = warn
        switch destination.target {
        case .file(let path):
            file = try LogFile.open(path, destination, warn: warn)
            journal = nil
            encoder = Encoder(journal: nil)
        case .journal:
            file = nil
            journal = JournalSocket(destination)
            encoder = Encoder(journal: JournalEntry(fields))
        }
        let limit = destination.target == .journal ? Self.journalLine : 16 << 10
        streams = LogStream.allCases.map { StreamState($0, limit: limit) }
    }

    // MARK: What comes

    /// Takes what a stream has brought.
    package mutating func take(_ bytes: ArraySlice<UInt8>, from stream: LogStream) {
        let time = Array(Timestamp.now().utf8)
        var splitter = streams[stream.rawValue].splitter
        // Taken out: the pieces go to this value while it is cut.
        streams[stream.rawValue].splitter = LineSplitter()
        splitter.take(bytes) { piece, isLast in accept(piece, isLast: isLast, stream, time) }
        hold(splitter, stream)
        settle()
    }

    /// Ends the lines that a container has begun: no more comes of them.
    package mutating func endOfContainer() {
        let time = Array(Timestamp.now().utf8)
        for stream in LogStream.allCases {
            var splitter = streams[stream.rawValue].splitter
            streams[stream.rawValue].splitter = LineSplitter()
            splitter.end { piece, isLast in accept(piece, isLast: isLast, stream, time) }
            hold(splitter, stream)
        }
        settle()
    }

    /// Writes a line of the supervisor's own among those of standard error.
    package mutating func note(_ text: String) {
        let stream = LogStream.stderr
        let time = Array(Timestamp.now().utf8)
        // Not into the middle of a line.
        var splitter = streams[stream.rawValue].splitter
        streams[stream.rawValue].splitter = LineSplitter()
        splitter.end { piece, isLast in accept(piece, isLast: isLast, stream, time) }
        hold(splitter, stream)
        accept(Array("runbox: \(printable(text))".utf8)[...], isLast: true, stream, time)
        settle()
    }

    /// When ``tick()`` has something to do, in milliseconds on the monotonic clock; nil when nothing is to be done.
    package var due: Int64? {
        var moment = retry
        for state in streams {
            guard let other = state.heldUntil else { continue }
            moment = min(moment ?? other, other)
        }
        return moment
    }

    /// The same.
    package var deadline: Deadline? {
        due.map { Deadline(milliseconds: max(0, $0 - MonotonicClock.milliseconds)) }
    }

    /// Does what is due: begun lines that have waited long enough are written as they are, and what could not be
    /// written is tried again.
    package mutating func tick() {
        let now = MonotonicClock.milliseconds
        let time = Array(Timestamp.now().utf8)
        for stream in LogStream.allCases {
            guard let until = streams[stream.rawValue].heldUntil, now >= until else { continue }
            var splitter = streams[stream.rawValue].splitter
            streams[stream.rawValue].splitter = LineSplitter()
            splitter.flush { piece, isLast in accept(piece, isLast: isLast, stream, time) }
            hold(splitter, stream)
        }
        settle()
    }

    /// Tells of a child of this process that has ended; the one that compresses logs is such.
    /// - Returns: whether it was that one.
    package mutating func childEnded(_ pid: Int32, _ reason: ExitReason) -> Bool {
        file?.childEnded(pid, reason) ?? false
    }

    /// Writes what can be written, once more and at once. What cannot is lost, and said.
    package mutating func finish() {
        endOfContainer()
        if retry != nil {
            retry = MonotonicClock.milliseconds
            settle()
        }
        let lost = waiting.entries.filter { $0.isLast }.count + streams.reduce(0) { $0 + $1.droppedLines }
        if lost > 0 { warn("\(lost) lines of the log are lost: it could not be written to the end") }
    }

    private mutating func hold(_ splitter: LineSplitter, _ stream: LogStream) {
        let index = stream.rawValue
        streams[index].splitter = splitter
        if splitter.held.isEmpty {
            streams[index].heldUntil = nil
        } else if streams[index].heldUntil == nil {
            streams[index].heldUntil = MonotonicClock.milliseconds + Self.patience
        }
    }

    private mutating func accept(_ piece: ArraySlice<UInt8>, isLast: Bool, _ stream: LogStream, _ time: [UInt8]) {
        let encoder = encoder
        batch.append(content: piece.count, stream, isLast: isLast) { bytes in
            encoder.append(piece, isLast: isLast, stream, time, to: &bytes)
        }
        if batch.bytes.count >= Self.batchSize { settle() }
    }

    // MARK: What goes

    /// Writes the batch, or keeps or drops what is in it.
    private mutating func settle() {
        if let retry, MonotonicClock.milliseconds >= retry { catchUp() }
        var next = 0
        if retry == nil, !batch.isEmpty { next = write(batch) }
        for index in next..<batch.count { keepOrDrop(index) }
        for index in 0..<next { note(accepted: batch.entries[index]) }
        batch.clear()
        // It works again, and the last line that was dropped has come to its end.
        if retry == nil, streams.contains(where: { $0.canTell }) { catchUp() }
    }

    private mutating func note(accepted entry: LogBatch.Entry) {
        streams[entry.stream.rawValue].isInsideAccepted = !entry.isLast
    }

    private mutating func keepOrDrop(_ index: Int) {
        let entry = batch.entries[index]
        let size = batch.bytes(of: index).count
        let state = streams[entry.stream.rawValue]
        if !state.isDropping, state.droppedBytes == 0, state.droppedLines == 0, waiting.bytes.count + size <= Self.room
        {
            waiting.append(index, of: batch)
            note(accepted: entry)
        } else {
            streams[entry.stream.rawValue].drop(entry)
        }
    }

    /// - Returns: how many entries are written.
    private mutating func write(_ batch: LogBatch) -> Int {
        let (next, failure) = file?.append(batch) ?? journal?.send(batch) ?? (batch.count, nil)
        if let failure {
            // A queue that is full for a moment is no failure to speak of.
            if retry == nil, failure.code != .tryAgain {
                warn("the log cannot be written: \(failure); up to 64 KiB of lines wait, more are dropped and counted")
            }
            retry = MonotonicClock.milliseconds + Self.pause
        } else {
            retry = nil
        }
        return next
    }

    /// Writes what has waited, and then what was dropped in between.
    private mutating func catchUp() {
        waiting.removeFirst(write(waiting))
        guard retry == nil else { return }
        var words = LogBatch()
        var told: [LogStream] = []
        let time = Array(Timestamp.now().utf8)
        for state in streams where state.canTell {
            if state.isInsideAccepted { append(to: &words, "", state.stream, time) }
            append(to: &words, state.words, state.stream, time)
            told.append(state.stream)
        }
        guard !words.isEmpty, write(words) == words.count else { return }
        for stream in told { streams[stream.rawValue].forget() }
    }

    private borrowing func append(to words: inout LogBatch, _ text: String, _ stream: LogStream, _ time: [UInt8]) {
        let content = Array(text.utf8)[...]
        words.append(content: 0, stream, isLast: true) { bytes in
            encoder.append(content, isLast: true, stream, time, to: &bytes)
        }
    }
}

/// The form in which pieces of lines are written.
private struct Encoder {
    /// nil for a file.
    let journal: JournalEntry?

    func append(
        _ piece: ArraySlice<UInt8>, isLast: Bool, _ stream: LogStream, _ time: [UInt8], to bytes: inout [UInt8]
    ) {
        if let journal {
            journal.append(piece, stream, isLast: isLast, to: &bytes)
        } else {
            CRIRecord.append(piece, time: time, stream, isLast: isLast, to: &bytes)
        }
    }
}

/// What is known of one stream.
private struct StreamState {
    let stream: LogStream
    var splitter: LineSplitter
    /// When a begun line is written without its end.
    var heldUntil: Int64?
    /// Whether the last piece that was written or kept has not ended its line.
    var isInsideAccepted = false
    /// Whether the rest of the current line is dropped, because its beginning was.
    private(set) var isDropping = false
    private(set) var droppedLines = 0
    private(set) var droppedBytes = 0
    private var since = ""

    init(_ stream: LogStream, limit: Int) {
        self.stream = stream
        splitter = LineSplitter(limit: limit)
    }

    mutating func drop(_ entry: LogBatch.Entry) {
        if droppedLines == 0, droppedBytes == 0, !isDropping { since = Timestamp.now() }
        droppedBytes += entry.content
        if entry.isLast { droppedLines += 1 }
        isDropping = !entry.isLast
    }

    /// Whether lines were dropped, and none is just being dropped.
    var canTell: Bool { droppedLines > 0 && !isDropping }

    var words: String {
        "runbox: \(droppedLines) lines (\(droppedBytes) bytes) of \(stream.name) were dropped since \(since): the log could not be written"
    }

    mutating func forget() {
        (droppedLines, droppedBytes) = (0, 0)
        isInsideAccepted = false
    }
}
