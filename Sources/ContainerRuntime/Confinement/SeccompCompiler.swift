internal import Kernel
package import KernelTypes
package import Planning

/// Turns a seccomp section into a program, or finds the one it was turned into before.
package struct SeccompCompiler: Sendable {
    let plan: SeccompPlan
    /// The section as it stands in config.json: equal text means an equal program.
    let text: [UInt8]
    /// The folder of compiled programs.
    let cache: String

    package init(plan: SeccompPlan, text: [UInt8], cache: String) {
        self.plan = plan
        self.text = text
        self.cache = cache
    }

    func program() throws(SystemError) -> SeccompProgram {
        let key = cacheKey()
        let path = "\(cache)/\(Self.name(of: key))"
        if let program = Self.load(path, key: key) { return program }
        let program = try compile()
        // A cache that cannot be written costs time at the next start, nothing else.
        try? store(program, key: key, at: path)
        return program
    }

    /// The same; a filter under which nothing can be started is refused.
    func startableProgram() throws(SystemError) -> SeccompProgram {
        let program = try program()
        if let obstacle = SeccompPreflight.obstacle(to: program) { throw .refused("linux.seccomp: \(obstacle)") }
        return program
    }

    // MARK: Cache

    /// The whole key is kept beside the program and compared: no two sections can be taken for each other, whatever
    /// their hash.
    private func cacheKey() -> [UInt8] {
        Array("runbox seccomp 2 \(SeccompLibrary.version) \(SeccompArchitectureToken.native.rawValue)\n".utf8)
            + text
    }

    /// FNV-1a, for the file's name only.
    private static func name(of key: [UInt8]) -> String {
        let hash = key.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
        return String(hash, radix: 16)
    }

    private static func load(_ path: String, key: [UInt8]) -> SeccompProgram? {
        guard let file = try? Files.open(path, [.readOnly, .noFollow]),  // not there: not compiled yet
            let bytes = try? Files.read(file, limit: 4 << 20),
            bytes.count > key.count, (bytes.count - key.count) % 8 == 0, bytes.starts(with: key)
        else { return nil }
        return SeccompProgram(bytes: Array(bytes[key.count...]))
    }

    private func store(_ program: SeccompProgram, key: [UInt8], at path: String) throws(SystemError) {
        try Files.makeDirectories(cache, mode: 0o700)
        try? Files.remove(path)  // one that was not this section's: of equal hash, or damaged
        try (key + program.bytes).withUnsafeBytesThrowing { bytes throws(SystemError) in
            try Files.publish(bytes, at: path, mode: 0o600)
        }
        trim()
    }

    /// More profiles than a host has in use. A program with its key is about 50 kB.
    static let capacity = 64

    /// Removes the oldest programs where there are too many. A process that has one open keeps it, and one that misses
    /// it compiles it again: no lock is needed.
    private func trim() {
        // One too many does no harm.
        guard let names = try? Files.list(cache), names.count > Self.capacity else { return }
        var files: [(path: String, time: Int64)] = []
        for name in names {
            let path = "\(cache)/\(name)"
            // Another runtime may have removed it already.
            if let status = try? Files.status(path, follow: false) { files.append((path, status.changed)) }
        }
        files.sort { $0.time < $1.time }
        // Likewise: what is gone is gone.
        for file in files.dropLast(Self.capacity * 3 / 4) { try? Files.remove(file.path) }
    }

    // MARK: Compilation

    package func compile() throws(SystemError) -> SeccompProgram {
        let calls = SeccompCalls(plan)
        let tree = SeccompTree(plan, calls)
        let builder = try SeccompBuilder(defaultVerdict: plan.defaultVerdict)
        for architecture in plan.architectures { try builder.addArchitecture(architecture) }
        for (rule, name) in tree.rest {
            // A name that this libseccomp does not know belongs to a newer kernel or another architecture.
            guard let number = SeccompLibrary.number(name) else { continue }
            try builder.add(rule.verdict, call: number, where: rule.comparisons, name: name)
        }
        let before = ENOSYSStub.instructions(plan.defaultVerdict, calls) + tree.instructions
        return SeccompProgram(bytes: before.flatMap { $0.bytes } + (try builder.export()).bytes)
    }
}
