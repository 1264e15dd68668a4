internal import ContainerRuntime
internal import Kernel
package import KernelTypes

extension LogReader {
    /// Goes on with what comes, across rotations, until nothing comes any more.
    /// - Parameter end: knows when that is.
    package mutating func follow(_ end: inout LogEnd) throws(SystemError) {
        var watch = try? FileWatch(folder: files.folder)  // a limit of the user's: it is looked at again and again then
        var isWatched = false
        while isWanted {
            // Asked before it is read, so that what was written last is shown.
            let isOver = end.isReached()
            watch?.drain()
            let isAnother = try goOn()
            flush()
            if isOver { break }
            if isAnother || !isWatched {
                isWatched = begin(&watch)
                // What came before it was watched announces nothing.
                if isWatched { continue }
            }
            let isToldAll = isWatched || (!hasSource && number(of: watch) >= 0)
            let ready = try Polling.wait(
                [(number(of: watch), .readable), (end.number, .readable), (1, [])], timeout: isToldAll ? -1 : Self.pause
            )
            // Nobody reads what is shown any more.
            if !ready[2].isEmpty { return }
        }
        var records = self.records
        records.end { record in show(record) }
        flush()
    }

    /// Milliseconds between two looks where the kernel does not say what has changed.
    private static var pause: Int32 { 200 }

    /// Shows what has come.
    /// - Returns: whether another file is read now.
    private mutating func goOn() throws(SystemError) -> Bool {
        try readOn()
        guard let current = files.current else { return false }
        switch source {
        case .some(let source) where source.status.isSameFile(as: current.status):
            // Somebody has copied it and cut it off.
            guard current.status.size < offset else { return false }
            try source.seek(to: 0)
            offset = 0
            records = RecordReader()
            return false
        case .some(let source): last = source.statusNow ?? last
        case .none: break
        }
        // What came to the old file before the new one was there.
        try readOn()
        if let last { known.append(last) }
        previous = nil
        swap(&previous, &source)
        previousRecords = records
        records = RecordReader()
        let opened = try files.open()
        for index in following(opened.parts) {
            let part = opened.parts[index]
            if part.name != files.name { known.append(part.status) }
            try show(opened, index, skipping: 0, keeps: part.name == files.name)
        }
        return true
    }

    /// The files that have come after the last one that was shown.
    private func following(_ parts: [LogPart]) -> [Int] {
        var later = Array(parts.indices)
        if let last, let index = parts.firstIndex(where: { $0.status.isSameFile(as: last) }) {
            later = Array(parts.indices.dropFirst(index + 1))
        } else if let last {
            // It was compressed or deleted: the others are as old as what was written to them last.
            later = parts.indices.filter { parts[$0].status.changed > last.changed || parts[$0].name == files.name }
        }
        // The number of a file that was deleted may be another's by now, which has been written to since.
        return later.filter { index in
            !known.contains {
                $0.isSameFile(as: parts[index].status) && $0.changed == parts[index].status.changed
            }
        }
    }

    private mutating func readOn() throws(SystemError) {
        try readPrevious()
        while true {
            let bytes: [UInt8]
            switch source {
            case .some(let source): bytes = try source.read()
            case .none: return
            }
            if bytes.isEmpty { return }
            offset += Int64(bytes.count)
            var records = self.records
            self.records = RecordReader()
            records.take(bytes[...]) { record in show(record) }
            self.records = records
        }
    }

    private mutating func readPrevious() throws(SystemError) {
        while true {
            let bytes: [UInt8]
            switch previous {
            case .some(let source): bytes = try source.read()
            case .none: return
            }
            if bytes.isEmpty { return }
            var records = previousRecords
            previousRecords = RecordReader()
            records.take(bytes[...]) { record in show(record) }
            previousRecords = records
        }
    }

    private var hasSource: Bool {
        switch source {
        case .some: true
        case .none: false
        }
    }

    /// Lets the kernel tell of changes of the file that is read.
    private func begin(_ watch: inout FileWatch?) -> Bool {
        switch source {
        case .some(let source): (try? watch?.watch(source)) != nil
        case .none: false
        }
    }
}

extension FileWatch {
    mutating func watch(_ source: borrowing LogSource) throws(SystemError) { try source.watch(&self) }
}

/// The number to poll for; negative where there is no watch.
private func number(of watch: borrowing FileWatch?) -> Int32 {
    switch watch {
    case .some(let watch): watch.number
    case .none: -1
    }
}

/// When nothing comes to a log any more: its service has ended.
package struct LogEnd: ~Copyable {
    /// nil for a log whose writer is not known, which has no end.
    private let folder: ServiceFolder?
    private var supervisor: Descriptor?

    package init(_ folder: ServiceFolder?) { self.folder = folder }

    /// To be polled for: something has changed when it is readable.
    var number: Int32 {
        switch supervisor {
        case .some(let supervisor): supervisor.number
        case .none: -1
        }
    }

    mutating func isReached() -> Bool {
        guard let folder else { return false }
        if number >= 0, (try? Polling.wait([(number, .readable)], timeout: 0)[0].isEmpty) == true { return false }
        supervisor = nil
        guard folder.isSupervised, let record = folder.read() else { return true }
        // Another one, where it was begun anew.
        if let opened = try? Processes.open(record.supervisor.pid) { supervisor = consume opened }
        return false
    }
}
