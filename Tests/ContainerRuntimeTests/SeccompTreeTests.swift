import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime
@testable import Planning

/// The tree with what is left to libseccomp answers as libseccomp does alone.
@Suite(.needsX8664) struct SeccompTreeTests {
    private static func compile(
        _ plan: SeccompPlan, _ rules: [(rule: SeccompPlan.Rule, name: String)], after tree: [SeccompInstruction] = []
    ) throws -> ClassicBPF {
        let builder = try SeccompBuilder(defaultVerdict: plan.defaultVerdict)
        for architecture in plan.architectures { try builder.addArchitecture(architecture) }
        for (rule, name) in rules {
            guard let number = SeccompLibrary.number(name) else { continue }
            try builder.add(rule.verdict, call: number, where: rule.comparisons, name: name)
        }
        return ClassicBPF(program: tree.flatMap { $0.bytes } + (try builder.export()).bytes)
    }

    private static func check(_ seccomp: Seccomp, _ random: inout Random) throws -> SeccompTree {
        let (read, findings) = plan { SeccompPlan(seccomp, findings: &$0) }
        #expect(findings.errorLines == [])
        let plan = try #require(read)
        let tree = SeccompTree(plan, SeccompCalls(plan))
        let all = plan.rules.flatMap { rule in rule.names.map { (rule, $0) } }
        guard let alone = try? compile(plan, all) else {
            // Rules that libseccomp does not take together: the tree must not hide that.
            #expect(throws: (any Error).self) { try compile(plan, tree.rest, after: tree.instructions) }
            return tree
        }
        let both = try compile(plan, tree.rest, after: tree.instructions)
        for architecture in [Architecture.x8664, Architecture.x86, Architecture.aarch64] {
            for low in (0..<475 as Range<UInt32>) + [511, 547, 1000, 0x3fff_ffff] {
                for number in [low, low | 0x4000_0000, low | 0x8000_0000] {
                    let arguments = (0..<6).map { _ in random.next() % 4 == 0 ? random.next() : random.next() % 48 }
                    let call = SystemCall(number: number, architecture: architecture, arguments: arguments)
                    let (wanted, found) = (try alone.run(call), try both.run(call))
                    if wanted != found { Issue.record("\(architecture) \(number) \(arguments): \(wanted) \(found)") }
                }
            }
        }
        return tree
    }

    private static let architectures: [SeccompArchitecture] = [.x8664, .x86, .x32]

    @Test func aUsualProfileIsNearlyAllTree() throws {
        var random = Random(seed: 1)
        let names = SeccompLibrary.knownNames().filter { $0 != "clone" && $0 != "personality" }
        let condition = SeccompArgument(index: 0, value: 0x7e02_0000, valueTwo: 0, op: .maskedEqual)
        let tree = try Self.check(
            Seccomp(
                defaultAction: .errno, architectures: Self.architectures,
                syscalls: [
                    SeccompRule(names: names + ["stat64", "chown32", "no_such_call"], action: .allow),
                    SeccompRule(names: ["clone"], action: .allow, args: [condition]),
                    SeccompRule(names: ["clone3"], action: .errno, errnoRet: 38),
                ]), &random)
        // What stands twice with different answers, what has a condition, and socketcall's and ipc's family.
        #expect(tree.rest.count < 45)
        #expect(Set(tree.rest.map { $0.name }).isSuperset(of: ["clone", "clone3", "socket", "shmget"]))
        #expect(tree.instructions.count < 400)
    }

    @Test(arguments: 0..<24)
    func anyProfileIsAnsweredAsByLibseccompAlone(seed: Int) throws {
        var random = Random(seed: UInt64(seed) &* 7919 &+ 3)
        let names = SeccompLibrary.knownNames() + ["stat64", "chown32", "socketcall", "ipc", "fcntl64", "no_such_call"]
        let actions: [SeccompAction] = [.allow, .errno, .log, .killProcess, .trap, .trace]
        let rules = (0..<random.next() % 30).map { _ in
            let chosen = (0..<1 + random.next() % 40).map { _ in names[Int(random.next() % UInt64(names.count))] }
            let conditions = (0..<(random.next() % 4 == 0 ? 1 + random.next() % 2 : 0)).map { index in
                SeccompArgument(
                    index: UInt32(index), value: random.next() % 48, valueTwo: random.next() % 48,
                    op: [.equal, .notEqual, .less, .greater, .maskedEqual][Int(random.next() % 5)])
            }
            return SeccompRule(
                names: chosen, action: actions[Int(random.next() % UInt64(actions.count))], args: conditions)
        }
        let seccomp = Seccomp(
            defaultAction: actions[Int(random.next() % 3)],
            architectures: Array(Self.architectures.prefix(Int(random.next() % 4))), syscalls: rules)
        _ = try Self.check(seccomp, &random)
    }

    @Test func theFirstAndTheNextNumbersAreRuns() throws {
        var random = Random(seed: 5)
        for names in [["read"], ["read", "write"], ["write"], ["read", "open"], []] {
            let rule = SeccompRule(names: names, action: .errno, errnoRet: 7)
            _ = try Self.check(Seccomp(defaultAction: .allow, syscalls: names.isEmpty ? [] : [rule]), &random)
        }
    }
}

/// SplitMix64: the same profiles in every run.
private struct Random {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}
