import Kernel
import Testing

@testable import ContainerRuntime

@Suite struct StartGateTests {
    /// FIFOs that nobody reads are what a container leaves that died while it waited.
    @Test func aGateWithoutAWaiterSaysSo() throws {
        try withFolder { folder throws in
            try Files.makeFIFO(folder.path(StartGate.startName), mode: 0o600)
            try Files.makeFIFO(folder.path(StartGate.resultName), mode: 0o600)
            var error: SystemError?
            do throws(SystemError) {
                _ = try StartGate.open(folder: folder.path)
            } catch let thrown {
                error = thrown
            }
            #expect(error?.description == "container process is already dead")
            #expect(try folder.names() == [StartGate.resultName, StartGate.startName].sorted())
        }
    }

    @Test func aGateIsMadeOnceOfTwoFIFOs() throws {
        try withFolder { folder throws in
            let gate = try StartGate.make(folder: folder.path)
            for name in [StartGate.startName, StartGate.resultName] {
                let status = try Files.status(folder.path(name), follow: false)
                #expect(status.kind == .fifo)
                #expect(status.permissions == 0o600)
            }
            #expect(failure { _ = try StartGate.make(folder: folder.path) } != nil)
            extendLifetime(gate)
        }
    }

    @Test func withoutAGateThereIsNothingToOpen() throws {
        try withFolder { folder throws in
            #expect(failure { _ = try StartGate.open(folder: folder.path) }?.hasSuffix("not found") == true)
        }
    }
}
