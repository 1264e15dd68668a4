internal import CLinux
package import KernelTypes

package enum Scheduling {
    /// Sets policy and priority of a process; 0 means this one.
    package static func set(_ attributes: SchedulingAttributes, of pid: Int32) throws(SystemError) {
        var value = clinux_sched_attr()
        value.size = UInt32(MemoryLayout<clinux_sched_attr>.size)
        value.sched_policy = attributes.policy
        value.sched_flags = attributes.flags
        value.sched_nice = attributes.nice
        value.sched_priority = attributes.priority
        value.sched_runtime = attributes.runtime
        value.sched_deadline = attributes.deadline
        value.sched_period = attributes.period
        _ = try check("sched_setattr") { lend(&value) { system(Int(SYS_sched_setattr), Int(pid), $0, 0) } }
    }

    /// Sets the I/O priority of a process; 0 means this one. ioprio_set(2), IOPRIO_WHO_PROCESS.
    /// - Parameter level: 0 (highest) to 7, within the class (1 real time, 2 best effort, 3 idle).
    package static func setIOPriority(class priorityClass: UInt32, level: UInt32, of pid: Int32) throws(SystemError) {
        let value = Int(priorityClass << 13 | level)
        _ = try check("ioprio_set") { system(Int(SYS_ioprio_set), 1, Int(pid), value) }
    }

    /// Sets the execution domain. personality(2).
    package static func setPersonality(_ persona: UInt) throws(SystemError) {
        _ = try check("personality") { personality(persona) }
    }
}
