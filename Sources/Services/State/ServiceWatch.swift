internal import ContainerRuntime
internal import Kernel
package import KernelTypes

/// Tells of a service when it has changed: its status, whether it is ready, its restarts and its payload.
///
/// What it was in between for less than a look takes is not told.
package struct ServiceWatch: ~Copyable {
    private let folder: ServiceFolder
    private var files: FileWatch
    /// Its end shows in no file.
    private var supervisor: Descriptor?
    private var told: ServiceRecord?

    /// - Throws: ENOENT for a service that is not there.
    package init(_ folder: ServiceFolder) throws(SystemError) {
        self.folder = folder
        let place = try Files.open(folder.path, [.readOnly, .directory, .noFollow])
        files = try FileWatch(folder: place)
        supervisor = nil
    }

    /// To be polled for reading, each time anew.
    package var numbers: [Int32] { [files.number, pollNumber(supervisor)] }

    /// - Returns: what it is now, where that was not told yet.
    package mutating func next() -> ServiceRecord? {
        files.drain()
        guard let record = folder.view else {
            told = nil
            return nil
        }
        let last = told
        told = record
        if last?.supervisor != record.supervisor || record.isOrphaned {
            supervisor = record.isOrphaned ? nil : try? Processes.open(record.supervisor.pid)
        }
        if let last, last.status == record.status, last.isReady == record.isReady, last.restarts == record.restarts,
            last.payload == record.payload
        {
            return nil
        }
        return record
    }

    /// Whether nothing more comes of it.
    package var isOver: Bool { told == nil || told?.phase == .ended }
    /// Whether nobody looks after it.
    package var isOrphaned: Bool { told?.isOrphaned ?? true }
}
