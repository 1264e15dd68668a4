internal import Cgroups
public import Errors

extension Container {
    /// Stops all of the container's processes where they stand, and returns when they do. One that waits for its start
    /// can be paused, too.
    ///
    /// - Throws: ``RuntimeError/status(reason:)`` with runc's words for a container that is paused or has ended. When
    ///   not all processes stand in time, they run on.
    public func pause() throws(RuntimeError) {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        try status(of: record).check(.pause, of: record.id)
        try withCgroup(of: record) { cgroup throws(CgroupError) in try cgroup.freeze() }
    }

    /// Lets the processes of a paused container run on.
    ///
    /// - Throws: ``RuntimeError/status(reason:)`` with runc's words for a container that is not paused.
    public func resume() throws(RuntimeError) {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        try status(of: record).check(.resume, of: record.id)
        try withCgroup(of: record) { cgroup throws(CgroupError) in try cgroup.thaw() }
    }

    /// Opens the container's cgroup for one operation.
    func withCgroup<Result: ~Copyable>(
        of record: Record, _ body: (borrowing CgroupManager) throws(CgroupError) -> Result
    ) throws(RuntimeError) -> Result {
        do throws(CgroupError) {
            return try body(try CgroupManager.open(record.cgroup))
        } catch {
            throw RuntimeError(error)
        }
    }
}
