internal import KernelTypes
internal import Planning

/// The calls of a profile whose answer depends on their number alone, nearly all, as a search tree by number.
///
/// libseccomp compiles the others. It takes ten milliseconds for the hundreds of calls of a usual profile, because what
/// it does for each grows with their number, and compares a call with one after the other where a tree looks at nine.
struct SeccompTree {
    /// The numbers from here up to the next run have one answer; nil leaves them to the program behind the tree.
    struct Run: Equatable {
        let first: UInt32
        let answer: UInt32?
    }

    /// For each architecture, as the kernel names it (AUDIT_ARCH_*).
    private let trees: [(architecture: UInt32, runs: [Run])]
    /// The rules, with their names, that the tree does not decide.
    let rest: [(rule: SeccompPlan.Rule, name: String)]

    init(_ plan: SeccompPlan, _ calls: SeccompCalls) {
        let answers = Self.answers(plan, calls)
        let isClear = calls.sameNumbers.allSatisfy { answers[$0.first] == answers[$0.second] }
        trees = isClear ? calls.numbers.map { ($0.architecture, Self.runs($0.calls, answers)) } : []
        rest = plan.rules.flatMap { rule in
            rule.names.filter { !isClear || answers[calls.index(of: $0)] == nil }.map { (rule, $0) }
        }
    }

    /// The answer of each name that stands in rules without conditions only, always with the same answer.
    private static func answers(_ plan: SeccompPlan, _ calls: SeccompCalls) -> [UInt32?] {
        var answers = [UInt32?](repeating: nil, count: calls.names.count)
        var isLeft = calls.names.map { multiplexed.contains($0) }
        for rule in plan.rules {
            for name in rule.names {
                let index = calls.index(of: name)
                let isOther = (answers[index] ?? rule.verdict.word) != rule.verdict.word
                if !rule.comparisons.isEmpty || isOther { isLeft[index] = true }
                answers[index] = rule.verdict.word
            }
        }
        for index in answers.indices where isLeft[index] { answers[index] = nil }
        return answers
    }

    /// - Parameter calls: in the order of their numbers.
    private static func runs(_ calls: [SeccompCalls.Call], _ answers: [UInt32?]) -> [Run] {
        var runs: [Run] = []
        var next: UInt32 = 0
        for call in calls {
            guard let answer = answers[call.name] else { continue }
            if call.number > next { runs.append(Run(first: next, answer: nil)) }
            if runs.last?.answer != answer { runs.append(Run(first: call.number, answer: answer)) }
            // The number -1 is no call's: libseccomp's numbers are not negative.
            next = call.number + 1
        }
        return runs + [Run(first: next, answer: nil)]
    }

    /// Calls that older kernels of some architectures make through `socketcall` and `ipc`, whose rules libseccomp
    /// writes for both ways; socketcall(2), ipc(2).
    private static let multiplexed = [
        "socketcall", "socket", "bind", "connect", "listen", "accept", "getsockname", "getpeername", "socketpair",
        "send", "recv", "sendto", "recvfrom", "shutdown", "setsockopt", "getsockopt", "sendmsg", "recvmsg", "accept4",
        "recvmmsg", "sendmmsg", "ipc", "semop", "semget", "semctl", "semtimedop", "msgsnd", "msgrcv", "msgget",
        "msgctl", "shmat", "shmdt", "shmget", "shmctl",
    ]

    // MARK: The program

    /// What comes before the program of ``rest``, which answers every call that this one does not.
    var instructions: [SeccompInstruction] {
        trees.flatMap { architecture, runs in
            let tree = Self.tree(runs[...])
            return [.loadArchitecture, .jump(ifEqual: architecture, 1, else: 0), .jump(tree.count + 1), .loadNumber]
                + tree
        }
    }

    private static func tree(_ runs: ArraySlice<Run>) -> [SeccompInstruction] {
        var code = Self.search(runs)
        // Where a run has no answer, the end of the tree is the way on.
        for index in code.indices where code[index] == way { code[index] = .jump(code.count - index - 1) }
        return code
    }

    /// Stands for the way on until the length of the tree is known.
    private static let way = SeccompInstruction.jump(Int(UInt32.max))

    private static func search(_ runs: ArraySlice<Run>) -> [SeccompInstruction] {
        guard let first = runs.first else { return [] }
        guard runs.count > 1 else { return [first.answer.map { .answer($0) } ?? way] }
        let middle = runs.startIndex + runs.count / 2
        let below = search(runs[..<middle])
        let above = search(runs[middle...])
        let number = runs[middle].first
        if let distance = UInt8(exactly: below.count) {
            return [.jump(ifAtLeast: number, distance, else: 0)] + below + above
        }
        return [.jump(ifAtLeast: number, 0, else: 1), .jump(below.count)] + below + above
    }
}
