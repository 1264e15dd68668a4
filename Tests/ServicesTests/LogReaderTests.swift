import Kernel
import KernelTypes
import TestSupport
import Testing

@testable import Services

@Suite struct LogReaderTests {
    private final class Seen {
        var text = ""
    }

    private func write(_ folder: Folder, _ name: String, _ lines: [String]) throws(SystemError) {
        try folder.write(name, lines.map { "2026-01-02T03:04:\($0)\n" }.joined())
    }

    /// `o` before what is for standard output, `e` before what is for standard error.
    private func show(
        _ folder: Folder, times: Bool = false, _ change: (inout LogSelection) -> Void = { _ in }
    ) throws(SystemError) -> String {
        var selection = LogSelection()
        change(&selection)
        let seen = Seen()
        var reader = try LogReader(folder.path("web.log"), selection, showsTimes: times) { text, stream in
            seen.text += "\(stream == .stdout ? "o" : "e"):\(String(decoding: text, as: UTF8.self))"
            return true
        }
        _ = try reader.show()
        return seen.text
    }

    private func twoFiles(_ folder: Folder) throws(SystemError) {
        try write(folder, "web.log.1", ["01Z stdout F a", "02Z stdout P b1", "02Z stderr F x"])
        try write(folder, "web.log", ["03Z stdout F b2", "04Z stdout F c", "05Z stderr P y1", "06Z stderr F y2"])
    }

    @Test func linesGoOnInTheNextFile() throws {
        try withFolder { folder in
            try twoFiles(folder)
            #expect(try show(folder) == "o:a\nb1e:x\no:b2\nc\ne:y1y2\n")
        }
    }

    @Test(arguments: [
        (0, ""), (1, "e:y1y2\n"), (2, "o:c\ne:y1y2\n"), (3, "o:b2\nc\ne:y1y2\n"),
        (99, "o:a\nb1e:x\no:b2\nc\ne:y1y2\n"),
    ])
    func theLastLinesAreCountedWhole(tail: Int, text: String) throws {
        try withFolder { folder in
            try twoFiles(folder)
            #expect(try show(folder) { $0.tail = tail } == text)
        }
    }

    @Test func selectsByTimeAndStream() throws {
        try withFolder { folder in
            try twoFiles(folder)
            let second: Int64 = 1_000_000_000
            let start = try #require(LogTime.moment("2026-01-02T03:04:00Z", now: 0))
            #expect(try show(folder) { $0.stream = .stderr } == "e:x\ny1y2\n")
            #expect(try show(folder) { $0.since = start + 4 * second } == "o:c\ne:y1y2\n")
            #expect(try show(folder) { $0.until = start + 1 * second } == "o:a\n")
            // A line's beginning decides for all of it.
            #expect(try show(folder) { $0.until = start + 5 * second } == "o:a\nb1e:x\no:b2\nc\ne:y1y2\n")
            #expect(
                try show(folder) {
                    $0.since = start + 3 * second
                    $0.tail = 1
                    $0.stream = .stdout
                } == "o:c\n")
            #expect(
                try show(folder, times: true) { $0.stream = .stderr }
                    == "e:2026-01-02T03:04:02Z x\n2026-01-02T03:04:05Z y1y2\n")
        }
    }

    @Test func whatIsNoRecordIsShownAsItIs() throws {
        try withFolder { folder in
            try folder.write("web.log", "hello\n2026-01-02T03:04:05Z stdout F a\nnot ended")
            #expect(try show(folder) == "o:hello\na\n", "the last may be about to be written")
            #expect(try show(folder) { $0.since = 0 } == "o:a\n")
        }
    }

    @Test func aMissingFileIsNone() throws {
        try withFolder { folder in
            #expect(try show(folder) == "")
            try write(folder, "web.log.1", ["01Z stdout F a"])
            #expect(try show(folder) == "o:a\n", "between two files")
            try Files.makeFIFO(folder.path("web.log"), mode: 0o600)
            #expect(try show(folder) == "o:a\n", "a FIFO without a writer holds nobody up")
        }
    }
}
