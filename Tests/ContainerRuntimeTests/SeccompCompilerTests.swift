import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime
@testable import Planning

private func plan(_ seccomp: Seccomp) throws -> SeccompPlan {
    let (plan, findings) = plan { SeccompPlan(seccomp, findings: &$0) }
    #expect(findings.errorLines == [])
    return try #require(plan)
}

/// A program compiled without any cache.
private func compile(_ seccomp: Seccomp) throws -> ClassicBPF {
    var bytes: [UInt8] = []
    try withFolder { folder throws in
        // A folder that cannot be made: the cache is missing, the program is not.
        try folder.write("file")
        let compiler = SeccompCompiler(plan: try plan(seccomp), text: [], cache: folder.path("file/cache"))
        bytes = try compiler.program().bytes
    }
    return ClassicBPF(program: bytes)
}

private func allow(_ names: String...) -> SeccompRule { SeccompRule(names: names, action: .allow) }

@Suite(.needsX8664) struct UnknownCallStubTests {
    struct CallCase: Sendable, CustomTestStringConvertible {
        let name: String
        let number: UInt32
        var architecture = Architecture.x8664
        let answer: UInt32
        var testDescription: String { name }
    }

    /// The highest call that is named is 257 on x86_64 and 295 on x86.
    private static let profile = Seccomp(
        defaultAction: .errno, architectures: [.x8664, .x86, .x32],
        syscalls: [allow("read", "openat"), SeccompRule(names: ["write"], action: .errno, errnoRet: 13)])

    @Test(arguments: [
        CallCase(name: "allowed", number: 0, answer: Answer.allow),
        CallCase(name: "the highest", number: 257, answer: Answer.allow),
        CallCase(name: "another rule", number: 1, answer: Answer.errno(13)),
        CallCase(name: "below the highest, not named", number: 2, answer: Answer.errno(1)),
        CallCase(name: "next to the highest", number: 256, answer: Answer.errno(1)),
        CallCase(name: "just above the highest", number: 258, answer: Answer.noSystemCall),
        CallCase(name: "new", number: 437, answer: Answer.noSystemCall),
        CallCase(name: "not there yet", number: 100_000, answer: Answer.noSystemCall),
        CallCase(name: "the last before x32", number: 0x3fff_ffff, answer: Answer.noSystemCall),
        CallCase(name: "x32: allowed", number: 0x4000_0000, answer: Answer.allow),
        CallCase(name: "x32: not named", number: 0x4000_0002, answer: Answer.errno(1)),
        CallCase(name: "x32: new", number: 0x4000_01b5, answer: Answer.errno(1)),
        CallCase(name: "a tracer's -1", number: .max, answer: Answer.errno(1)),
        CallCase(name: "x86: read", number: 3, architecture: Architecture.x86, answer: Answer.allow),
        CallCase(name: "x86: write", number: 4, architecture: Architecture.x86, answer: Answer.errno(13)),
        CallCase(name: "x86: the highest", number: 295, architecture: Architecture.x86, answer: Answer.allow),
        CallCase(name: "x86: not named", number: 257, architecture: Architecture.x86, answer: Answer.errno(1)),
        CallCase(name: "x86: just above", number: 296, architecture: Architecture.x86, answer: Answer.noSystemCall),
        CallCase(name: "x86: new", number: 437, architecture: Architecture.x86, answer: Answer.noSystemCall),
        CallCase(
            name: "x86 has no x32", number: 0x4000_0000, architecture: Architecture.x86, answer: Answer.noSystemCall),
        // libseccomp's own answer to architectures that the profile does not have.
        CallCase(
            name: "another architecture", number: 63, architecture: Architecture.aarch64, answer: Answer.killThread),
        CallCase(
            name: "another architecture, new", number: 1000, architecture: Architecture.aarch64,
            answer: Answer.killThread),
    ])
    func newerCallsAreAnsweredWithENOSYS(call: CallCase) throws {
        let program = try compile(Self.profile)
        #expect(try program.run(SystemCall(number: call.number, architecture: call.architecture)) == call.answer)
    }

    /// Without a list of architectures the native one is meant.
    @Test func theNativeArchitectureIsAlwaysThere() throws {
        let program = try compile(Seccomp(defaultAction: .errno, syscalls: [allow("read", "openat")]))
        #expect(try program.run(SystemCall(number: 0, architecture: Architecture.x8664)) == Answer.allow)
        #expect(try program.run(SystemCall(number: 258, architecture: Architecture.x8664)) == Answer.noSystemCall)
        #expect(try program.run(SystemCall(number: 3, architecture: Architecture.x86)) == Answer.killThread)
    }

    @Test(
        arguments: [
            (.errno, nil, Answer.noSystemCall), (.errno, 38, Answer.noSystemCall), (.errno, 5, Answer.noSystemCall),
            (.kill, nil, Answer.noSystemCall), (.killThread, nil, Answer.noSystemCall),
            (.killProcess, nil, Answer.noSystemCall), (.trap, nil, Answer.noSystemCall),
            // These refuse nothing, so there is nothing to soften.
            (.allow, nil, Answer.allow), (.log, nil, Answer.log), (.trace, 7, 0x7ff0_0007),
        ] as [(SeccompAction, UInt32?, UInt32)])
    func onlyRefusalsAreSoftened(action: SeccompAction, errno: UInt32?, answer: UInt32) throws {
        let rule = SeccompRule(names: ["openat"], action: .errno, errnoRet: 99)
        let program = try compile(Seccomp(defaultAction: action, defaultErrnoRet: errno, syscalls: [rule]))
        #expect(try program.run(SystemCall(number: 257, architecture: Architecture.x8664)) == Answer.errno(99))
        #expect(try program.run(SystemCall(number: 400, architecture: Architecture.x8664)) == answer)
    }

    @Test func aProfileWithoutRulesRefusesEverything() throws {
        let program = try compile(Seccomp(defaultAction: .errno))
        for number in [0, 500, 1_000_000] as [UInt32] {
            #expect(try program.run(SystemCall(number: number, architecture: Architecture.x8664)) == Answer.errno(1))
        }
    }

    /// A rule that says what the default says is a word of the profile's all the same.
    @Test func aCallThatTheProfileNamesIsNoNewOne() throws {
        let refused = SeccompRule(names: ["openat2"], action: .errno, errnoRet: 1)
        let program = try compile(Seccomp(defaultAction: .errno, syscalls: [allow("read"), refused]))
        let answer = try program.run(SystemCall(number: 437, architecture: Architecture.x8664))
        #expect(answer == Answer.errno(1))
        #expect(try program.run(SystemCall(number: 438, architecture: Architecture.x8664)) == Answer.noSystemCall)
    }
}

@Suite(.needsX8664) struct SeccompCompilerTests {
    private static func answer(
        _ op: SeccompOperator, _ value: UInt64, _ valueTwo: UInt64? = nil, to argument: UInt64
    ) throws -> UInt32 {
        let condition = SeccompArgument(index: 1, value: value, valueTwo: valueTwo, op: op)
        let rule = SeccompRule(names: ["read"], action: .errno, errnoRet: 5, args: [condition])
        let program = try compile(Seccomp(defaultAction: .allow, syscalls: [rule]))
        return try program.run(
            SystemCall(number: 0, architecture: Architecture.x8664, arguments: [99, argument, 99]))
    }

    @Test(
        arguments: [
            (.equal, 5, nil, [5], [4, 6, 0x1_0000_0005]), (.notEqual, 5, nil, [4, 0x1_0000_0005], [5]),
            (.less, 5, nil, [0, 4], [5, 6, .max]), (.lessOrEqual, 5, nil, [0, 5], [6, 0x1_0000_0000]),
            (.greater, 5, nil, [6, .max], [0, 5]), (.greaterOrEqual, 5, nil, [5, .max], [0, 4]),
            (.maskedEqual, 0xff00, 0x1200, [0x1200, 0xf_12ff], [0x1300, 0x12]),
            (.equal, .max, nil, [.max], [0xffff_ffff, 0]),
            (.maskedEqual, 0x2, nil, [0, 1, 4], [2, 3]),
        ] as [(SeccompOperator, UInt64, UInt64?, [UInt64], [UInt64])])
    func all64BitsAreCompared(op: SeccompOperator, value: UInt64, second: UInt64?, hits: [UInt64], misses: [UInt64])
        throws
    {
        for hit in hits { #expect(try Self.answer(op, value, second, to: hit) == Answer.errno(5), "\(hit)") }
        for miss in misses { #expect(try Self.answer(op, value, second, to: miss) == Answer.allow, "\(miss)") }
    }

    @Test func conditionsOnOneArgumentAreAlternatives() throws {
        let arguments = [
            SeccompArgument(index: 0, value: 1, op: .equal), SeccompArgument(index: 0, value: 2, op: .equal),
            SeccompArgument(index: 1, value: 3, op: .equal),
        ]
        let rule = SeccompRule(names: ["read"], action: .errno, args: arguments)
        let program = try compile(Seccomp(defaultAction: .allow, syscalls: [rule]))
        for (values, isHit) in [([1, 0], true), ([2, 0], true), ([0, 3], true), ([0, 0], false), ([3, 1], false)]
            as [([UInt64], Bool)]
        {
            let call = SystemCall(number: 0, architecture: Architecture.x8664, arguments: values)
            #expect(try program.run(call) == (isHit ? Answer.errno(1) : Answer.allow), "\(values)")
        }
    }

    @Test func unknownNamesAreSkipped() throws {
        let rule = SeccompRule(names: ["nobody_calls_this", "read", ""], action: .errno)
        let program = try compile(Seccomp(defaultAction: .allow, syscalls: [rule]))
        #expect(try program.run(SystemCall(number: 0, architecture: Architecture.x8664)) == Answer.errno(1))
        #expect(try program.run(SystemCall(number: 1, architecture: Architecture.x8664)) == Answer.allow)
    }

    /// From so many names on the program is a tree; it must judge as the list does.
    @Test func aLongListAnswersLikeAShortOne() throws {
        let names = [
            "read", "open", "stat", "lstat", "lseek", "mprotect", "brk", "rt_sigprocmask", "pread64", "readv", "access",
            "select", "mremap", "mincore", "shmget", "shmctl", "dup2", "nanosleep", "alarm", "getpid", "socket",
            "accept", "recvfrom", "recvmsg", "bind", "getsockname", "socketpair", "getsockopt", "fork", "execve",
            "wait4", "uname", "semop", "shmdt", "msgsnd", "msgctl", "flock", "fdatasync", "ftruncate", "openat2",
        ]
        let rules = [SeccompRule(names: names, action: .allow)]
        let long = try compile(Seccomp(defaultAction: .errno, syscalls: rules))
        let native = SeccompArchitectureToken.native
        let allowed = Set(names.compactMap { SeccompLibrary.number($0, on: native) })
        #expect(allowed.count == names.count)
        for number in 0...450 as ClosedRange<UInt32> {
            let expected =
                allowed.contains(number) ? Answer.allow : number > 437 ? Answer.noSystemCall : Answer.errno(1)
            #expect(
                try long.run(SystemCall(number: number, architecture: Architecture.x8664)) == expected, "call \(number)"
            )
        }
    }

    // MARK: Cache

    private static let first = Seccomp(defaultAction: .errno, syscalls: [allow("read")])
    private static let second = Seccomp(defaultAction: .errno, syscalls: [allow("write")])

    private static func compiler(_ seccomp: Seccomp, _ text: String, _ cache: String) throws -> SeccompCompiler {
        SeccompCompiler(plan: try plan(seccomp), text: Array(text.utf8), cache: cache)
    }

    @Test func theCacheKeepsTheKeyBesideTheProgram() throws {
        try withFolder { folder throws in
            let cache = folder.path("a/b")
            let program = try Self.compiler(Self.first, "the text", cache).program()
            let names = try Files.list(cache)
            #expect(names.count == 1)
            let file = "\(cache)/\(names[0])"
            let bytes = try Files.read(file)
            let key =
                "runbox seccomp 2 \(SeccompLibrary.version) \(SeccompArchitectureToken.native.rawValue)\nthe text"
            #expect(bytes == Array(key.utf8) + program.bytes)
            let status = try Files.status(file)
            #expect(status.permissions & 0o077 == 0)
            #expect(try Files.status(cache).permissions == 0o700)
        }
    }

    @Test func aCachedProgramIsTaken() throws {
        try withFolder { folder throws in
            _ = try Self.compiler(Self.first, "the text", folder.path).program()
            // Another plan under the same text: only a kept program can answer as the first.
            let again = try Self.compiler(Self.second, "the text", folder.path).program()
            let answer = try ClassicBPF(program: again.bytes).run(
                SystemCall(number: 0, architecture: Architecture.x8664))
            #expect(answer == Answer.allow)
        }
    }

    @Test func anotherTextIsNotTakenFromTheCache() throws {
        try withFolder { folder throws in
            let one = try Self.compiler(Self.first, "one", folder.path).program()
            let two = try Self.compiler(Self.second, "two", folder.path).program()
            #expect(one != two)
            #expect(try folder.names().count == 2)
        }
    }

    /// What is found under a text's file name but was made from another text, was damaged or cut, is compiled anew
    /// and replaced.
    @Test(arguments: ["another text", "cut", "longer", "empty", "key only", "link"])
    func aDamagedCacheIsNotTaken(damage: String) throws {
        try withFolder { folder throws in
            let fresh = try Self.compiler(Self.first, "text one", folder.path).program()
            let name = try #require(try folder.names().first)
            var bytes = try Files.read(folder.path(name))
            switch damage {
            case "another text":
                // As if the names of both texts' files were the same.
                let other = try Self.compiler(Self.second, "text two", folder.path("other")).program()
                let key = bytes.dropLast(fresh.bytes.count)
                bytes = Array(key.dropLast(3)) + Array("two".utf8) + other.bytes
            case "cut": bytes.removeLast(4)
            case "longer": bytes += [0]
            case "empty": bytes = []
            case "key only": bytes.removeLast(fresh.bytes.count)
            default: break
            }
            try Files.remove(folder.path(name))
            if damage == "link" {
                try Files.write(
                    bytes.dropLast(8) + Array(repeating: 0, count: 8), toNew: folder.path("elsewhere"), mode: 0o600)
                try folder.link(name, to: "elsewhere")
            } else {
                try Files.write(bytes, toNew: folder.path(name), mode: 0o600)
            }
            #expect(try Self.compiler(Self.first, "text one", folder.path).program() == fresh)
            // The good one has taken the damaged one's place.
            #expect(try Files.status(folder.path(name), follow: false).kind == .regular)
            #expect(try Files.read(folder.path(name)).suffix(fresh.bytes.count) == fresh.bytes[...])
        }
    }
}
