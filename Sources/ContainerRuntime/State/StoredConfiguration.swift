internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

/// The configuration that a container was made of: a copy of it lies in the state folder, because the bundle may have
/// changed since.
struct StoredConfiguration: Sendable {
    let document: SpecDocument
    let spec: Spec

    init(_ record: Record, store: Store) throws(RuntimeError) {
        let path = "\(store.folder(record.id))/\(Record.configName)"
        let bytes = try operation("read the kept configuration") { () throws(SystemError) in try Files.read(path) }
        document = SpecDocument(bytes: bytes, file: path)
        guard let spec = document.spec else {
            throw .configuration(document.findings.errors)
        }
        self.spec = spec
    }
}
