internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// The configuration that a container was made of: a copy of it lies in the state folder, because the bundle may have
/// changed since.
struct StoredConfiguration: Sendable {
    let document: SpecDocument
    private let shared: SharedSpec
    var spec: Spec { shared.spec }

    init(_ record: Record, store: Store) throws(RuntimeError) {
        let path = "\(store.folder(record.id))/\(Record.configName)"
        let bytes = try operation("read the kept configuration") { () throws(SystemError) in try Files.read(path) }
        document = SpecDocument(bytes: bytes, file: path)
        guard let shared = document.shared else {
            throw .configuration(document.findings.errors)
        }
        self.shared = shared
    }
}
