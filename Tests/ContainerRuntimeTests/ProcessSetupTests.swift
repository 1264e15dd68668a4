import Errors
import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime
@testable import Planning

private func read(_ change: (inout OCISpec.Process) -> Void) -> (plan: ProcessPlan, findings: Findings) {
    plan { ProcessPlan(process(change), namespaces: namespaces(), findings: &$0) }
}

@Suite struct ProcessSetupTests {
    @Test(
        arguments: [
            (0, "/root"), (1000, "/home/a"), (1001, "/"), (1002, "/"), (1003, "/"), (1004, "/first"), (1005, "/"),
            (1006, "/home/with blank"), (4_294_967_294, "/nobody"), (77, "/"), (1007, "/no-shell"), (1008, "/"),
        ] as [(UInt32, String)])
    func theHomeIsReadFromPasswd(user: UInt32, home: String) {
        let passwd = """
            root:x:0:0:root:/root:/bin/sh
            # comment: with: many: fields: 77: /comment :
            a:x:1000:1000:::/tmp
            a:x:1000:1000::/home/a:/bin/sh
            empty:x:1001:1001:::/bin/sh
            short:x:1002:1002

            spaced: x: 1003:1003::/spaced:/bin/sh
            one:x:1004:1004::/first:/bin/sh
            two:x:1004:1004::/second:/bin/sh
            neg:x:-1:0::/minus:
            blank:x:1006:1:gecos:/home/with blank:/bin/sh
            :::::
            nobody:x:4294967294:0::/nobody:
            big:x:4294968303:0::/wrapped:
            noshell:x:1007:7::/no-shell
            """
        // The first line for 1000 has an empty home, and the first line counts.
        #expect(ProcessSetup.home(of: user, passwd: Array(passwd.utf8)) == (user == 1000 ? "/" : home))
    }

    @Test(arguments: ["", "\n\n", "::", "\u{0}", ":x:0"])
    func withoutALineTheHomeIsTheRoot(passwd: String) {
        #expect(ProcessSetup.home(of: 0, passwd: Array(passwd.utf8)) == "/")
    }

    @Test func bytesThatAreNoTextAreNoHome() {
        let passwd = [0xff, 0xfe, 0x3a, 0x0a] + Array("r:x:0:0::/root:/bin/sh".utf8)
        #expect(ProcessSetup.home(of: 0, passwd: passwd) == "/root")
    }

    @Test func aHomeThatIsSetIsKept() {
        let plan = read { $0.env = ["A=1", "HOME=/h", "B=2"] }.plan
        #expect(ProcessSetup.environment(plan, activation: 0) == ["A=1", "HOME=/h", "B=2"])
    }

    @Test(arguments: [["A=1", "HOME=", "B=2"], ["A=1", "B=2"]])
    func aHomeThatIsMissingOrEmptyIsAdded(entries: [String]) {
        let plan = read {
            $0.env = entries
            $0.user = User(uid: 4_000_000_123, gid: 0)
        }.plan
        #expect(ProcessSetup.environment(plan, activation: 0) == ["A=1", "B=2", "HOME=/"])
    }

    /// sd_listen_fds(3): whatever the configuration says of them is not about these descriptors.
    @Test func socketActivationCountsItsOwnDescriptors() {
        let plan = read { $0.env = ["HOME=/h", "LISTEN_FDS=9", "LISTEN_PID=77", "LISTEN_FDS_X=1"] }.plan
        #expect(
            ProcessSetup.environment(plan, activation: 2) == ["HOME=/h", "LISTEN_FDS_X=1", "LISTEN_FDS=2"],
            "the number is added by the process that it is of")
        #expect(ProcessSetup.environment(plan, activation: 1, names: "web").contains("LISTEN_FDNAMES=web"))
        #expect(ProcessSetup.environment(plan, activation: 0) == plan.environment)
    }

    /// The program is laid out by the process that becomes it, and found out of by one that may be another.
    @Test(arguments: [0, 2])
    func socketActivationNamesTheProcessOfItsDescriptors(descriptors: Int) {
        let spec = Spec(ociVersion: "1.0.0")
        var findings = Findings()
        let namespaces = NamespacePlan(spec, findings: &findings)
        let payload = Payload(
            process: read { $0.args = ["/bin/x", "y"] }.plan, capabilities: ProcessCapabilities(),
            noNewPrivileges: true, memoryPolicy: nil,
            system: SystemPlan(spec, namespaces: namespaces, findings: &findings),
            setsOwnLimits: true, activationDescriptors: descriptors, inheritedDescriptors: [])
        let prepared = payload.layOut(Payload.ResolvedProgram(path: "/bin/x", environment: ["A=1", "LISTEN_PID=1"]))
        let own = "LISTEN_PID=\(Processes.currentID)"
        #expect(prepared.environment == (descriptors == 0 ? ["A=1", "LISTEN_PID=1"] : ["A=1", own]))
        #expect(prepared.path == "/bin/x")
        #expect(prepared.name == "/bin/x")
    }
}
