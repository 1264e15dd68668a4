internal import Errors
internal import Kernel
internal import KernelTypes

extension Store {
    /// How long another call of the runtime may hold a container before this one gives up, in milliseconds.
    private static let timeout: Int64 = 10_000

    /// Keeps other calls of the runtime from changing the container at the same time. The lock ends with the
    /// descriptor.
    /// - Parameter whenBusy: is called again and again while another call holds the lock, with the folder.
    func lock(_ id: String, whenBusy: (borrowing Descriptor) -> Void = { _ in }) throws(RuntimeError) -> Descriptor {
        let folder = try open(id, .readOnly)
        try lock(id, folder, whenBusy: whenBusy)
        return folder
    }

    /// Locks a container's folder that is open already.
    /// - Throws: ``RuntimeError/missing(_:)`` where the container that it was opened for is gone, whatever has its name
    ///   by now.
    func lock(
        _ id: String, _ folder: borrowing Descriptor, whenBusy: (borrowing Descriptor) -> Void = { _ in }
    ) throws(RuntimeError) {
        do throws(SystemError) {
            let end = MonotonicClock.milliseconds + Self.timeout
            while true {
                let isLocked = try Files.tryLock(folder)
                guard try isCurrent(id, folder) else { throw .failed("lock", id, .noEntry) }
                if isLocked { return }
                if MonotonicClock.milliseconds >= end {
                    throw .refused(
                        "another runbox (create, start or delete, perhaps waiting for a hook) does not let go of it")
                }
                whenBusy(folder)
                MonotonicClock.sleep(milliseconds: 10)
            }
        } catch {
            if error.code == .noEntry { throw .missing(id) }
            throw RuntimeError(error, doing: "lock container \(id)")
        }
    }

    func whileLocked<Result: ~Copyable>(
        _ id: String, _ body: () throws(RuntimeError) -> Result
    ) throws(RuntimeError) -> Result {
        let lock = try lock(id)
        let result = try body()
        extendLifetime(lock)
        return result
    }

    /// Does something to the folder of a container unless another call holds it, or another container has the name.
    func ifUnchanged(_ record: Record, _ body: () -> Void) {
        // Best effort: a user who may not open the folder has no place to write to.
        guard let folder = try? open(record.id, .readOnly), (try? Files.tryLock(folder)) == true,
            (try? isCurrent(record.id, folder)) == true, (try? load(record.id, at: folder)) == record
        else { return }
        body()
        extendLifetime(folder)
    }

    /// Whether the process that made a container died before it was done: its lock is free, and there is no init. One
    /// that is just being made or deleted is not abandoned.
    func isAbandoned(_ id: String) throws(RuntimeError) -> Bool {
        let folder = try open(id, .readOnly)
        do throws(SystemError) {
            guard try Files.tryLock(folder), try isCurrent(id, folder) else { return false }
        } catch {
            throw RuntimeError(error, doing: "look at container \(id)")
        }
        return try load(id, at: folder)?.pid ?? 0 == 0
    }
}
