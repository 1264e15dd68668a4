import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct ServicePlanTests {
    private func read(
        _ annotations: [(String, String)], flags: [(ServiceSetting, String)] = [], terminal: Bool = false
    ) -> (plan: ServiceSettings?, findings: Findings) {
        let spec = Spec(
            ociVersion: "1.3.0", process: process { $0.terminal = terminal }, root: Root(path: "rootfs"),
            annotations: annotations.map { KeyValue(key: $0.0, value: $0.1) })
        return plan {
            ServicePlan.read(
                spec, choices: flags.map { ServiceChoice($0.0, $0.1) }, bundle: "/bundle", folder: "/here",
                findings: &$0)
        }
    }

    private func value(_ setting: ServiceSetting, _ text: String) -> ServiceSettings? {
        var settings = ServiceSettings()
        return settings.set(setting, text, folder: "/bundle") ? settings : nil
    }

    @Test func withoutSettingsThereIsNoService() {
        #expect(read([("org.example", "x"), ("org.runbox.servicex", "y")]).plan == nil)
        #expect(read([("org.runbox.service.restart", "no")]).plan != nil)
        #expect(read([], flags: [(.restart, "no")]).plan != nil)
    }

    @Test(
        arguments: [
            ("no", .no), ("always", .always), ("on-failure", .onFailure(limit: nil)),
            ("on-failure:3", .onFailure(limit: 3)), ("on-failure:0", .onFailure(limit: nil)), ("sometimes", nil),
            ("", nil), ("on-failure:", nil), ("on-failure:-1", nil), ("on-failure:x", nil), ("Always", nil),
            ("always ", nil), ("always:3", nil),
        ] as [(String, RestartPolicy?)])
    func policies(text: String, expected: RestartPolicy?) {
        #expect(value(.restart, text)?.restart == expected)
    }

    @Test(
        arguments: [
            ("100ms..1m", 100, 60_000), ("5s", 5000, 60_000), ("2m", 120_000, 120_000), ("0s..0s", 0, 0),
            ("1..2", 1000, 2000),
            ("0.5..1.5", 500, 1500), ("1m..1s", nil, nil), ("..1m", nil, nil), ("1s..", nil, nil),
            ("1s...2s", nil, nil),
            ("1s-2s", nil, nil), ("", nil, nil), ("-1s", nil, nil), ("1000000h", nil, nil),
        ] as [(String, Int64?, Int64?)])
    func delays(text: String, shortest: Int64?, longest: Int64?) {
        let delay = value(.restartDelay, text)?.restartDelay
        #expect(delay?.shortest == shortest && delay?.longest == longest)
    }

    @Test(
        arguments: [
            ("5/10s", 5, 10_000), ("1/1h", 1, 3_600_000), ("0/1s", nil, nil), ("5/0s", nil, nil), ("5", nil, nil),
            ("5/", nil, nil), ("/10s", nil, nil), ("5/10s/2", nil, nil), ("10001/1s", nil, nil), ("-5/1s", nil, nil),
        ] as [(String, Int?, Int64?)])
    func limits(text: String, count: Int?, window: Int64?) {
        let limit = value(.startLimit, text)?.startLimit
        #expect(limit?.count == count && limit?.window == window)
    }

    @Test(
        arguments: [
            ("2", [2...2]), ("2,64-78", [2...2, 64...78]), ("0-255", [0...255]), ("256", nil), ("-1", nil),
            ("5-2", nil),
            ("1,,2", nil), ("", nil), ("1-2-3", nil), ("a", nil), ("1, 2", nil),
        ] as [(String, [ClosedRange<Int32>]?)])
    func codes(text: String, ranges: [ClosedRange<Int32>]?) {
        #expect(value(.noRestartCodes, text)?.noRestartCodes.ranges == ranges)
    }

    @Test(
        arguments: [
            ("curl -f localhost", ["/bin/sh", "-c", "curl -f localhost"]),
            ("[ -f /x ]", ["/bin/sh", "-c", "[ -f /x ]"]),
            (#"[ "$a" = b ]"#, ["/bin/sh", "-c", #"[ "$a" = b ]"#]),
            (#"["/bin/check", "a b"]"#, ["/bin/check", "a b"]),
            (#"[ "/bin/check" ]"#, ["/bin/check"]), (#"["/bin/check", ]"#, nil), (#"["/bin/check", 1]"#, nil),
            ("[]", nil),
            (#"[""]"#, nil), ("", nil), ("  ", nil), (#"["a\u0000"]"#, nil), ("a\u{0}b", nil),
        ] as [(String, [String]?)])
    func healthCommands(text: String, words: [String]?) {
        #expect(value(.healthCommand, text)?.health?.command == words)
    }

    @Test func everyOtherSettingHasItsValues() {
        #expect(value(.restartReset, "1m")?.restartReset == 60_000)
        #expect(value(.healthInterval, "1s")?.health?.interval == 1000 && value(.healthInterval, "0") == nil)
        #expect(value(.healthTimeout, "250ms")?.health?.timeout == 250 && value(.healthTimeout, "soon") == nil)
        #expect(value(.healthRetries, "1")?.health?.retries == 1 && value(.healthRetries, "0") == nil)
        #expect(value(.healthStartPeriod, "0")?.health?.startPeriod == 0)
        #expect(value(.healthAction, "stop")?.health?.action == .stop && value(.healthAction, "kill") == nil)
        #expect(value(.ready, "notify")?.ready == .notify && value(.ready, "now") == nil)
        #expect(value(.watchdog, "30s")?.watchdog == 30_000 && value(.watchdog, "0s") == nil)
        #expect(value(.log, "journal")?.log.target == .journal && value(.log, "none") == nil)
        #expect(value(.logPath, "a.log")?.log.path == "/bundle/a.log" && value(.logPath, "/a/") == nil)
        #expect(value(.logSize, "1m")?.log.size == 1 << 20 && value(.logSize, "100") == nil)
        #expect(value(.logFiles, "2")?.log.files == 2 && value(.logFiles, "0") == nil)
        #expect(value(.logCompress, "true")?.log.compresses == true && value(.logCompress, "maybe") == nil)
        #expect(value(.stopSignal, "SIGINT")?.stopSignal == .interrupt && value(.stopSignal, "0") == nil)
        #expect(value(.stopTimeout, "1.5")?.stopTimeout == 1500 && value(.stopTimeout, "1 s") == nil)
        #expect(value(.reloadSignal, "TERM")?.reloadSignal == .terminate && value(.reloadSignal, "FOO") == nil)
        #expect(value(.listen, "unix:/a unix:/b")?.listen.count == 2 && value(.listen, " ") == nil)
        #expect(value(.onDemand, "true")?.startsOnDemand == true && value(.onDemand, "") == nil)
        #expect(value(.idle, "5m")?.idle == 300_000)
        #expect(value(.leftover, "end")?.leftover == .end && value(.leftover, "keep") == nil)
    }

    @Test func readinessFollowsFromTheHealthCheck() {
        #expect(ServiceSettings().ready == .start)
        #expect(value(.healthCommand, "true")?.ready == .healthy)
        #expect(read([], flags: [(.healthCommand, "true"), (.ready, "start")]).plan?.ready == .start)
    }

    @Test func flagsCountInsteadOfAnnotations() {
        let settings = read(
            [
                ("org.runbox.service.restart", "always"), ("org.runbox.service.stop-timeout", "1s"),
                ("org.runbox.service.listen", "unix:/a unix:b"),
            ], flags: [(.restart, "no"), (.listen, "unix:c"), (.listen, "unix:/d")])
        #expect(settings.plan?.restart == .no && settings.plan?.stopTimeout == 1000)
        #expect(settings.plan?.listen.map(\.place) == [.unix("/here/c"), .unix("/d")])
        #expect(settings.findings.errorLines == [])
    }

    @Test func mistakesNameTheirField() {
        let findings = read([("org.runbox.service.restart", "sometimes"), ("org.runbox.service.restrat", "no")])
            .findings
        #expect(
            findings.errorLines == [
                "annotations[\"org.runbox.service.restart\"]: invalid value \"sometimes\": no, on-failure, on-failure:N or always"
            ])
        #expect(findings.warningLines.count == 1)
        #expect(findings.warningLines.first?.contains("did you mean org.runbox.service.restart?") == true)
        #expect(read([], flags: [(.idle, "5m")]).findings.errorLines.first?.hasPrefix("--idle: ") == true)
    }

    @Test(
        arguments: [
            ([("on-demand", "true")], 1), ([("on-demand", "true"), ("listen", "unix:/a")], 0), ([("idle", "1m")], 1),
            ([("health-retries", "3")], 1), ([("ready", "healthy")], 1),
            ([("health-cmd", "x"), ("health-retries", "3")], 0),
            ([("idle", "1m"), ("on-demand", "true"), ("listen", "unix:/a")], 0), ([("on-demand", "false")], 0),
        ] as [([(String, String)], Int)])
    func settingsNeedEachOther(settings: [(String, String)], errors: Int) {
        let found = read(settings.map { ("org.runbox.service.\($0.0)", $0.1) }).findings
        #expect(found.errorLines.count == errors, "\(found.errorLines)")
        #expect(found.warningLines == [])
    }

    @Test(
        arguments: [
            [("start-limit", "5/10s")], [("no-restart-codes", "2")], [("log", "journal"), ("log-size", "1m")],
            [("restart", "no"), ("restart-delay", "1s")],
        ] as [[(String, String)]])
    func whatHasNoEffectIsSaid(settings: [(String, String)]) {
        let found = read(settings.map { ("org.runbox.service.\($0.0)", $0.1) }).findings
        #expect(found.errorLines == [] && found.warningLines.count == 1)
    }

    @Test func aServiceHasNoTerminal() {
        #expect(read([("org.runbox.service.restart", "no")], terminal: true).findings.errorLines.count == 1)
        #expect(read([], terminal: true).findings.errorLines == [])
    }

    @Test func createDoesNotKeepItRunning() {
        let spec = Spec(
            ociVersion: "1.3.0", process: process(), root: Root(path: "rootfs"),
            annotations: [KeyValue(key: "org.runbox.service.restart", value: "sometimes")])
        var findings = Findings()
        ServicePlan.check(spec, choices: [], bundle: "/b", folder: "/", isRun: false, findings: &findings)
        #expect(findings.errorLines == [] && findings.warningLines.count == 1)
        ServicePlan.check(spec, choices: [], bundle: "/b", folder: "/", isRun: true, findings: &findings)
        #expect(findings.errorLines.count == 1)
    }
}
