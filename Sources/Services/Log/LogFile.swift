internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes

/// The file that lines are appended to, and the full ones beside it.
///
/// It is looked for by its name before each batch: somebody may have moved it away, deleted it or cut it off. Its
/// folder is held open, and is such that only the user and root can exchange what is in it.
struct LogFile: ~Copyable {
    let path: String
    private let name: String
    private let folder: Descriptor
    private let limit: Int64
    private let files: Int
    private var compression: LogCompression?

    private var file: Descriptor? = nil
    private var inode: UInt64 = 0
    private var device: UInt64 = 0
    private var size: Int64 = 0
    /// Past the limit by which a line may go that has been begun, before it is torn apart between two files.
    private static let grace: Int64 = 1 << 20
    /// Where a rotation failed: the size at which the next is tried.
    private var postponed: Int64 = 0
    /// Whether a stream's line has been begun and not ended in this file; by the stream's number.
    private var isInsideLine = [false, false]
    private var warned = false
    private let warn: (String) -> Void

    /// - Throws: what keeps the log from being written, in a sentence about its path.
    static func open(
        _ path: String, _ destination: LogDestination, warn: @escaping (String) -> Void
    ) throws(SystemError) -> LogFile {
        guard let (above, name) = path.splitAtLastSlash, path.isAbsolutePath, !name.isEmpty, name != ".", name != ".."
        else {
            throw .refused("\(path) is not the path of a file; name one with --log-path")
        }
        var log = LogFile(path, name, try folder(above.isEmpty ? "/" : above), destination, warn)
        do throws(SystemError) {
            try log.open()
        } catch {
            throw error.isRefusal ? error : error.about(path)
        }
        log.compressOlder()
        return log
    }

    private static func folder(_ path: String) throws(SystemError) -> Descriptor {
        switch try StateRoot.open(path, make: true, for: .log) {
        case .some(let opened): try Files.open(".", at: opened, [.readOnly, .directory])
        case .none: throw SystemError("open", path, .noEntry)
        }
    }

    private init(
        _ path: String, _ name: String, _ folder: consuming Descriptor, _ destination: LogDestination,
        _ warn: @escaping (String) -> Void
    ) {
        self.path = path
        self.name = name
        self.folder = folder
        limit = destination.settings.size
        files = destination.settings.files
        self.warn = warn
        compression = destination.settings.compresses ? LogCompression(name) : nil
    }

    /// What a writer before has not come to.
    private mutating func compressOlder() {
        compression?.clean(folder)
        compression?.begin(folder, warn)
    }

    // MARK: Opening

    private mutating func open() throws(SystemError) {
        file = nil
        try Self.check(named: name, path, folder)
        let opened = try Files.open(
            name, at: folder, [.readWrite, .append, .create, .noFollow, .nonBlocking, .noControllingTerminal],
            mode: 0o640)
        let status = try Files.status(of: opened)
        try Self.check(status, path)
        (inode, device, size, postponed) = (status.inode, status.device, status.size, 0)
        // A writer that was killed, or a disk that was full, may have left half a line.
        if size > 0, (try? Files.read(opened, at: Int(size) - 1, count: 1)) != [UInt8(ascii: "\n")] {
            size += Int64(try Files.writeSome([UInt8(ascii: "\n")], to: opened))
        }
        file = consume opened
        isInsideLine = [false, false]
    }

    /// Before it is opened: to open a device or FIFO can do something by itself.
    private static func check(
        named name: String, _ path: String, _ folder: borrowing Descriptor
    ) throws(SystemError) {
        guard let status = try? Files.status(name, at: folder) else { return }  // it is made then
        try check(status, path)
    }

    private static func check(_ status: FileStatus, _ path: String) throws(SystemError) {
        switch status.kind {
        case .regular: break
        case .symbolicLink:
            throw .refused("the log \(path) is a symbolic link; remove it, or name the file itself with --log-path")
        default:
            throw .refused("the log \(path) is no regular file; remove it, or name another with --log-path")
        }
        let user = Credentials.effectiveUser
        guard status.owner == user || status.owner == 0 else {
            throw .refused(
                "the log \(path) belongs to user \(status.owner), who could change what is written; remove it, or name another with --log-path"
            )
        }
        guard status.links <= 1 else {
            throw .refused(
                "the log \(path) is a file with other names (hard links); remove it, or name another with --log-path")
        }
    }

    /// Sees to it that the file is the one that its name stands for.
    private mutating func refresh() throws(SystemError) {
        if let status = try? Files.status(name, at: folder), status.inode == inode, status.device == device,
            isOpen
        {
            // Shorter, where somebody has copied and cut it off.
            size = status.size
            return
        }
        try open()
    }

    private var isOpen: Bool {
        switch file {
        case .some: true
        case .none: false
        }
    }

    // MARK: Writing

    /// Appends entries from a place in a batch on.
    /// - Returns: the place up to which they are written, and why no further.
    mutating func append(_ batch: LogBatch, from first: Int = 0) -> (next: Int, failure: SystemError?) {
        var next = first
        do throws(SystemError) {
            while next < batch.count {
                try refresh()
                let end = fitting(batch, from: next)
                if end == next {
                    rotate()
                    continue
                }
                let written = try write(batch, next..<end)
                // Nothing of what was tried: else the next attempt tells why it was not all.
                if written == 0 { throw SystemError("write", path, .noSpace) }
                next += written
            }
            return (next, nil)
        } catch {
            return (next, error.isRefusal ? error : error.about(path))
        }
    }

    /// Up to which entry the file has room. It ends between two lines of each stream, or beyond the limit.
    private func fitting(_ batch: LogBatch, from first: Int) -> Int {
        let most = max(limit, postponed)
        let start = batch.start(of: first)
        if limit == 0 || size + Int64(batch.bytes.count - start) <= most { return batch.count }
        var isInside = isInsideLine
        // An empty file takes one line, whatever its length, and so does one whose lines are not ended yet.
        var best = first
        for index in first..<batch.count {
            let entry = batch.entries[index]
            let end = size + Int64(entry.end - start)
            let isBetween = !isInside[0] && !isInside[1]
            if end > most, isBetween, size > 0 || index > first { return index }
            if end > most + Self.grace, size > 0 || index > first { return best > first || isBetween ? best : index }
            isInside[entry.stream.rawValue] = !entry.isLast
            if !isInside[0], !isInside[1] { best = index + 1 }
        }
        return batch.count
    }

    /// - Returns: how many entries are written whole. What was written of another is taken away again.
    private mutating func write(_ batch: LogBatch, _ entries: Range<Int>) throws(SystemError) -> Int {
        let start = batch.start(of: entries.lowerBound)
        let end = batch.entries[entries.upperBound - 1].end
        let written = try writeSome(batch.bytes[start..<end])
        var count = entries.count
        if written < end - start {
            count = batch.entries[entries].prefix { $0.end - start <= written }.count
            let whole = count == 0 ? 0 : batch.entries[entries.lowerBound + count - 1].end - start
            takeBack(written - whole)
        }
        for entry in batch.entries[entries].prefix(count) { isInsideLine[entry.stream.rawValue] = !entry.isLast }
        return count
    }

    private mutating func writeSome(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> Int {
        switch file {
        case .some(let file):
            let written = try Files.writeSome(bytes, to: file)
            size += Int64(written)
            return written
        case .none: throw SystemError("write", path, .badDescriptor)
        }
    }

    private mutating func takeBack(_ count: Int) {
        guard count > 0 else { return }
        switch file {
        case .some(let file):
            // Unless somebody else has changed it meanwhile. Half a line that stays is ended by what opens it next.
            guard (try? Files.status(of: file))?.size == size else { return }
            guard (try? Files.setSize(size - Int64(count), of: file)) != nil else { return }
            size -= Int64(count)
        case .none: return
        }
    }

    // MARK: Rotation

    /// Makes way for a new file. Where that fails, the old one grows on for a while.
    private mutating func rotate() {
        do throws(SystemError) {
            let present = RotatedName.all(in: try Files.names(in: folder), of: name)
            for step in RotationStep.plan(present, files: files) {
                switch step {
                case .remove(let old): try Files.remove(old.text(of: name), at: folder)
                case .rename(let old, let new):
                    try Files.rename(old.text(of: name), replacing: new.text(of: name), at: folder)
                }
            }
            if files > 1 {
                try Files.rename(name, replacing: RotatedName(1).text(of: name), at: folder)
            } else {
                try Files.remove(name, at: folder)
            }
            warned = false
        } catch {
            postponed = max(size, limit) + max(limit / 8, 64 << 10)
            if !warned { warn("the log \(path) is full and stays in use: \(error)") }
            warned = true
        }
        compression?.begin(folder, warn)
    }

    /// Takes the end of a child that may be the one that compresses.
    mutating func childEnded(_ pid: Int32, _ reason: ExitReason) -> Bool {
        compression?.childEnded(pid, reason, folder, warn) ?? false
    }
}
