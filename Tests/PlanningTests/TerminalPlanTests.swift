import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct TerminalPlanTests {
    struct TerminalCase: Sendable, CustomTestStringConvertible {
        var terminal: Bool?
        var mode = LaunchMode.run
        var detach = false
        var socket: String?
        var line: String?
        var testDescription: String {
            "terminal \(terminal as Bool?), \(mode), detach \(detach), socket \(socket ?? "-")"
        }
    }

    private static let needsSocket =
        "process.terminal: cannot allocate tty if runbox will detach without setting console socket; set process.terminal to false, or give --console-socket"
    private static let needsTerminal =
        "process.terminal: cannot use console socket if runbox will not detach or allocate tty; leave --console-socket out, or ask for a terminal"

    @Test(arguments: [
        TerminalCase(), TerminalCase(terminal: false), TerminalCase(terminal: false, mode: .create),
        TerminalCase(terminal: false, detach: true), TerminalCase(terminal: true),
        TerminalCase(terminal: true, mode: .create, socket: "/s"),
        TerminalCase(terminal: true, detach: true, socket: "/s"),
        TerminalCase(terminal: true, socket: "/s"),
        TerminalCase(terminal: true, mode: .create, line: needsSocket),
        TerminalCase(terminal: true, detach: true, line: needsSocket),
        TerminalCase(terminal: false, socket: "/s", line: needsTerminal),
        TerminalCase(mode: .create, socket: "/s", line: needsTerminal),
        TerminalCase(terminal: false, detach: true, socket: "/s", line: needsTerminal),
    ])
    func somebodyMustTakeTheTerminal(terminal: TerminalCase) {
        var options = LaunchOptions()
        options.detach = terminal.detach
        options.consoleSocket = terminal.socket
        let process = process { $0.terminal = terminal.terminal }
        let (plan, findings) = plan { TerminalPlan(process, options: options, mode: terminal.mode, findings: &$0) }
        #expect(findings.errorLines == [terminal.line].compactMap { $0 })
        #expect((plan != nil) == (terminal.terminal == true))
        #expect(plan?.socket == (terminal.terminal == true ? terminal.socket : nil))
    }

    @Test(
        arguments: [
            (nil, nil), (ConsoleSize(height: 24, width: 80), WindowSize(rows: 24, columns: 80)),
            (ConsoleSize(height: 0, width: 70_000), WindowSize(rows: 0, columns: 65535)),
        ] as [(ConsoleSize?, WindowSize?)])
    func theSizeIsTakenOver(written: ConsoleSize?, size: WindowSize?) throws {
        let process = process {
            $0.terminal = true
            $0.consoleSize = written
        }
        let made = plan { TerminalPlan(process, options: LaunchOptions(), mode: .run, findings: &$0) }.plan
        #expect(try #require(made).size == size)
    }

    @Test func withoutAProcessThereIsNoTerminal() {
        let (plan, findings) = plan { TerminalPlan(nil, options: LaunchOptions(), mode: .create, findings: &$0) }
        #expect(plan == nil)
        #expect(findings.errorLines == [])
    }
}
