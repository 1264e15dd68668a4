import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct SeccompNamesTests {
    private func findings(
        _ name: String, _ action: SeccompAction, default defaultAction: SeccompAction
    ) -> [String] {
        var findings = Findings()
        SeccompNames.check(
            Seccomp(defaultAction: defaultAction, syscalls: [SeccompRule(names: [name], action: action)]), &findings)
        #expect(findings.errorLines == [])
        return findings.warningLines
    }

    /// A name that a libseccomp of any age may or may not know: where it does, there is nothing to say.
    private static let newest = "file_setattr"
    private static let isKnown = SeccompLibrary.number(newest) != nil

    @Test(
        arguments: [
            (.allow, .errno), (.allow, .killProcess), (.log, .errno), (.errno, .killProcess), (.kill, .errno),
            (.allow, .allow),
        ] as [(SeccompAction, SeccompAction)])
    func aNewerCallMayBeRefused(action: SeccompAction, defaultAction: SeccompAction) {
        #expect(findings(Self.newest, action, default: defaultAction) == [])
    }

    @Test(
        arguments: [
            (.errno, .allow), (.killProcess, .allow), (.trap, .log), (.errno, .notify), (.notify, .errno),
            (.trace, .allow),
        ] as [(SeccompAction, SeccompAction)])
    func aRuleThatIsMissedIsAWarning(action: SeccompAction, defaultAction: SeccompAction) {
        let line =
            "linux.seccomp.syscalls[0].names[0]: libseccomp \(SeccompLibrary.version) is older than the system call \"file_setattr\": \(action.rawValue) is not in force for it, but \(defaultAction.rawValue)"
        #expect(findings(Self.newest, action, default: defaultAction) == (Self.isKnown ? [] : [line]))
    }

    @Test func aMisspeltNameIsAWarningWithTheNearest() {
        for (name, nearest) in [("openatt", "openat"), ("file_setatr", "file_setattr")] {
            let lines = findings(name, .allow, default: .errno)
            #expect(lines.count == 1 && lines[0].contains("; did you mean \"\(nearest)\"?"), "\(lines)")
        }
        #expect(findings("frobnicate", .allow, default: .errno).count == 1)
    }
}
