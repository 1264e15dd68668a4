import ContainerRuntime
import KernelTypes
import Planning
import Testing

@testable import Services

@Suite struct ServiceProtocolTests {
    @Test(
        arguments: [
            ("stop", .stop(timeout: nil)), ("stop 1500", .stop(timeout: 1500)), ("restart", .restart),
            ("reload", .reload),
            ("wait ready", .waitReady), ("wait healthy", .waitHealthy), ("wait", nil), ("wait soon", nil), ("", nil),
            ("stop -1", nil), ("stop x", nil), ("stop 1 2", nil), ("STOP", nil), ("restart now", nil),
        ] as [(String, ControlRequest?)])
    func requestsAreReadOrNot(line: String, request: ControlRequest?) {
        #expect(ControlRequest(line) == request)
        if let request { #expect(request.line == "\(line)\n") }
    }

    @Test func answersComeThrough() {
        for answer in [ControlAnswer.done, .refused("it is not so")] {
            let line = String(decoding: answer.line, as: UTF8.self)
            #expect(ControlAnswer(String(line.dropLast())) == answer)
        }
        #expect(ControlAnswer("no") == nil)
        #expect(String(decoding: ControlAnswer.refused("two\nlines").line, as: UTF8.self) == "error two?lines\n")
    }

    @Test func reportsComeThrough() {
        let reports: [Report] = [
            .started(pid: 5, startTime: 77), .failed(status: 127, "no such program: a b"), .warning("odd"),
            .exit(Array(#"{"code":1}"#.utf8)),
        ]
        for report in reports { #expect(Report(Array(report.line.dropLast().utf8)) == report) }
        for text in ["", "started", "started 5", "failed x y", "other 1 2"] {
            #expect(Report(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test func messagesOfThePayloadAreRead() {
        let message = PayloadMessage(Array("READY=1\nSTATUS=a=b\nWATCHDOG_USEC=2000\nMAINPID=1\nFDSTORE=1\n".utf8))
        #expect(message.isReady && message.status == "a=b" && message.watchdog == 2000 && message.passed == [])
        let reload = PayloadMessage(Array("RELOADING=1\nMONOTONIC_USEC=5\nWATCHDOG=1".utf8))
        #expect(reload.isReloading && reload.pings && reload.passed == ["RELOADING=1", "MONOTONIC_USEC=5"])
        #expect(PayloadMessage(Array("WATCHDOG=trigger".utf8)).givesUp)
        #expect(PayloadMessage(Array("READY=0\nSTOPPING=1".utf8)).isStopping)
        #expect(PayloadMessage([]) == PayloadMessage(Array("nonsense\n=\n".utf8)))
    }

    @Test func aRecordComesThrough() {
        var record = ServiceRecord(
            name: "web", bundle: "/b", supervisor: SupervisedProcess(pid: 7, startTime: 8),
            created: "2026-01-01T00:00:00Z")
        record.phase = .running
        record.health = .unhealthy
        record.failures = 3
        record.restarts = 12
        record.payload = SupervisedProcess(pid: 9, startTime: 10)
        record.lastFailure = "a \"word\""
        record.nextStart = "2026-01-01T00:00:01Z"
        record.text = "serving"
        record.listen = ["unix:/a"]
        record.log = .file
        record.logPath = "/var/log/web.log"
        record.lastExit = ContainerExit(Array(#"{"code":137,"signal":9,"observedBy":"run"}"#.utf8))
        #expect(record.lastExit != nil)
        #expect(ServiceRecord(Array(record.json().utf8)) == record)
        #expect(record.status == "unhealthy")
        #expect(ServiceRecord(Array("{}".utf8)) == nil && ServiceRecord(Array("{".utf8)) == nil)
    }
}
