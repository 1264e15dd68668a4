import KernelTypes
import Testing

@testable import Errors

@Suite struct StepFailureTests {
    private static func errno(_ number: Int32) -> Errno { Errno(rawValue: number) }

    @Test(
        arguments: [
            (.pivot, SystemError("pivot_root", "", .busy), "change the root: pivot_root: device or resource busy"),
            (.mounts, .refused("mounts[1] at /x: no"), "mount: mounts[1] at /x: no"),
            (.gate, .refused(""), "wait for the start"),
            (
                .clone, SystemError("clone3", "", .notPermitted),
                "make the container's process: clone3: operation not permitted (making namespaces needs root, or a user namespace: see runbox spec --rootless; runbox doctor shows what forbids user namespaces here)"
            ),
            (
                .clone, SystemError("clone3", "", errno(28)),
                "make the container's process: clone3: no space left on device (a limit of /proc/sys/user/max_*_namespaces is reached)"
            ),
            (
                .clone, SystemError("clone3", "", .invalidArgument),
                "make the container's process: clone3: invalid argument"
            ),
            (
                .mounts, SystemError("mount", "/x", .noDevice),
                "mount: mount /x: no such device (this kernel does not know the file system type; see /proc/filesystems)"
            ),
            (.devices, SystemError("mknod", "x", .noDevice), "make devices: mknod x: no such device"),
            (
                .resourceLimits, SystemError("setrlimit", "RLIMIT_NOFILE", .notPermitted),
                "set resource limits: setrlimit RLIMIT_NOFILE: operation not permitted (raising a hard limit needs CAP_SYS_RESOURCE)"
            ),
            (
                .processAttributes, SystemError("sched_setattr", "", .notPermitted),
                "set process attributes: sched_setattr: operation not permitted (needs CAP_SYS_RESOURCE or CAP_SYS_NICE on the host)"
            ),
            (
                .prepareRoot, SystemError("open root.path", "/r", .noEntry),
                "prepare the root file system: open root.path /r: not found (root.path must name an existing directory; a relative one counts from the bundle)"
            ),
            (
                .sources, SystemError("bind", "mounts[0]: source /s", .noEntry),
                "open mount sources: bind mounts[0]: source /s: not found"
            ),
        ] as [(Step, SystemError, String)])
    func aFailureNamesItsRemedy(step: Step, cause: SystemError, message: String) {
        let failure = StepFailure(step, cause)
        #expect(failure.message(remedy: Remedy.of(failure)) == message)
    }

    @Test(arguments: Step.allCases)
    func everyStepHasWords(step: Step) {
        #expect(!step.words.isEmpty)
        // The beginning of a sentence that goes on.
        #expect(step.words.first?.isLowercase == true)
        #expect(step.words.last != ".")
    }

    @Test func aStepNamesTheFailure() {
        let cause = SystemError("x", "", .busy)
        var caught: StepFailure?
        do throws(StepFailure) {
            try step(.devices) { () throws(SystemError) in throw cause }
        } catch {
            caught = error
        }
        #expect(caught == StepFailure(.devices, cause))
        #expect(caught?.exitStatus == 1)
    }

    @Test func aRefusalIsTheRuntimesOwn() {
        #expect(SystemError.refused("no").isRefusal)
        #expect(SystemError.refused("no").description == "no")
        #expect(!SystemError("x", "", .busy).isRefusal)
    }
}
