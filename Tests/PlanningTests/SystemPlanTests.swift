import Errors
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(
    hostname: String? = nil, domainname: String? = nil, linux: Linux = Linux(), _ names: NamespacePlan
) -> (plan: SystemPlan, findings: Findings) {
    let spec = Spec(
        ociVersion: "1.3.0", root: Root(path: "r"), hostname: hostname, domainname: domainname, linux: linux)
    return plan { SystemPlan(spec, namespaces: names, findings: &$0) }
}

@Suite struct SystemPlanTests {
    // MARK: Names

    private static let needsUTS = "needs a UTS namespace; add {\"type\": \"uts\"} to linux.namespaces"
    private static let long = String(repeating: "a", count: 65)

    @Test(
        arguments: [
            ("box", nil, []), ("", nil, []), (nil, "", []), (nil, "site", []),
            (String(long.dropLast()), String(long.dropLast()), []),
            (long, nil, ["hostname: is longer than the kernel's 64 bytes"]),
            ("a", long, ["domainname: is longer than the kernel's 64 bytes"]),
            (String(repeating: "\u{e9}", count: 33), nil, ["hostname: is longer than the kernel's 64 bytes"]),
        ] as [(String?, String?, [String])])
    func namesFitTheKernel(hostname: String?, domainname: String?, lines: [String]) {
        let (plan, findings) = read(hostname: hostname, domainname: domainname, namespaces(.uts))
        #expect(findings.errorLines == lines)
        #expect(plan.hostname == hostname)
        #expect(plan.domainname == domainname)
    }

    @Test(
        arguments: [
            ("box", nil, ["hostname: \(needsUTS)"]), (nil, "site", ["domainname: \(needsUTS)"]), ("", "", []),
            ("a", "b", ["hostname: \(needsUTS)", "domainname: \(needsUTS)"]), (nil, nil, []),
        ] as [(String?, String?, [String])])
    func namesNeedTheirNamespace(hostname: String?, domainname: String?, lines: [String]) {
        #expect(read(hostname: hostname, domainname: domainname, namespaces(.pid)).findings.errorLines == lines)
        let joined = read(hostname: hostname, domainname: domainname, namespaces(joined: [.uts]))
        #expect(joined.findings.errorLines == [])
    }

    // MARK: Kernel parameters

    /// The first separator decides which one it is, sysctl(8).
    @Test(arguments: [
        ("kernel.msgmax", "kernel/msgmax"), ("kernel/msgmax", "kernel/msgmax"),
        ("net.ipv4.ip_forward", "net/ipv4/ip_forward"), ("net/ipv4/ip_forward", "net/ipv4/ip_forward"),
        ("net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding"),
        ("net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding"), ("x", "x"), ("", ""),
    ])
    func theFirstSeparatorDecides(key: String, path: String) {
        #expect(SystemPlan.path(key) == path)
    }

    struct Parameter: Sendable, CustomTestStringConvertible {
        let key: String
        /// The namespace without which it is refused.
        let type: NamespaceType
        let words: String
        var testDescription: String { key }
    }

    private static func parameters(_ keys: [String], _ type: NamespaceType, _ words: String) -> [Parameter] {
        keys.map {
            Parameter(key: $0, type: type, words: "is not allowed without \(words) namespace of the container's own")
        }
    }

    static let parameters: [Parameter] =
        parameters(
            [
                "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
                "kernel.shmmni", "kernel.shm_rmid_forced", "kernel/sem", "fs.mqueue.queues_max", "fs/mqueue/msg_max",
            ], .ipc, "an ipc")
        + parameters(
            ["net.core.somaxconn", "net/ipv4/ip_forward", "net.ipv4.conf.eth0/1.forwarding"], .network, "a network")
        + parameters(["user.max_user_namespaces"], .user, "a user")
        + parameters(["kernel.domainname", "kernel/domainname"], .uts, "a uts")

    @Test(arguments: parameters)
    func parametersNeedTheirNamespace(parameter: Parameter) {
        let linux = Linux(sysctl: [KeyValue(key: parameter.key, value: "1")])
        let own = read(linux: linux, namespaces(parameter.type))
        #expect(own.findings.errorLines == [])
        #expect(own.plan.sysctls.map(\.value) == ["1"])
        #expect(own.plan.sysctls.map(\.key) == [parameter.key])
        #expect(read(linux: linux, namespaces(joined: [parameter.type])).findings.errorLines == [])
        let others = NamespaceType.allCases.filter { $0 != parameter.type }
        let without = read(linux: linux, namespaces(joined: others))
        let line = "linux.sysctl[\"\(parameter.key)\"]: \(parameter.words)"
        #expect(without.findings.errorLines == [line])
    }

    private static let whole = "is not namespaced: it would change the whole host"
    private static let nameless = "is not the name of a kernel parameter"

    @Test(arguments: [
        ("kernel.hostname", "must be set by the field hostname"),
        ("kernel/hostname", "must be set by the field hostname"),
        ("kernel.core_pattern", whole), ("kernel.panic", whole), ("vm.swappiness", whole), ("fs.file-max", whole),
        ("kernel.shmmaxx", whole), ("kernel.msg_next_id", whole), ("fs.mqueue", whole), ("net", whole), ("user", whole),
        ("kernel", whole), ("network.x", whole), ("", nameless), (".", nameless), ("/", nameless),
        ("net..ipv4", nameless), ("net//ipv4", nameless), ("/net/ipv4/x", nameless), (".net.ipv4.x", nameless),
        ("net/ipv4/", nameless), ("net.ipv4.", nameless), ("net/../kernel/core_pattern", nameless),
        ("net/ipv4/..", nameless), ("net/./core", nameless), ("net.//.kernel.core_pattern", nameless), ("..", nameless),
    ])
    func parametersOfTheHostAreRefused(key: String, reason: String) {
        let linux = Linux(sysctl: [KeyValue(key: key, value: "1")])
        let names = namespaces(joined: NamespaceType.allCases)
        #expect(read(linux: linux, names).findings.errorLines == ["linux.sysctl[\"\(key)\"]: \(reason)"])
    }

    @Test(
        arguments: [
            (nil, "site", []), ("site", "site", []),
            ("site", "other", ["linux.sysctl[\"kernel.domainname\"]: contradicts domainname \"site\""]),
        ] as [(String?, String, [String])])
    func theDomainnameIsSetOnce(field: String?, value: String, lines: [String]) {
        let linux = Linux(sysctl: [KeyValue(key: "kernel.domainname", value: value)])
        #expect(read(domainname: field, linux: linux, namespaces(.uts)).findings.errorLines == lines)
    }

    @Test func parametersKeepTheirOrder() {
        let linux = Linux(sysctl: [
            KeyValue(key: "net.b", value: "2"), KeyValue(key: "kernel.sem", value: "1 2 3 4"),
            KeyValue(key: "net.a", value: ""),
        ])
        let plan = read(linux: linux, namespaces(.network, .ipc)).plan
        #expect(plan.sysctls.map(\.path) == ["net/b", "kernel/sem", "net/a"])
        #expect(plan.sysctls.map(\.value) == ["2", "1 2 3 4", ""])
    }

    // MARK: Execution domain

    /// PER_LINUX and PER_LINUX32 of sys/personality.h.
    @Test(arguments: [(nil, nil), (.linux, 0), (.linux32, 8)] as [(PersonalityDomain?, UInt?)])
    func everyPersonalityHasTheKernelsNumber(domain: PersonalityDomain?, number: UInt?) {
        let (plan, findings) = read(linux: Linux(personality: domain.map { Personality(domain: $0) }), namespaces())
        #expect(findings.errorLines == [])
        #expect(plan.personality == number)
    }

    @Test func personalityFlagsAreRefused() {
        let linux = Linux(personality: Personality(domain: .linux, flags: ["X"]))
        let (_, findings) = read(linux: linux, namespaces())
        #expect(findings.errorLines == ["linux.personality.flags: no flag is defined by the specification"])
        let none = Linux(personality: Personality(domain: .linux, flags: []))
        #expect(read(linux: none, namespaces()).findings.errorLines == [])
    }
}
