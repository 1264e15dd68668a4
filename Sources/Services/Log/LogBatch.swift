/// Encoded pieces of lines in a row, as they go into a file or, each by itself, to the journal.
struct LogBatch {
    struct Entry {
        /// Where it ends in the bytes.
        var end: Int
        /// How many bytes of the program's it holds.
        let content: Int
        let stream: LogStream
        /// Whether its line ends with it.
        let isLast: Bool
    }

    private(set) var bytes: [UInt8] = []
    private(set) var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var count: Int { entries.count }

    /// Where an entry begins.
    func start(of index: Int) -> Int { index == 0 ? 0 : entries[index - 1].end }

    func bytes(of index: Int) -> ArraySlice<UInt8> { bytes[start(of: index)..<entries[index].end] }

    /// - Parameter encode: appends the entry's bytes.
    mutating func append(content: Int, _ stream: LogStream, isLast: Bool, encode: (inout [UInt8]) -> Void) {
        encode(&bytes)
        entries.append(Entry(end: bytes.count, content: content, stream: stream, isLast: isLast))
    }

    mutating func append(_ index: Int, of other: LogBatch) {
        let entry = other.entries[index]
        bytes += other.bytes(of: index)
        entries.append(Entry(end: bytes.count, content: entry.content, stream: entry.stream, isLast: entry.isLast))
    }

    mutating func removeFirst(_ count: Int) {
        guard count > 0 else { return }
        if count == entries.count { return clear() }
        let gone = entries[count - 1].end
        bytes.removeFirst(gone)
        entries.removeFirst(count)
        for index in entries.indices { entries[index].end -= gone }
    }

    /// Keeps the memory for the next.
    mutating func clear() {
        bytes.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}
