import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

/// What one word comes to, in the kernel's numbers (linux/mount.h): MS_* flags of a new file system, MOUNT_ATTR_* of
/// a mount alone and with all below it.
struct WordCase: Sendable, CustomTestStringConvertible {
    let word: String
    var flags: UInt = 0
    var set: UInt64 = 0
    var clear: UInt64 = 0
    var setBelow: UInt64 = 0
    var clearBelow: UInt64 = 0
    /// A word that takes all of this back.
    var opposite: String?

    var testDescription: String { word }

    static let all: [WordCase] = [
        WordCase(word: "ro", flags: 1, set: 1, opposite: "rw"),
        WordCase(word: "rw", clear: 1, opposite: "ro"),
        WordCase(word: "nosuid", flags: 2, set: 2, opposite: "suid"),
        WordCase(word: "suid", clear: 2, opposite: "nosuid"),
        WordCase(word: "nodev", flags: 4, set: 4, opposite: "dev"),
        WordCase(word: "dev", clear: 4, opposite: "nodev"),
        WordCase(word: "noexec", flags: 8, set: 8, opposite: "exec"),
        WordCase(word: "exec", clear: 8, opposite: "noexec"),
        WordCase(word: "sync", flags: 16, opposite: "async"),
        WordCase(word: "async", opposite: "sync"),
        WordCase(word: "mand", flags: 64, opposite: "nomand"),
        WordCase(word: "nomand", opposite: "mand"),
        WordCase(word: "dirsync", flags: 128),
        WordCase(word: "nosymfollow", flags: 256, set: 0x20_0000, opposite: "symfollow"),
        WordCase(word: "symfollow", clear: 0x20_0000, opposite: "nosymfollow"),
        WordCase(word: "nodiratime", flags: 2048, set: 0x80, opposite: "diratime"),
        WordCase(word: "diratime", clear: 0x80, opposite: "nodiratime"),
        WordCase(word: "silent", flags: 0x8000, opposite: "loud"),
        WordCase(word: "loud", opposite: "silent"),
        WordCase(word: "iversion", flags: 0x80_0000, opposite: "noiversion"),
        WordCase(word: "noiversion", opposite: "iversion"),
        WordCase(word: "lazytime", flags: 0x200_0000, opposite: "nolazytime"),
        WordCase(word: "nolazytime", opposite: "lazytime"),
        // The access time group: setting one of it clears the whole of it, mount_setattr(2).
        WordCase(word: "noatime", flags: 1024, set: 0x10, clear: 0x70, opposite: "atime"),
        WordCase(word: "atime", clear: 0x70, opposite: "noatime"),
        WordCase(word: "relatime", flags: 0x20_0000, clear: 0x70, opposite: "norelatime"),
        WordCase(word: "norelatime", clear: 0x70, opposite: "relatime"),
        WordCase(word: "strictatime", flags: 0x100_0000, set: 0x20, clear: 0x70, opposite: "nostrictatime"),
        WordCase(word: "nostrictatime", clear: 0x70, opposite: "strictatime"),
        WordCase(word: "rro", setBelow: 1, opposite: "rrw"),
        WordCase(word: "rrw", clearBelow: 1, opposite: "rro"),
        WordCase(word: "rnosuid", setBelow: 2, opposite: "rsuid"),
        WordCase(word: "rsuid", clearBelow: 2, opposite: "rnosuid"),
        WordCase(word: "rnodev", setBelow: 4, opposite: "rdev"),
        WordCase(word: "rdev", clearBelow: 4, opposite: "rnodev"),
        WordCase(word: "rnoexec", setBelow: 8, opposite: "rexec"),
        WordCase(word: "rexec", clearBelow: 8, opposite: "rnoexec"),
        WordCase(word: "rnosymfollow", setBelow: 0x20_0000, opposite: "rsymfollow"),
        WordCase(word: "rsymfollow", clearBelow: 0x20_0000, opposite: "rnosymfollow"),
        WordCase(word: "rnodiratime", setBelow: 0x80, opposite: "rdiratime"),
        WordCase(word: "rdiratime", clearBelow: 0x80, opposite: "rnodiratime"),
        WordCase(word: "rnoatime", setBelow: 0x10, clearBelow: 0x70, opposite: "ratime"),
        WordCase(word: "ratime", clearBelow: 0x70, opposite: "rnoatime"),
        WordCase(word: "rrelatime", clearBelow: 0x70, opposite: "rnorelatime"),
        WordCase(word: "rnorelatime", clearBelow: 0x70, opposite: "rrelatime"),
        WordCase(word: "rstrictatime", setBelow: 0x20, clearBelow: 0x70, opposite: "rnostrictatime"),
        WordCase(word: "rnostrictatime", clearBelow: 0x70, opposite: "rstrictatime"),
        WordCase(word: "defaults"),
        // Options of crun for which the kernel has nothing that holds for a whole tree.
        WordCase(word: "rsync"), WordCase(word: "rasync"), WordCase(word: "rdirsync"), WordCase(word: "rmand"),
        WordCase(word: "rnomand"),
    ]
}

/// Words that say more than flags.
struct PropagationCase: Sendable, CustomTestStringConvertible {
    let word: String
    let kind: MountPropagation
    let recursive: Bool
    var testDescription: String { word }

    static let all: [PropagationCase] = [
        PropagationCase(word: "shared", kind: .shared, recursive: false),
        PropagationCase(word: "rshared", kind: .shared, recursive: true),
        PropagationCase(word: "slave", kind: .slave, recursive: false),
        PropagationCase(word: "rslave", kind: .slave, recursive: true),
        PropagationCase(word: "private", kind: .private, recursive: false),
        PropagationCase(word: "rprivate", kind: .private, recursive: true),
        PropagationCase(word: "unbindable", kind: .unbindable, recursive: false),
        PropagationCase(word: "runbindable", kind: .unbindable, recursive: true),
    ]
}

private func read(_ words: [String], type: String = "ext4") throws -> MountPlan {
    let mount = Mount(destination: "/x", type: type, source: "/dev/sda", options: words)
    let (plan, findings) = plan { MountPlan(mount, index: 0, bundle: "/b", findings: &$0) }
    #expect(findings.errorLines == [])
    return try #require(plan)
}

/// What a mount's words come to, in numbers.
private func numbers(_ plan: MountPlan) -> [UInt64] {
    [
        UInt64(plan.flags.rawValue), plan.set.rawValue, plan.clear.rawValue, plan.setRecursively.rawValue,
        plan.clearRecursively.rawValue,
    ]
}

private func numbers(_ word: WordCase) -> [UInt64] {
    [UInt64(word.flags), word.set, word.clear, word.setBelow, word.clearBelow]
}

@Suite struct MountOptionTests {
    /// A word that is added to the table needs a case here.
    @Test func everyOptionHasACaseInTheseTests() {
        let others = [
            "bind", "rbind", "remount", "tmpcopyup", "copy-symlink", "src-nofollow", "dest-nofollow", "idmap", "ridmap",
        ]
        let cases = WordCase.all.map(\.word) + PropagationCase.all.map(\.word) + others
        #expect(Set(cases) == Set(MountOption.table.map(\.name)))
        #expect(MountOption.table.count == Set(MountOption.table.map(\.name)).count)
    }

    @Test(arguments: WordCase.all)
    func eachWordSetsAndClearsItsFlags(word: WordCase) throws {
        let plan = try read([word.word])
        #expect(numbers(plan) == numbers(word))
        #expect(plan.data == [])
        #expect(plan.propagation.isEmpty)
        #expect(plan.kind == .fileSystem(type: "ext4", source: "/dev/sda"))
    }

    @Test(arguments: WordCase.all)
    func anOptionTwiceIsTheSameAsOnce(word: WordCase) throws {
        #expect(numbers(try read([word.word, word.word])) == numbers(word))
    }

    @Test(arguments: WordCase.all.filter { $0.opposite != nil })
    func theLastWordWins(word: WordCase) throws {
        let opposite = try #require(WordCase.all.first { $0.word == word.opposite })
        #expect(numbers(try read([opposite.word, word.word])) == numbers(word))
    }

    /// Of the access time group only one word can hold, whichever came before.
    @Test(arguments: WordCase.all.filter { $0.clear == 0x70 || $0.clearBelow == 0x70 })
    func accessTimeWordsExcludeEachOther(word: WordCase) throws {
        let group = WordCase.all.filter { $0.clear == word.clear && $0.clearBelow == word.clearBelow }
        for other in group.map(\.word) where word.clear == 0x70 || word.clearBelow == 0x70 {
            #expect(numbers(try read([other, word.word])) == numbers(word), "\(other), \(word.word)")
        }
    }

    @Test func optionsAddUp() throws {
        let plan = try read(["nosuid", "noexec", "nodev", "ro", "rnoexec", "noatime", "nodiratime"])
        #expect(numbers(plan) == [0x0c0f, 0x9f, 0x70, 0x8, 0])
    }

    @Test(arguments: PropagationCase.all)
    func eachPropagationWordHasItsKind(word: PropagationCase) throws {
        let plan = try read([word.word])
        #expect(plan.propagation.map(\.kind) == [word.kind])
        #expect(plan.propagation.map(\.recursive) == [word.recursive])
        #expect(numbers(plan) == [0, 0, 0, 0, 0])
        #expect(plan.data == [])
    }

    /// Each is a call of its own, so a slave can be made shared again (mount_namespaces(7)).
    @Test func propagationKeepsItsOrder() throws {
        let plan = try read(["slave", "rshared"])
        #expect(plan.propagation.map(\.kind) == [.slave, .shared])
        #expect(plan.propagation.map(\.recursive) == [false, true])
    }

    @Test(arguments: ["tmpcopyup", "copy-symlink", "src-nofollow", "dest-nofollow", ""])
    func wordsForTheRuntimeAreNoData(word: String) throws {
        let plan = try read(word.isEmpty ? [] : [word], type: "tmpfs")
        #expect(plan.copyUp == (word == "tmpcopyup"))
        #expect(plan.copySymbolicLink == (word == "copy-symlink"))
        #expect(plan.followSource == (word != "src-nofollow"))
        #expect(plan.followDestination == (word != "dest-nofollow"))
        #expect(plan.data == [])
    }

    @Test(arguments: [
        ("idmap", IDMapRequest(recursive: false, text: nil, position: 1)),
        ("ridmap", IDMapRequest(recursive: true, text: nil, position: 1)),
        ("idmap=uids=0-1-10", IDMapRequest(recursive: false, text: "uids=0-1-10", position: 1)),
        ("ridmap=a=b;c=d", IDMapRequest(recursive: true, text: "a=b;c=d", position: 1)),
        ("idmap=", IDMapRequest(recursive: false, text: "", position: 1)),
    ])
    func idMapWordsAreNoData(word: String, request: IDMapRequest) {
        let mount = Mount(destination: "/x", source: "/src", options: ["bind", word])
        let (plan, findings) = plan { MountPlan(mount, index: 3, bundle: "/b", findings: &$0) }
        #expect(findings.errorLines == [])
        #expect(plan?.idMapRequest == request)
    }

    /// Whatever is no word of the table is the file system's own, in its order; letters of another size make another
    /// word.
    @Test func unknownOptionsAreData() throws {
        let plan = try read(["size=64k", "ro", "mode=755", "", "RO", "uid=0", "no-suid", "idmapped"])
        #expect(plan.data == ["size=64k", "mode=755", "RO", "uid=0", "no-suid", "idmapped"])
        #expect(plan.flags == .readOnly)
    }
}
