import Kernel
import KernelTypes
import Planning
import TestSupport
import Testing

@testable import Services

/// What a log warned of.
private final class Warnings {
    var texts: [String] = []
}

@Suite struct ServiceLogTests {
    private let fields = LogFields(name: "web", bundle: "/srv/web")

    private func log(
        _ folder: Folder, size: Int64 = 0, files: Int = 5, compresses: Bool = false, _ warnings: Warnings = Warnings()
    ) throws(SystemError) -> ServiceLog {
        var settings = LogSettings()
        settings.size = size
        settings.files = files
        settings.compresses = compresses
        return try ServiceLog(LogDestination(.file(folder.path("web.log")), settings), fields) {
            warnings.texts.append($0)
        }
    }

    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    /// The records of a file as `stdout F text`.
    private func records(_ folder: Folder, _ name: String = "web.log") throws(SystemError) -> [String] {
        let text = try folder.text(name)
        #expect(text.isEmpty || text.ends(with: "\n"), "no line is cut off")
        return text.parts(by: "\n").map { line in
            let record = CRIRecord(Array(line.utf8)[...])
            #expect(record.moment != nil || line == "foreign" || line == "torn", "\(line)")
            let content = String(decoding: record.content, as: UTF8.self)
            return "\(record.stream.name) \(record.isLast ? "F" : "P") \(content)"
        }
    }

    @Test func writesLinesOfBothStreams() throws {
        try withFolder { folder in
            var log = try log(folder)
            log.take(bytes("one\ntwo\n"), from: .stdout)
            log.take(bytes("oops\n"), from: .stderr)
            #expect(try records(folder) == ["stdout F one", "stdout F two", "stderr F oops"])
            #expect(try Files.status(folder.path("web.log")).permissions & ~0o022 == 0o640 & ~0o022)
            #expect(log.deadline == nil, "nothing is to be done")
            log.note("the container is started again")
            #expect(try records(folder).last == "stderr F runbox: the container is started again")
        }
    }

    @Test func begunLinesWaitForTheirRest() throws {
        try withFolder { folder in
            var log = try log(folder)
            log.take(bytes("pass"), from: .stdout)
            #expect(try records(folder) == [] && log.deadline != nil)
            log.take(bytes("word: \n"), from: .stdout)
            #expect(try records(folder) == ["stdout F password: "] && log.deadline == nil)
            log.take(bytes("? "), from: .stdout)
            while let deadline = log.deadline, !deadline.hasPassed { MonotonicClock.sleep(milliseconds: 5) }
            log.tick()
            #expect(try records(folder).last == "stdout P ? " && log.deadline == nil)
            log.take(bytes("yes\nlast"), from: .stdout)
            log.endOfContainer()
            #expect(try records(folder).suffix(2) == ["stdout F yes", "stdout F last"])
        }
    }

    @Test func longLinesAreCutAt16KiB() throws {
        try withFolder { folder in
            var log = try log(folder)
            log.take(bytes(String(repeating: "x", count: 40_000) + "\n"), from: .stdout)
            let lengths = try records(folder).map { $0.utf8.count - 9 }
            #expect(lengths == [16384, 16384, 40_000 - 2 * 16384])
            #expect(try records(folder).map { String($0.prefix(8)) } == ["stdout P", "stdout P", "stdout F"])
        }
    }

    @Test func rotatesBySizeBetweenLines() throws {
        try withFolder { folder in
            var log = try log(folder, size: 500, files: 3)
            for number in 0..<50 { log.take(bytes("line \(number)\n"), from: .stdout) }
            #expect(try folder.names() == ["web.log", "web.log.1", "web.log.2"])
            let all = try records(folder, "web.log.2") + records(folder, "web.log.1") + records(folder)
            let last = 50 - all.count
            #expect(all == (last..<50).map { "stdout F line \($0)" }, "none is missing, none is twice")
            for name in try folder.names() { #expect(try Files.status(folder.path(name)).size <= 500) }
        }
    }

    @Test func oneBatchMayFillManyFiles() throws {
        try withFolder { folder in
            var log = try log(folder, size: 300, files: 100)
            log.take(bytes((0..<100).map { "line \($0)\n" }.joined()), from: .stdout)
            let names = (1...100).reversed().map { "web.log.\($0)" }.filter { folder.has($0) } + ["web.log"]
            #expect(names.count > 10)
            let all = try names.flatMap { try records(folder, $0) }
            #expect(all == (0..<100).map { "stdout F line \($0)" })
        }
    }

    @Test func aLongLineStaysInOneFile() throws {
        try withFolder { folder in
            var log = try log(folder, size: 20_000)
            log.take(bytes("first\n"), from: .stdout)
            log.take(bytes(String(repeating: "x", count: 100_000)), from: .stdout)
            log.take(bytes("end\nnext\n"), from: .stdout)
            let full = try records(folder, "web.log.1")
            #expect(full.count == 8 && full.first == "stdout F first" && full.last?.ends(with: "xend") == true)
            #expect(try records(folder) == ["stdout F next"])
            // But not for ever.
            for _ in 0..<40 { log.take(bytes(String(repeating: "y", count: 65_536)), from: .stdout) }
            #expect(try Files.status(folder.path("web.log")).size < 1_200_000)
            #expect(try Files.status(folder.path("web.log.1")).size < 1_200_000)
        }
    }

    @Test func oneFileIsBegunAnew() throws {
        try withFolder { folder in
            var log = try log(folder, size: 200, files: 1)
            for number in 0..<20 { log.take(bytes("line \(number)\n"), from: .stdout) }
            #expect(try folder.names() == ["web.log"])
            #expect(try records(folder).last == "stdout F line 19")
        }
    }

    @Test func followsWhatOthersDoToTheFile() throws {
        try withFolder { folder in
            var log = try log(folder)
            func line(_ text: String) { log.take(bytes("\(text)\n"), from: .stdout) }
            let directory = try folder.open()
            line("a")
            try Files.remove(folder.path("web.log"))
            line("b")
            #expect(try records(folder) == ["stdout F b"], "deleted")
            try Files.rename("web.log", replacing: "old", at: directory)
            line("c")
            #expect(try records(folder, "old") == ["stdout F b"] && records(folder) == ["stdout F c"], "moved away")
            try Files.rename("web.log", replacing: "old", at: directory)
            try folder.write("web.log", "foreign\n")
            line("d")
            #expect(try records(folder) == ["stdout F foreign", "stdout F d"], "moved away, and made anew")
            try Files.setSize(0, of: Files.open(folder.path("web.log"), .writeOnly))
            line("e")
            #expect(try records(folder) == ["stdout F e"], "cut off, without a hole at its beginning")
            line("f")
            #expect(try records(folder) == ["stdout F e", "stdout F f"])
        }
    }

    @Test func endsTheLineThatAKilledWriterHasTorn() throws {
        try withFolder { folder in
            try folder.write("web.log", "torn")
            var log = try log(folder)
            log.take(bytes("whole\n"), from: .stdout)
            #expect(try folder.text("web.log").begins(with: "torn\n"))
            #expect(try records(folder).last == "stdout F whole")
        }
    }

    private func refusal(_ folder: Folder) -> String {
        do throws(SystemError) {
            _ = try log(folder)
            return "it was opened"
        } catch {
            return "\(error)"
        }
    }

    @Test func refusesWhatIsNoLogOfItsOwn() throws {
        try withFolder { folder in
            try folder.write("victim", "untouched")
            try folder.link("web.log", to: "victim")
            #expect(refusal(folder).containsText("web.log is a symbolic link; remove it, or name the file itself"))
            try Files.remove(folder.path("web.log"))
            try folder.link("web.log", to: "nowhere")
            #expect(refusal(folder).containsText("is a symbolic link"), "a link that would make a file elsewhere")
            #expect(!folder.has("nowhere"))
            try Files.remove(folder.path("web.log"))
            try Files.makeFIFO(folder.path("web.log"), mode: 0o600)
            #expect(refusal(folder).containsText("is no regular file"))
            try Files.remove(folder.path("web.log"))
            try folder.makeDirectory("web.log")
            #expect(refusal(folder).containsText("is no regular file"))
            try Files.removeDirectory(folder.path("web.log"))
            try Files.makeHardLink(ByteName("victim"), at: folder.open(), to: ByteName("web.log"), at: folder.open())
            #expect(refusal(folder).containsText("hard links"))
            try Files.remove(folder.path("web.log"))
            #expect(try folder.text("victim") == "untouched")
            try Files.changeMode(folder.path, mode: 0o777)
            #expect(refusal(folder).containsText("can be written by everybody, who could put another file"))
            try Files.changeMode(folder.path, mode: 0o700)
        }
    }

    @Test(.enabled(if: Credentials.effectiveUser == 0, "needs root, to give files away"))
    func refusesOthersFiles() throws {
        try withFolder { folder in
            try folder.write("web.log")
            try Files.changeOwner("web.log", at: folder.open(), owner: 4242, group: 4242)
            #expect(refusal(folder).containsText("belongs to user 4242, who could change what is written"))
            try Files.remove(folder.path("web.log"))
            try Files.changeOwner(of: Files.open(folder.path, .readOnly), owner: 4242, group: 4242)
            #expect(refusal(folder).containsText("belongs to user 4242, who could put another file"))
        }
    }

    /// A link that comes later is no way out either; the lines wait until it is gone.
    @Test func aLinkInPlaceOfTheLogIsNotFollowed() throws {
        try withFolder { folder in
            let warnings = Warnings()
            var log = try log(folder, warnings)
            log.take(bytes("a\n"), from: .stdout)
            try folder.write("victim", "untouched")
            try Files.remove(folder.path("web.log"))
            try folder.link("web.log", to: "victim")
            log.take(bytes("b\n"), from: .stdout)
            #expect(warnings.texts.count == 1 && warnings.texts[0].containsText("is a symbolic link"))
            #expect(try folder.text("victim") == "untouched")
            try Files.remove(folder.path("web.log"))
            wait(&log)
            #expect(try records(folder) == ["stdout F b"])
            #expect(warnings.texts.count == 1)
        }
    }

    /// Lets the log do what is due until nothing is.
    private func wait(_ log: inout ServiceLog) {
        let end = Deadline(milliseconds: 20_000)
        while let deadline = log.deadline, !end.hasPassed {
            while !deadline.hasPassed { MonotonicClock.sleep(milliseconds: 5) }
            log.tick()
        }
    }

    /// What is more than the buffer takes is dropped, and the log says so where it goes on.
    @Test func saysWhatWasDropped() throws {
        try withFolder { folder in
            var log = try log(folder)
            try Files.remove(folder.path("web.log"))
            try folder.link("web.log", to: "nowhere")
            for number in 0..<2000 { log.take(bytes("line \(number) ......................\n"), from: .stdout) }
            log.take(bytes("oops\n"), from: .stderr)
            try Files.remove(folder.path("web.log"))
            wait(&log)
            log.take(bytes("again\n"), from: .stdout)
            let all = try records(folder)
            let kept = all.prefix { $0.begins(with: "stdout F line") }
            #expect(kept.count > 700 && kept.count < 1000, "64 KiB of them: \(kept.count)")
            #expect(Array(kept) == (0..<kept.count).map { "stdout F line \($0) ......................" })
            let words = all.filter { $0.containsText("runbox: ") }
            let begin = "stdout F runbox: \(2000 - kept.count) lines ("
            #expect(words.count == 1 && words[0].begins(with: begin), "\(words)")
            #expect(words.first?.containsText(" bytes) of stdout were dropped since 20") == true)
            #expect(all.last == "stdout F again")
        }
    }

    /// A long line whose rest was dropped is ended, so that the next is not taken for its rest.
    @Test func endsALineWhoseRestWasDropped() throws {
        try withFolder { folder in
            var log = try log(folder)
            log.take(bytes(String(repeating: "x", count: 20_000)), from: .stdout)
            wait(&log)
            try Files.remove(folder.path("web.log"))
            try folder.link("web.log", to: "nowhere")
            log.take(bytes(String(repeating: "y", count: 200_000)), from: .stdout)
            try Files.remove(folder.path("web.log"))
            log.take(bytes("z\nnext\n"), from: .stdout)
            wait(&log)
            log.take(bytes("again\n"), from: .stdout)
            let all = try records(folder)
            let end = try #require(all.firstIndex { $0.begins(with: "stdout F") })
            #expect(all[..<end].allSatisfy { $0.begins(with: "stdout P") })
            #expect(
                all[end] == "stdout F " && all[end + 1].begins(with: "stdout F runbox: 2 lines ("), "\(all[end...])")
            #expect(all.last == "stdout F again")
        }
    }
}

extension String {
    fileprivate func containsText(_ text: String) -> Bool { contains(text) }
}

/// With a journal of the test's own.
@Suite struct JournalTests {
    private func bytes(_ text: String) -> ArraySlice<UInt8> { Array(text.utf8)[...] }

    @Test func valuesWithNewlinesHaveALength() {
        var entry: [UInt8] = []
        JournalEntry.append("A", bytes("b"), to: &entry)
        JournalEntry.append("C", bytes("d\ne"), to: &entry)
        #expect(entry == Array("A=b\nC\n\u{3}\0\0\0\0\0\0\0d\ne\n".utf8))
    }

    private func journal(
        _ folder: Folder, room: Int32? = nil, _ warn: @escaping (String) -> Void = { _ in }
    ) throws(SystemError) -> ServiceLog {
        var destination = LogDestination(.journal)
        destination.journalSocket = folder.path("socket")
        destination.journalRoom = room
        return try ServiceLog(destination, LogFields(name: "web", bundle: "/srv/a\nb"), warn: warn)
    }

    private func listen(_ folder: Folder) throws(SystemError) -> Descriptor {
        try Sockets.bindDatagram("socket", at: folder.open(), mode: 0o600)
    }

    private func next(_ socket: borrowing Descriptor) throws(SystemError) -> String? {
        guard let packet = try Sockets.receiveAvailable(on: socket, limit: 1 << 20) else { return nil }
        return String(decoding: packet.bytes, as: UTF8.self)
    }

    /// The descriptor that comes alone.
    private func descriptor(from socket: borrowing Descriptor) throws(SystemError) -> Descriptor {
        guard var packet = try Sockets.receiveAvailable(on: socket, limit: 1 << 20) else {
            throw SystemError("recv", "", .noEntry)
        }
        #expect(packet.bytes.isEmpty)
        return try unwrap(packet.descriptor.take())
    }

    @Test func eachLineIsAnEntry() throws {
        try withFolder { folder in
            let socket = try listen(folder)
            var log = try journal(folder)
            log.take(bytes("one\n"), from: .stdout)
            log.take(bytes("two\n"), from: .stderr)
            let fields =
                "SYSLOG_IDENTIFIER=web\nCONTAINER_NAME=web\nCONTAINER_ID=web\nCONTAINER_ID_FULL=web\n"
                + "RUNBOX_BUNDLE\n\u{8}\0\0\0\0\0\0\0/srv/a\nb\n"
            #expect(try next(socket) == "MESSAGE=one\nPRIORITY=6\nRUNBOX_STREAM=stdout\n" + fields)
            #expect(try next(socket) == "MESSAGE=two\nPRIORITY=3\nRUNBOX_STREAM=stderr\n" + fields)
            log.take(bytes(String(repeating: "x", count: 50_000) + "\n"), from: .stdout)
            #expect(try next(socket)?.contains("\nCONTAINER_PARTIAL_MESSAGE=true\n") == true)
            #expect(try next(socket)?.contains("CONTAINER_PARTIAL_MESSAGE") == false)
        }
    }

    /// What is longer than a packet comes as a sealed memory file.
    @Test func longEntriesAreMemoryFiles() throws {
        try withFolder { folder in
            let socket = try listen(folder)
            var log = try journal(folder, room: 4096)
            log.take(bytes(String(repeating: "x", count: 20_000) + "\n"), from: .stdout)
            let file = try descriptor(from: socket)
            let isSealed = Files.isSealed(file)
            #expect(isSealed)
            try Files.rewind(file)
            let text = String(decoding: try Files.read(file), as: UTF8.self)
            #expect(text.begins(with: "MESSAGE=xxx") && text.utf8.count > 20_000)
        }
    }

    /// A journal that takes nothing for a while gets what has waited, and the number of what was dropped.
    @Test func anOverflowIsCounted() throws {
        try withFolder { folder in
            let socket = try listen(folder)
            var log = try journal(folder)
            for number in 0..<2000 { log.take(bytes("line \(number)\n"), from: .stdout) }
            var seen: [String] = []
            let end = Deadline(milliseconds: 20_000)
            while !end.hasPassed {
                while let entry = try next(socket) { seen.append(entry.parts(by: "\n")[0]) }
                guard let deadline = log.deadline else { break }
                while !deadline.hasPassed { MonotonicClock.sleep(milliseconds: 5) }
                log.tick()
            }
            while let entry = try next(socket) { seen.append(entry.parts(by: "\n")[0]) }
            let last = try #require(seen.last)
            #expect(seen.dropLast() == (0..<seen.count - 1).map { "MESSAGE=line \($0)" }[...])
            #expect(last.begins(with: "MESSAGE=runbox: \(2000 - seen.count + 1) lines ("), "\(last)")
        }
    }

    /// Another socket at the same path is another journal; without one, lines wait.
    @Test func aJournalMayBeStartedAnew() throws {
        try withFolder { folder in
            var warnings: [String] = []
            var log = try journal(folder) { warnings.append($0) }
            log.take(bytes("early\n"), from: .stdout)
            #expect(warnings.count == 1 && warnings[0].begins(with: "the log cannot be written: "))
            for _ in 0..<2 {
                let socket = try listen(folder)
                log.take(bytes("line\n"), from: .stdout)
                var seen: [String] = []
                let end = Deadline(milliseconds: 20_000)
                while seen.last != "MESSAGE=line", !end.hasPassed {
                    MonotonicClock.sleep(milliseconds: 20)
                    log.tick()
                    while let entry = try next(socket) { seen.append(entry.parts(by: "\n")[0]) }
                }
                #expect(seen.last == "MESSAGE=line", "\(seen)")
            }
        }
    }
}
