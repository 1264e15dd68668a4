import Testing

@testable import ContainerRuntime

@Suite struct NotificationMessageTests {
    @Test(arguments: [
        ("READY=1", "READY=1\nMAINPID=7", true), ("READY=0", "READY=0", false),
        ("STATUS=a=b", "STATUS=a=b", false), ("MAINPID=1", "", false), ("FDSTORE=1\nFDNAME=x", "", false),
        ("READY=1\nMAINPID=1\nSTATUS=up", "READY=1\nSTATUS=up\nMAINPID=7", true),
        ("RELOADING=1\nMONOTONIC_USEC=5", "RELOADING=1\nMONOTONIC_USEC=5", false),
        ("STOPPING=1\n", "STOPPING=1", false),
        ("WATCHDOG=1", "WATCHDOG=1", false), ("WATCHDOGX=1", "", false),
        ("EXTEND_TIMEOUT_USEC=9", "EXTEND_TIMEOUT_USEC=9", false),
        ("", "", false), ("READY", "", false), ("READY=1\nBARRIER=1", "READY=1\nMAINPID=7", true),
    ])
    func mainPIDIsAddedWhenTheServiceIsReady(text: String, expected: String, isReady: Bool) {
        let message = Notification(Array(text.utf8), pid: 7)
        #expect(String(decoding: message.bytes, as: UTF8.self) == expected)
        #expect(message.isReady == isReady && !message.isBarrier)
    }

    @Test func withoutAMainPIDReadinessGoesOnAlone() {
        let message = Notification(Array("READY=1\nMAINPID=1\nSTATUS=up".utf8), pid: nil)
        #expect(String(decoding: message.bytes, as: UTF8.self) == "READY=1\nSTATUS=up" && message.isReady)
    }

    @Test func aBarrierIsNoReadiness() {
        let message = Notification(Array("BARRIER=1".utf8), pid: 7)
        #expect(message.isBarrier && !message.isReady)
    }
}
