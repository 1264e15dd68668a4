import CLinux
import KernelTypes
import TestSupport
import Testing

@testable import Kernel

@Suite struct ProcConnectorTests {
    private static func message(what: UInt32 = 0x8000_0000, process: UInt32 = 17, status: UInt32) -> [UInt8] {
        let words: [UInt32] = [76, 3, 0, 0, 1, 1, 0, 0, 40, what, 0, 0, 0, process, process, status, 17, 1, 1]
        return words.flatMap { word in withUnsafeBytes(of: word) { Array($0) } }
    }

    @Test(
        arguments: [
            (0x0700, .exited(code: 7)), (9, .killed(signal: .kill)), (0x8b, .killed(signal: Signal(rawValue: 11))),
        ]
            as [(UInt32, ExitReason)])
    func anAnnouncedEndIsRead(status: UInt32, reason: ExitReason) {
        let message = Self.message(status: status)
        #expect(ProcConnector.reason(message[...], of: 17) == reason)
        #expect(ProcConnector.reason(([0xff] + message).dropFirst(), of: 17) == reason)
        #expect(ProcConnector.reason(message[...], of: 18) == nil)
        #expect(ProcConnector.reason(Self.message(what: 1, status: status)[...], of: 17) == nil)
        #expect(ProcConnector.reason(message[..<63], of: 17) == nil)
    }

    /// A process that is not this one's child, and ends while it is listened for.
    @Test func theEndOfAProcessIsAnnounced() throws {
        let shell = try #require(popen("exec </dev/null; sh -c 'sleep 0.3; exit 7' >/dev/null 2>&1 & echo $!", "r"))
        defer { pclose(shell) }
        var line = [CChar](repeating: 0, count: 32)
        _ = fgets(&line, 32, shell)
        let digits = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }
        let pid = try #require(Int32(String(decoding: digits, as: UTF8.self)))
        let pidfd = try Processes.open(pid)
        let connector: ProcConnector
        do throws(SystemError) {
            connector = try ProcConnector.listen(to: pid)
        } catch {
            try Test.cancel("the kernel's announcements are not for this user: \(error)")
        }
        _ = try Polling.wait([(pidfd.number, .readable)])
        let reason = connector.take()
        #expect(reason == .exited(code: 7), "needs the process connector, CONFIG_PROC_EVENTS, in the host's namespaces")
    }
}
