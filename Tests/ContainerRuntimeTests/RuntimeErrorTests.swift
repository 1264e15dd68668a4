import Errors
import KernelTypes
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct RuntimeErrorTests {
    /// The words that engines search for (R6 of the comparison with other runtimes), in their places.
    @Test(
        arguments: [
            (.missing("box"), "container does not exist: box", 1),
            (.exists("box"), "container with given ID already exists: box", 1),
            (.status(reason: "container not running"), "container not running", 1),
            (.bundle(reason: "no bundle"), "no bundle", 1),
            (.failed(reason: "because"), "because", 1),
            (.step(.program, errno: 2, message: "unable to start", exitStatus: 127), "unable to start", 127),
            (.configuration([]), "the configuration has a mistake", 1),
            (.configuration([Finding(.error, "", "one")]), "one", 1),
            (
                .configuration([Finding(.error, "", "one"), Finding(.error, "", "two")]),
                "one (and 1 more; --debug lists them all)", 1
            ),
            (
                .configuration([Finding(.error, "", "one"), Finding(.error, "", "two"), Finding(.error, "", "three")]),
                "one (and 2 more; --debug lists them all)", 1
            ),
        ] as [(RuntimeError, String, Int32)])
    func everyErrorIsOneLine(error: RuntimeError, words: String, status: Int32) {
        #expect(error.description == words)
        #expect(error.exitStatus == status)
    }

    @Test(arguments: [
        (SystemError("open", "/a", .accessDenied), "read: open /a: permission denied"),
        (SystemError("open", "/a", .noEntry), "read: open /a: not found"),
        (SystemError("pidfd_open", "5", .noProcess), "read: pidfd_open 5: no such process"),
        (.refused("the state is damaged"), "read: the state is damaged"),
    ])
    func anErrorNamesWhatWasBeingDone(error: SystemError, words: String) {
        #expect(RuntimeError(error, doing: "read").description == words)
        #expect(failure { try operation("read") { () throws(SystemError) in throw error } } == words)
    }

    @Test func aFailureOfTheSetUpIsPassedOn() {
        let error = RuntimeError(StepFailure(.program, .refused("x"), exitStatus: 126))
        #expect(error.description == "unable to start container process: x")
        #expect(error.exitStatus == 126 && error.errno == nil)
        let refused = RuntimeError(StepFailure(.clone, SystemError("clone3", "", .noSpace)))
        #expect(refused.errno == Errno.noSpace.rawValue)
    }

    @Test func aCgroupErrorIsPassedOn() {
        let error = RuntimeError(CgroupError(field: "linux.x", "no room", remedy: "make some", code: .busy))
        #expect(error.description == "linux.x: no room; make some")
        #expect(error.field == "linux.x" && error.errno == Errno.busy.rawValue)
    }
}
