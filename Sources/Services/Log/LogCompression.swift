internal import ContainerRuntime
internal import Kernel
internal import KernelTypes

/// Compresses full log files by the host's gzip, one after the other, beside the writing.
///
/// The newest stays as it is: who follows the log may still be reading it. What gzip writes has another name until it
/// is whole, so that a killed one leaves nothing that could be taken for a log.
struct LogCompression: ~Copyable {
    private let log: String
    private var pid: Int32?
    /// The file that is being compressed, which other rotations may have given another name by now.
    private var source: FileStatus?
    private var isGivenUp = false

    init(_ log: String) { self.log = log }

    private var draft: String { ".\(log).gz.new" }

    /// Removes what a writer before has left unfinished.
    func clean(_ folder: borrowing Descriptor) {
        try? Files.remove(draft, at: folder)  // mostly there is none
        guard let names = try? Files.names(in: folder) else { return }  // the next rotation reports that
        for name in RotatedName.all(in: names, of: log) where name.isCompressed {
            // It was replaced, and only its own name was left to be taken away.
            try? Files.remove(RotatedName(name.number).text(of: log), at: folder)
        }
    }

    /// Starts with the oldest file that is to be compressed, unless one is being so.
    mutating func begin(_ folder: borrowing Descriptor, _ warn: (String) -> Void) {
        guard pid == nil, !isGivenUp, let names = try? Files.names(in: folder) else { return }
        let next = RotatedName.all(in: names, of: log).last { $0.number > 1 && !$0.isCompressed }
        guard let next else { return }
        guard let gzip = HostProgram("gzip") else {
            return giveUp("gzip is not installed", warn)
        }
        do throws(SystemError) {
            let input = try Files.open(next.text(of: log), at: folder, [.readOnly, .noFollow])
            let status = try Files.status(of: input)
            try? Files.remove(draft, at: folder)  // of a child that has failed
            let output = try Files.open(draft, at: folder, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o640)
            let child = try gzip.begin(["-c"], input: input, output: output)
            (pid, source) = (child.pid, status)
        } catch {
            giveUp("\(error)", warn)
        }
    }

    private mutating func giveUp(_ reason: String, _ warn: (String) -> Void) {
        isGivenUp = true
        warn("full logs are not compressed: \(reason)")
    }

    /// - Returns: whether the child was the one that compresses.
    mutating func childEnded(
        _ pid: Int32, _ reason: ExitReason, _ folder: borrowing Descriptor, _ warn: (String) -> Void
    ) -> Bool {
        guard pid == self.pid, let source else { return false }
        self.pid = nil
        do throws(SystemError) {
            guard reason == .exited(code: 0) else { throw .refused("gzip failed with status \(reason.shellStatus)") }
            try replace(source, folder)
            begin(folder, warn)
        } catch {
            try? Files.remove(draft, at: folder)  // best effort: the next one does it too
            giveUp("\(error)", warn)
        }
        return true
    }

    /// Puts the compressed file in the place of the other, wherever that is by now.
    private func replace(_ source: FileStatus, _ folder: borrowing Descriptor) throws(SystemError) {
        let place = RotatedName.all(in: try Files.names(in: folder), of: log).first { name in
            (try? Files.status(name.text(of: log), at: folder))?.isSameFile(as: source) == true
        }
        guard let place else { return try Files.remove(draft, at: folder) }
        // Readers order files by it, where the numbers have changed meanwhile.
        try Files.setChanged(source.changed, of: Files.open(draft, at: folder, [.readOnly, .noFollow]))
        try Files.rename(
            draft, replacing: RotatedName(place.number, isCompressed: true).text(of: log), at: folder)
        try Files.remove(place.text(of: log), at: folder)
    }
}
