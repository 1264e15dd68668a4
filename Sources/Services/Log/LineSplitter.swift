/// Cuts what a stream brings into lines, and lines that are longer than a limit into pieces.
///
/// The end of what has come may be in the middle of a line. It is held back for the rest, until somebody flushes it.
struct LineSplitter {
    /// What a piece has at most. The CRI's is 16 KiB.
    let limit: Int
    private(set) var held: [UInt8] = []
    /// Whether pieces of the current line have been given out.
    private(set) var isInsideLine = false

    init(limit: Int = 16 << 10) { self.limit = limit }

    /// - Parameter emit: takes a piece, and whether its line ends with it.
    mutating func take(_ bytes: ArraySlice<UInt8>, emit: (ArraySlice<UInt8>, Bool) -> Void) {
        var rest = bytes
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n"))
            let line = rest[..<(end ?? rest.endIndex)]
            rest = end.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
            cut(line, endsHere: end != nil, emit)
        }
    }

    private mutating func cut(_ line: ArraySlice<UInt8>, endsHere: Bool, _ emit: (ArraySlice<UInt8>, Bool) -> Void) {
        var line = line
        // A piece that is exactly full waits: a newline may follow.
        while held.count + line.count > limit {
            let part = line.prefix(limit - held.count)
            line = line[part.endIndex...]
            give(part, isLast: false, emit)
        }
        if endsHere { give(line, isLast: true, emit) } else { held += line }
    }

    private mutating func give(
        _ part: ArraySlice<UInt8>, isLast: Bool, _ emit: (ArraySlice<UInt8>, Bool) -> Void
    ) {
        if held.isEmpty {
            emit(part, isLast)
        } else {
            held += part
            emit(held[...], isLast)
            held.removeAll(keepingCapacity: true)
        }
        isInsideLine = !isLast
    }

    /// Gives out what is held back as a piece of a line that goes on.
    mutating func flush(emit: (ArraySlice<UInt8>, Bool) -> Void) {
        if !held.isEmpty { give([], isLast: false, emit) }
    }

    /// Ends the last line, of which no more can come.
    mutating func end(emit: (ArraySlice<UInt8>, Bool) -> Void) {
        if !held.isEmpty || isInsideLine { give([], isLast: true, emit) }
        held = []
    }
}
