internal import Errors
internal import JSON
internal import Kernel
internal import KernelTypes
internal import Planning

/// The folder that a checkpoint is in, and the one that CRIU works in.
struct CheckpointImage: ~Copyable {
    let path: String
    let workPath: String
    let folder: Descriptor
    let work: Descriptor
    /// What was in the image's folder before, and whether there was one.
    private let before: [String]
    private let isNew: Bool

    /// What runc and crun call the file with the names of the init's descriptors; they write three.
    static let descriptorsName = "descriptors.json"
    /// CRIU writes it when it has the rest.
    private static let lastName = "inventory.img"

    private init(
        path: String, workPath: String, folder: consuming Descriptor, work: consuming Descriptor, before: [String],
        isNew: Bool
    ) {
        self.path = path
        self.workPath = workPath
        self.folder = folder
        self.work = work
        self.before = before
        self.isNew = isNew
    }

    /// Makes the folders of a new checkpoint: memory is in it, so it is for this user only.
    static func make(_ settings: CheckpointSettings) throws(SystemError) -> CheckpointImage {
        let isNew = !Files.exists(settings.imagePath)
        try Files.makeDirectories(settings.imagePath, mode: 0o700)
        let work = settings.workPath ?? settings.imagePath
        try Files.makeDirectories(work, mode: 0o700)
        return try open(settings.imagePath, work, isNew: isNew)
    }

    /// Opens what is to be restored.
    static func find(_ settings: CheckpointSettings) throws(SystemError) -> CheckpointImage {
        let work = settings.workPath ?? settings.imagePath
        do throws(SystemError) {
            if settings.workPath != nil { try Files.makeDirectories(work, mode: 0o700) }
            let image = try open(settings.imagePath, work, isNew: false)
            guard Files.exists("\(settings.imagePath)/\(lastName)") else {
                throw .refused(
                    "\(settings.imagePath) has no checkpoint: there is no \(lastName) in it; name the folder that checkpoint --image-path wrote"
                )
            }
            return image
        } catch  where error.code == .noEntry {
            throw .refused(
                "\(settings.imagePath): not found; name the folder that checkpoint --image-path wrote")
        }
    }

    private static func open(_ path: String, _ workPath: String, isNew: Bool) throws(SystemError) -> CheckpointImage {
        let folder = try Files.open(path, [.readOnly, .directory])
        let names = try Files.entries(of: folder, subject: path).map { $0.name.text }
        return CheckpointImage(
            path: path, workPath: workPath, folder: folder, work: try Files.open(workPath, [.readOnly, .directory]),
            before: names, isNew: isNew)
    }

    /// Takes away what a checkpoint that failed has written, but for CRIU's log.
    func discard() {
        // Best effort: what stays is half an image, which no restore takes.
        guard let names = try? Files.entries(of: folder, subject: path).map({ $0.name.text }) else { return }
        for name in names where !before.contains(name) && !name.ends(with: ".log") {
            try? Files.remove(name, at: folder)
        }
        if isNew { try? Files.removeDirectory(path) }
    }

    /// When the checkpoint was taken: RFC 3339 in UTC.
    var time: String? {
        guard let status = try? Files.status(Self.lastName, at: folder, follow: false) else { return nil }
        return Timestamp.text(
            seconds: Int(status.changed / 1_000_000_000), nanoseconds: Int(status.changed % 1_000_000_000))
    }

    // MARK: The init's descriptors

    func writeDescriptors(_ names: [String]) throws(SystemError) {
        var writer = Writer()
        writer.array { list in
            for name in names { list.string(name) }
        }
        let text = String(decoding: writer.finish(), as: UTF8.self)
        try Files.replace("\(path)/\(Self.descriptorsName)", with: text, mode: 0o600)
    }

    /// - Returns: nothing where there is no list, as with an image that CRIU itself was called for.
    func readDescriptors() -> [String] {
        guard let bytes = try? Files.read(Self.descriptorsName, at: folder, limit: 1 << 16),
            let document = try? Document(bytes)
        else { return [] }
        return document.elements(of: document.root).map { document.string($0) ?? "" }
    }

    /// What CRIU says of its work.
    func log(_ name: String) -> String {
        guard let bytes = try? Files.read(name, at: work, limit: 64 << 20) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
