import CgroupPlanning
import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

/// Every field under `process` is planned: without it the plan of the container, or of `exec`, is another one.
@Suite struct ProcessFieldTests {
    /// Each field with the way to take it out.
    private static let fields: [(name: String, remove: @Sendable (inout Process) -> Void)] = [
        ("terminal", { $0.terminal = nil }), ("consoleSize", { $0.consoleSize = nil }),
        ("user", { $0.user = User(uid: 0, gid: 0) }), ("args", { $0.args = nil }), ("env", { $0.env = nil }),
        ("cwd", { $0.cwd = "/" }), ("capabilities", { $0.capabilities = nil }), ("rlimits", { $0.rlimits = nil }),
        ("noNewPrivileges", { $0.noNewPrivileges = nil }), ("apparmorProfile", { $0.apparmorProfile = nil }),
        ("oomScoreAdj", { $0.oomScoreAdj = nil }), ("scheduler", { $0.scheduler = nil }),
        ("selinuxLabel", { $0.selinuxLabel = nil }), ("ioPriority", { $0.ioPriority = nil }),
        ("execCPUAffinity", { $0.execCPUAffinity = nil }),
    ]

    private static let modules = SecurityModules(appArmor: true, seLinux: true)

    private func launch(_ process: Process) -> String {
        var machine = host
        machine.modules = Self.modules
        var findings = Findings()
        let spec = Spec(ociVersion: "1.3.0", process: process, root: Root(path: "rootfs"))
        let plan = LaunchPlan(
            spec, id: "box", bundle: "/b", options: LaunchOptions(), mode: .run, host: machine, findings: &findings)
        return "\(plan) \(findings)"
    }

    private func exec(_ process: Process) -> String {
        var findings = Findings()
        let plan = ExecPlan(
            process, in: Spec(ociVersion: "1.3.0"), bundle: "/b", options: ExecOptions(), modules: Self.modules,
            findings: &findings)
        return "\(plan) \(findings)"
    }

    @Test func everyFieldIsPlanned() {
        for field in Self.fields {
            var process = wholeProcess
            field.remove(&process)
            // It is no setting of the container's first process.
            if field.name != "execCPUAffinity" { #expect(launch(process) != launch(wholeProcess), "\(field.name)") }
            #expect(exec(process) != exec(wholeProcess), "\(field.name)")
        }
    }

    /// A field that is new in the specification has to stand above.
    @Test func everyFieldIsInTheseTests() {
        let names = Mirror(reflecting: wholeProcess).children.compactMap(\.label)
        #expect(Set(names) == Set(Self.fields.map(\.name)))
    }
}
