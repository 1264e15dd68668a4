import Testing

@testable import Kernel

@Suite struct NetworkCountersTests {
    private static let text = """
        Inter-|   Receive                                                |  Transmit
         face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
            lo:     100       2    3    4    5     6          7         8      900      10   11   12   13    14      15         16
          eth0: 18446744073709551615 1 0 0 0 0 0 0 2 3 0 0 0 0 0 0
        """

    @Test func theKernelsCountersAreRead() {
        #expect(
            NetworkCounters.parse(Self.text) == [
                NetworkCounters(
                    name: "lo", receivedBytes: 100, receivedPackets: 2, receiveErrors: 3, receiveDrops: 4,
                    sentBytes: 900, sentPackets: 10, sendErrors: 11, sendDrops: 12),
                NetworkCounters(
                    name: "eth0", receivedBytes: .max, receivedPackets: 1, receiveErrors: 0, receiveDrops: 0,
                    sentBytes: 2, sentPackets: 3, sendErrors: 0, sendDrops: 0),
            ])
    }

    @Test(arguments: ["", "eth0", "eth0:", "eth0: 1 2 3", "eth0: x 1 0 0 0 0 0 0 2 3 0 0 0 0 0 0", ": 1 2"])
    func malformedLinesAreLeftOut(text: String) { #expect(NetworkCounters.parse(text) == []) }

    @Test func everyNamespaceHasALoopback() throws {
        #expect(try NetworkCounters.read(ofProcess: Processes.currentID).contains { $0.name == "lo" })
    }

    @Test func aProcessThatHasEndedHasNone() throws {
        #expect(try NetworkCounters.read(ofProcess: Int32.max).isEmpty)
    }
}
