internal import CgroupPlanning
import Glibc
import OCISpec
internal import Planning

/// Random configurations for the planner: it must never crash, and never plan what the configuration does not ask for.
enum PlanFuzz {
    private static let configurationsARound = 512

    /// How many configurations were planned, and how many of these without a mistake: only those would become
    /// containers.
    nonisolated(unsafe) static var planned = 0
    nonisolated(unsafe) static var clean = 0

    /// Runs one round: a few hundred configurations that follow from the seed.
    static func round(seed: UInt64) {
        var random = Random(seed: seed)
        for _ in 0..<configurationsARound {
            let text = ConfigShape.configuration.write(&random)
            guard let spec = SpecDocument(bytes: Array(text.utf8), file: "fuzz").spec else { continue }
            let isRun = random.below(2) == 0
            let options = launchOptions(&random, isRun: isRun)
            let facts = PlanFacts(spec, bundle: "/bundle", options: options, isRun: isRun)
            var findings = FuzzResult(isClean: facts.errors.isEmpty)
            PlanPromises.check(facts, spec, options, &findings)
            let exec = execOptions(&random)
            ExecPromises.check(PlanFacts(spec, exec: exec), spec, exec, &findings)
            report(findings, seed, text)
            planned += 1
            clean += facts.errors.isEmpty ? 1 : 0
        }
    }

    /// A fuzzer whose configurations are all refused shows nothing.
    static func checkThatItShowsSomething() {
        if planned > 2000, clean * 20 < planned {
            complain("only \(clean) of \(planned) configurations were planned without a mistake: see ConfigShape.swift")
            exit(1)
        }
    }

    private static func launchOptions(_ random: inout Random, isRun: Bool) -> LaunchOptions {
        var options = LaunchOptions()
        options.detach = random.below(4) == 0
        options.pivotRoot = random.below(4) != 0
        options.consoleSocket = random.below(4) == 0 ? "/run/console" : nil
        options.cgroupManager = random.below(4) == 0 ? .disabled : .cgroupfs
        return options
    }

    private static func execOptions(_ random: inout Random) -> ExecOptions {
        var options = ExecOptions()
        options.arguments = ["program", "argument"]
        options.environment = random.below(2) == 0 ? ["A=9", "NEW=1"] : []
        options.directory = random.below(2) == 0 ? "/elsewhere" : nil
        options.terminal = random.below(4) == 0
        options.consoleSocket = options.terminal ? "/run/console" : nil
        options.user = random.below(2) == 0 ? ExecOptions.User(random.below(2) == 0 ? "5" : "5:6") : nil
        options.additionalGroups = random.below(3) == 0 ? [7, 8] : []
        options.capabilities = random.below(3) == 0 ? ["CAP_NET_RAW", "CAP_KILL"] : []
        options.noNewPrivileges = random.below(3) == 0 ? true : nil
        return options
    }

    private static func report(_ findings: FuzzResult, _ seed: UInt64, _ text: String) {
        guard let broken = findings.broken.first else { return }
        complain("seed \(seed): the promise \"\(broken)\" is broken by:\n\(text)")
        exit(1)
    }
}

/// Promises that did not hold.
struct FuzzResult {
    /// Whether the plan has no mistakes, and would become a container.
    let isClean: Bool
    private(set) var broken: [String] = []

    init(isClean: Bool) { self.isClean = isClean }

    mutating func expect(_ holds: Bool, _ promise: String) {
        if !holds { broken.append(promise) }
    }

    /// Of plans without mistakes only: what is refused needs not be planned in full.
    mutating func expectOfClean(_ holds: @autoclosure () -> Bool, _ promise: String) {
        if isClean { expect(holds(), promise) }
    }
}
