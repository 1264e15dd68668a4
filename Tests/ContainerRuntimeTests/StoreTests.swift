import Kernel
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct StoreTests {
    private func store(_ folder: Folder) -> Store { Store(root: folder.path("state")) }

    @Test func aNameIsTakenOnce() throws {
        try withFolder { folder throws in
            let store = store(folder)
            #expect(try store.all() == [])
            let lock = try store.reserve("box") { path throws(SystemError) in
                // It is not visible before it is whole.
                #expect(path.hasPrefix(folder.path("state/.new-")))
                try Files.write([], toNew: "\(path)/file", mode: 0o600)
                #expect((try? store.all()) == [])
            }
            #expect(try folder.names("state") == ["box"])
            #expect(try folder.names("state/box") == ["file"])
            #expect(try !Files.tryLock(Files.open(folder.path("state/box"), .readOnly)))
            _ = consume lock
            #expect(store.contains(try ContainerID("box")))
            #expect(failure { _ = try store.reserve("box") } == "container with given ID already exists: box")
            _ = try store.reserve("another")
            #expect(try store.all() == ["another", "box"])
            // Others may look for a container's state, but not read it.
            #expect(try Files.status(folder.path("state/box")).permissions == 0o711)
        }
    }

    @Test func aWrittenRecordIsLoaded() throws {
        try withFolder { folder throws in
            let store = store(folder)
            _ = try store.reserve("box")
            #expect(try store.load("box") == nil)
            let record = try record { $0.annotations = [KeyValue(key: "k", value: odd)] }
            try store.write(record)
            #expect(try store.load("box") == record)
            #expect(try Files.status(folder.path("state/box/state.json")).permissions == 0o600)
            #expect(try folder.names("state/box") == ["state.json"])
        }
    }

    @Test func anUnknownNameIsMissing() throws {
        try withFolder { folder throws in
            let store = store(folder)
            #expect(failure { _ = try store.load("box") } == "container does not exist: box")
            #expect(failure { _ = try store.lock("box") } == "container does not exist: box")
        }
    }

    /// Two deletes and a create: the one that waited for the first one's lock means the container that is gone.
    @Test func aLockOfAFolderThatIsGoneProtectsNothing() throws {
        try withFolder { folder throws in
            let store = store(folder)
            let first = try store.reserve("box")
            let waiting = try store.open("box", .readOnly)
            try store.remove("box", first)
            #expect(failure { try store.lock("box", waiting) } == "container does not exist: box")
            let second = try store.reserve("box")
            try store.write(try record())
            #expect(failure { try store.lock("box", waiting) } == "container does not exist: box")
            // What the name means now is another's.
            try store.remove("box", waiting)
            #expect(try store.load("box") != nil)
            #expect(failure { _ = try store.load("box", at: waiting) } == "container does not exist: box")
            #expect(try store.isCurrent("box", second))
        }
    }

    @Test func onlyTheUnchangedContainerIsWrittenTo() throws {
        try withFolder { folder throws in
            let store = store(folder)
            let record = try record()
            var calls = 0
            let folder = try store.reserve("box")
            try store.write(record)
            store.ifUnchanged(record) { calls += 1 }
            #expect(calls == 0, "it is locked")
            try Files.unlock(folder)
            store.ifUnchanged(record) { calls += 1 }
            #expect(calls == 1)
            var other = record
            other.pid += 1
            store.ifUnchanged(other) { calls += 1 }
            #expect(calls == 1)
        }
    }

    @Test func abandonedIsWhatIsUnlockedAndUnfinished() throws {
        try withFolder { folder throws in
            let store = store(folder)
            let lock = try store.reserve("box")
            #expect(try !store.isAbandoned("box"))
            try Files.unlock(lock)
            #expect(try store.isAbandoned("box"))
            try store.write(try record())
            #expect(try !store.isAbandoned("box"))
            #expect(failure { _ = try store.isAbandoned("other") } == "container does not exist: other")
        }
    }

    @Test func aSweepTakesWhatWasLeftAndNothingThatIsHeld() throws {
        try withFolder { folder throws in
            let store = store(folder)
            try Files.makeDirectories(folder.path("state/.new-1/deep"), mode: 0o700)
            try Files.makeDirectories(folder.path("state/.new-2"), mode: 0o700)
            try Files.makeDirectories(folder.path("state/.cache"), mode: 0o700)
            try Files.makeDirectories(folder.path("state/box"), mode: 0o700)
            let held = try Files.open(folder.path("state/.new-2"), .readOnly)
            #expect(try Files.tryLock(held))
            try store.sweep()
            #expect(try folder.names("state") == [".cache", ".new-2", "box"])
        }
    }

    /// Names that are no text, and a depth for which there is no path: the container may have made them in the folder
    /// of its notifications.
    @Test func removingTakesAnyNameAtAnyDepth() throws {
        try withFolder { folder throws in
            let store = store(folder)
            let lock = try store.reserve("box")
            try Files.makeDirectories(folder.path("state/box/notify"), mode: 0o700)
            var walk = try DirectoryWalk(Files.open(folder.path("state/box/notify"), .readOnly))
            for depth in 0..<60 {
                let name = ByteName([0xff, UInt8(ascii: "\n")] + [UInt8](repeating: UInt8(ascii: "d"), count: 200))
                try Files.makeDirectory(name, at: walk.directory, mode: 0o700)
                try walk.descend(into: name)
                if depth % 20 == 0 {
                    try Files.makeNode(ByteName([0xfe]), at: walk.directory, kind: .regular, mode: 0o600)
                }
            }
            try store.remove("box", lock)
            #expect(try folder.names("state") == [])
        }
    }

    @Test func damageIsShownWithItsRemedy() throws {
        try withFolder { folder throws in
            let store = store(folder)
            _ = try store.reserve("box")
            try folder.write("state/box/state.json", "{\"id\":")
            let error = failure { _ = try store.load("box") }
            #expect(
                error
                    == "read the state: the state of container box in \(folder.path)/state is damaged; runbox delete --force box removes it"
            )
        }
    }

    @Test func removingTakesTheWholeFolder() throws {
        try withFolder { folder throws in
            let store = store(folder)
            let box = try store.reserve("box")
            let other = try store.reserve("other")
            try store.write(try record())
            try folder.write("state/box/config.json", "{}")
            try store.remove("box", box)
            #expect(try store.all() == ["other"])
            // What a crash left is found by looking.
            try Files.makeDirectories(folder.path("state/other/deep/er"), mode: 0o700)
            try Files.makeFIFO(folder.path("state/other/start.fifo"), mode: 0o600)
            try store.remove("other", other)
            #expect(try folder.names("state") == [])
        }
    }

    /// The runtime's own folders begin with a dot, which no container's name does.
    @Test func theCacheIsNoContainer() throws {
        try withFolder { folder throws in
            let store = store(folder)
            try Files.makeDirectories(store.seccompCache, mode: 0o700)
            #expect(try store.all() == [])
            #expect(store.seccompCache.hasPrefix("\(store.root)/."))
        }
    }
}

@Suite struct StateRootTests {
    private func refusal(_ mode: UInt32, owner: UInt32 = 5, group: UInt32 = 5, isAbove: Bool) -> String? {
        let status = FileStatus(kind: .directory, permissions: mode, owner: owner, group: group)
        let place = StateRoot.Place(path: "/x", status: status, user: 5)
        return failure { try isAbove ? place.checkAbove() : place.checkOwn() }
    }

    @Test(arguments: [0o711, 0o700, 0o755] as [UInt32], [0, 5] as [UInt32])
    func theCallersOwnFolderIsTrusted(mode: UInt32, owner: UInt32) {
        #expect(refusal(mode, owner: owner, isAbove: false) == nil)
        #expect(refusal(mode, owner: owner, isAbove: true) == nil)
    }

    @Test func anotherUsersFolderIsNotTrusted() {
        for isAbove in [false, true] {
            #expect(refusal(0o700, owner: 6, isAbove: isAbove)?.contains("belongs to user 6") == true)
        }
    }

    /// Others could make a container's folder in a root with the sticky bit, but not exchange one above it.
    @Test func aFolderThatOthersMayWriteIsNotTrusted() {
        #expect(refusal(0o777, isAbove: false)?.contains("can be written by everybody") == true)
        #expect(refusal(0o1777, isAbove: false)?.contains("can be written by everybody") == true)
        #expect(refusal(0o775, isAbove: false)?.contains("can be written by group 5") == true)
        #expect(refusal(0o777, isAbove: true)?.contains("can be written by everybody") == true)
        #expect(refusal(0o1777, isAbove: true) == nil)
        #expect(refusal(0o775, group: 7, isAbove: true)?.contains("can be written by group 7") == true)
        #expect(refusal(0o775, isAbove: true) == nil, "a group of the user's own")
    }

    @Test func everyFolderOfThePathIsChecked() throws {
        try withFolder { folder throws in
            switch try StateRoot.open(folder.path("none/of/it")) {
            case .some: Issue.record("found")
            case .none: break
            }
            _ = try StateRoot.open(folder.path("a/b"), make: true)
            try folder.link("link", to: "a/../a")
            try folder.link("loop", to: "loop")
            let made = try Files.status(folder.path("a/b"))
            switch try StateRoot.open(folder.path("link/./b")) {
            case .some(let root): #expect(try Files.status(of: root).inode == made.inode)
            case .none: Issue.record("not found")
            }
            #expect(failure { _ = try StateRoot.open(folder.path("loop")) }?.contains("too many levels") == true)
            try Files.changeMode(folder.path("a"), mode: 0o777)
            let error = failure { _ = try StateRoot.open(folder.path("link/b")) }
            #expect(error?.contains("/a can be written by everybody") == true)
        }
    }
}
