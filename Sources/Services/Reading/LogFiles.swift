internal import ContainerRuntime
internal import Kernel
internal import KernelTypes

/// A log and the full files beside it, as a reader finds them.
struct LogFiles: ~Copyable {
    let path: String
    let name: String
    let folder: Descriptor

    init(_ path: String) throws(SystemError) {
        let (folder, name) = path.splitAtLastSlash ?? (folder: ".", name: path)
        self.path = path
        self.name = name
        self.folder = try Files.open(folder.isEmpty ? "/" : folder, [.readOnly, .directory])
    }

    /// Opens what there is, the oldest first; the log itself is last, where it is there.
    ///
    /// Meanwhile the files may get other names: it is looked again until all have the names that they were found by.
    func open() throws(SystemError) -> LogParts {
        var attempts = 0
        while true {
            let parts = try all()
            attempts += 1
            var files = DescriptorTable()
            for part in parts {
                do throws(SystemError) {
                    files.append(
                        try Files.open(part.name, at: folder, [.readOnly, .nonBlocking, .noControllingTerminal]))
                } catch  where error.code == .noEntry {
                    files.appendNothing()
                }
            }
            let opened = LogParts(parts, files)
            if attempts == Self.attempts { return opened }
            guard opened.isWhole, try all().map({ $0.place }) == parts.map({ $0.place }) else { continue }
            return opened
        }
    }

    private static let attempts = 20

    private func all() throws(SystemError) -> [LogPart] {
        var parts: [LogPart] = []
        for old in RotatedName.all(in: try Files.names(in: folder), of: name).reversed() {
            if let part = part(old.text(of: name), isCompressed: old.isCompressed) { parts.append(part) }
        }
        if let current = current { parts.append(current) }
        return parts
    }

    /// The file that is written to; nil where there is none just now.
    var current: LogPart? { part(name, isCompressed: name.ends(with: ".gz")) }

    /// - Returns: nil for what is gone by now, and for what is no file.
    private func part(_ name: String, isCompressed: Bool) -> LogPart? {
        // Links are followed: who may read what they lead to may read it here. What waits for a writer is not opened.
        guard let status = try? Files.status(name, at: folder, follow: true), status.kind == .regular else {
            return nil
        }
        return LogPart(name: name, isCompressed: isCompressed, status: status)
    }
}

/// One file of a log.
struct LogPart: Sendable {
    let name: String
    let isCompressed: Bool
    let status: FileStatus

    /// Which file has which name.
    fileprivate var place: Place { Place(name: name, inode: status.inode, device: status.device) }

    fileprivate struct Place: Equatable {
        let name: String
        let inode: UInt64
        let device: UInt64
    }
}

/// The files of a log, open.
struct LogParts: ~Copyable {
    let parts: [LogPart]
    private let files: DescriptorTable

    init(_ parts: [LogPart], _ files: consuming DescriptorTable) {
        self.parts = parts
        self.files = files
    }

    /// Whether each is the file that was found.
    var isWhole: Bool {
        parts.indices.allSatisfy { index in
            (try? files.with(index) { file throws(SystemError) in
                try Files.status(of: file).isSameFile(as: parts[index].status)
            }) == true
        }
    }

    /// One of them, from its beginning on.
    func source(_ index: Int) throws(SystemError) -> LogSource {
        let part = parts[index]
        guard files.has(index) else { throw SystemError("open", part.name, .noEntry) }
        let file = try files.with(index) { file throws(SystemError) in try file.duplicate() }
        try Files.rewind(file)
        return try LogSource(part, file)
    }
}

/// An open file of a log, read from its beginning to the end that it has by then.
struct LogSource: ~Copyable {
    private let input: Descriptor
    /// What decompresses, and has to be waited for.
    private let child: ChildProcess?
    private let path: String
    let status: FileStatus

    init(_ part: LogPart, _ file: consuming Descriptor) throws(SystemError) {
        let opened = try Files.status(of: file)
        guard opened.kind == .regular else { throw .refused("\(part.name) is no regular file") }
        guard part.isCompressed else {
            self.init(file, nil, part.name, opened)
            return
        }
        guard let gzip = HostProgram("gzip") else {
            throw .refused("\(part.name) cannot be read: gzip is not installed")
        }
        var child: ChildProcess?
        let reading = try Sockets.pipeWithEnd { writing throws(SystemError) in
            child = try gzip.begin(["-dc"], input: file, output: writing)
        }
        self.init(reading, child.take(), part.name, opened)
    }

    private init(
        _ input: consuming Descriptor, _ child: consuming ChildProcess?, _ path: String, _ status: FileStatus
    ) {
        self.input = input
        self.child = child
        self.path = path
        self.status = status
    }

    /// - Returns: empty at the end of what there is.
    func read() throws(SystemError) -> [UInt8] {
        do throws(SystemError) {
            return try Files.readOn(input, limit: 64 << 10)
        } catch {
            throw error.about(path)
        }
    }

    /// Goes on reading elsewhere; only in what is not compressed.
    func seek(to offset: Int64) throws(SystemError) { try Files.seek(input, to: offset) }

    /// Of a file that is not compressed, as it is now.
    var statusNow: FileStatus? { try? Files.status(of: input) }

    func watch(_ watch: inout FileWatch) throws(SystemError) { try watch.watch(input) }

    /// To be called at the end, unless it was not read to it.
    /// - Throws: what the program that decompresses has failed with.
    consuming func finish() throws(SystemError) {
        switch child {
        case .some(let child):
            let reason = try Processes.wait(child)
            guard reason == .exited(code: 0) else {
                throw .refused("\(path) cannot be decompressed: gzip failed with status \(reason.shellStatus)")
            }
        case .none: return
        }
    }
}
