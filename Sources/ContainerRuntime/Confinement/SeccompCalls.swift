internal import KernelTypes
internal import Planning

/// The calls that a profile names, with their numbers on each of its architectures. libseccomp is asked once for each.
struct SeccompCalls {
    struct Call {
        let number: UInt32
        /// Which of ``names`` it is.
        let name: Int
    }

    let names: [String]
    /// For each architecture, as the kernel names it, in the order of the numbers. x32 shares its name with x86_64, and
    /// is told by a bit of the number.
    let numbers: [(architecture: UInt32, calls: [Call])]
    private let indices: [String: Int]

    init(_ plan: SeccompPlan) {
        var names: [String] = []
        var indices: [String: Int] = [:]
        for name in plan.names where indices[name] == nil {
            indices[name] = names.count
            names.append(name)
        }
        self.names = names
        self.indices = indices
        let shared = SeccompArchitectureToken(name: "x86_64")
        let x32 = SeccompArchitectureToken(name: "x32")
        var tokens: [SeccompArchitectureToken] = []
        for token in [.native] + plan.architectures where !tokens.contains(token) && token != x32 {
            tokens.append(token)
        }
        numbers = tokens.map { token in
            let hasX32 = token == shared && plan.architectures.contains { $0 == x32 }
            return (token.rawValue, Self.calls(names, [token] + (hasX32 ? [x32].compactMap { $0 } : [])))
        }
    }

    /// Sorted as whole numbers: a call's number, and its name below that.
    private static func calls(_ names: [String], _ tokens: [SeccompArchitectureToken]) -> [Call] {
        var packed: [UInt64] = []
        for token in tokens {
            for (index, name) in names.enumerated() {
                if let number = SeccompLibrary.number(name, on: token) {
                    packed.append(UInt64(number) << 32 | UInt64(index))
                }
            }
        }
        packed.sort()
        return packed.map { Call(number: UInt32($0 >> 32), name: Int($0 & 0xffff_ffff)) }
    }

    /// - Parameter name: one that the plan names.
    func index(of name: String) -> Int { indices[name] ?? 0 }

    /// Different names that have the same number somewhere.
    var sameNumbers: [(first: Int, second: Int)] {
        numbers.flatMap { numbers in
            zip(numbers.calls, numbers.calls.dropFirst()).filter { $0.number == $1.number }.map { ($0.name, $1.name) }
        }
    }

    /// Tells x32's calls from those of x86_64; asm/unistd.h.
    static let x32Bit: UInt32 = 0x4000_0000
}
