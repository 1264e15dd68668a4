internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// On demand: woken by the first connection, and sent to sleep when there has been none for a while.
///
/// The sockets are open all the time, so that nobody is refused: who comes while the payload is made, or while it
/// stops, waits in the queue of the socket and is seen as soon as the service sleeps.
extension Supervisor {
    /// Before anything else of the service.
    mutating func openSockets() throws(RuntimeError) {
        var processes: [Int32] = []
        if !settings.listen.isEmpty, case .running(let process) = try launch.container.leftover() {
            processes = [process.pid]
        }
        try sockets.open(leftWith: processes, launch)
    }

    /// Waits at the sockets.
    mutating func sleep() {
        record.phase = .sleeping
        hasStarted = true
        tellStarter(nil)
        becomeReady()
    }

    /// Somebody has come while the service sleeps.
    mutating func wake() {
        guard record.phase == .sleeping else { return }
        sockets.noteCall()
        isWaking = true
        start()
    }

    /// What nobody restarts goes to sleep. One that has failed, or has ended and left whoever has woken it waiting, is
    /// not woken at once: it would turn in a circle as fast as the host can.
    mutating func fallAsleep(after end: RunEnd) {
        guard end.isFailure || sockets.isIgnored() else {
            backOff.reset()
            return sleep()
        }
        wait(after: end, thenSleeps: true)
    }

    /// The delay before a start is over.
    mutating func goOn() {
        deadlines.start = .max
        record.nextStart = nil
        if sleepsNext { sleep() } else { start() }
    }

    /// Sends it to sleep when nobody uses it.
    mutating func lookForUse(at now: Int64) {
        guard record.phase == .running, sockets.check(at: now) else { return }
        endPayload(for: .sleep, timeout: settings.stopTimeout)
    }
}
