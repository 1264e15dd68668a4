internal import Kernel
internal import KernelTypes

/// Passes what the payload writes on to the supervisor's own standard output and error.
///
/// Both are written to only when they take something. What does not fit into the buffer is left in the payload's pipe;
/// where nobody takes anything for longer than ``patience``, it is dropped and counted, so that the payload goes on.
struct OutputRelay {
    private var streams = [Stream(), Stream()]

    struct Stream {
        var buffer: [UInt8] = []
        var dropped = 0
        /// Since when it takes nothing, in milliseconds on the monotonic clock; nil where it does.
        var stuckSince: Int64?
        /// One that is broken takes nothing any more.
        var isBroken = false
    }

    private static let room = 64 << 10
    static let patience: Int64 = 5000

    func hasRoom(_ index: Int) -> Bool { streams[index].buffer.count < Self.room }
    func hasOutput(_ index: Int) -> Bool { !streams[index].buffer.isEmpty }

    /// When something is dropped unless it is taken before.
    var deadline: Int64 {
        var next = Int64.max
        for stream in streams {
            if let since = stream.stuckSince { next = min(next, since + Self.patience) }
        }
        return next
    }

    mutating func take(_ bytes: ArraySlice<UInt8>, _ index: Int) {
        if !streams[index].isBroken { streams[index].buffer += bytes }
    }

    /// Writes what is taken now.
    mutating func write(_ index: Int, _ now: Int64) {
        if streams[index].buffer.isEmpty { return }
        do throws(SystemError) {
            var taken = 0
            while taken < streams[index].buffer.count {
                let count = try Pipes.writeReady(streams[index].buffer[taken...], toNumber: Int32(index + 1))
                if count == 0 { break }
                taken += count
            }
            streams[index].settle(taken, now, patience: Self.patience)
        } catch {
            // Its reader has gone: from here on the payload writes to nobody.
            streams[index] = Stream(isBroken: true)
        }
    }
}

extension OutputRelay.Stream {
    fileprivate mutating func settle(_ taken: Int, _ now: Int64, patience: Int64) {
        if taken == buffer.count {
            // Keeps no memory of a flood.
            buffer = []
            stuckSince = nil
        } else if taken > 0 {
            buffer.removeFirst(taken)
            stuckSince = now
        } else if let since = stuckSince, now - since >= patience {
            dropped += buffer.count
            buffer = []
            stuckSince = nil
        } else if stuckSince == nil {
            stuckSince = now
        }
        if buffer.isEmpty, taken > 0, dropped > 0 {
            buffer = Array("[\(dropped) bytes of output were dropped]\n".utf8)
            dropped = 0
        }
    }
}
