import JSON
import Testing

@testable import Services

@Suite struct StatsTableTests {
    @Test(
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "0.9KiB"), (1024, "1.0KiB"), (1536, "1.5KiB"), (102_399, "99.9KiB"),
            (102_400, "100KiB"), (1_023_999, "999KiB"), (1_024_000, "0.9MiB"), (134_217_728, "128MiB"),
            (UInt64.max, "15.9EiB"),
        ] as [(UInt64, String)])
    func sizesHaveThreeDigits(bytes: UInt64, text: String) { #expect(StatsTable.size(bytes) == text) }

    @Test(
        arguments: [
            (1_500_000_000, 1_000_000_000, 1000, 5000), (1_000_000_000, 1_000_000_000, 1000, 0),
            (3_000_000_000, 0, 1000, 30_000), (1_000_000, 0, 1000, 10), (500_000_000, 2_000_000_000, 1000, 5000),
            (1, 0, 0, nil), (1, 0, -5, nil), (UInt64.max, 0, 1000, nil),
        ] as [(UInt64, UInt64, Int64, UInt64?)])
    func sharesAreOfOneProcessor(now: UInt64, before: UInt64, milliseconds: Int64, share: UInt64?) {
        #expect(StatsRow.share(used: now, before: before, in: milliseconds) == share)
    }

    private var rows: [StatsRow] {
        var web = StatsRow(name: "web", status: "healthy")
        (web.cpu, web.memory, web.memoryLimit, web.processes, web.restarts) = (1234, 1 << 20, 128 << 20, 3, 2)
        (web.pressure.cpu, web.pressure.io) = (5, 1200)
        (web.bytesRead, web.bytesWritten) = (0, 2048)
        return [StatsRow(name: "db", status: "stopped"), web]
    }

    @Test func columnsAreBelowEachOther() {
        #expect(
            StatsTable.lines(rows) == [
                "NAME  STATUS   CPU %      MEM / LIMIT  PSI CPU/MEM/IO  IO READ / WRITE  PIDS  RESTARTS",
                "db    stopped      -                -           -/-/-            - / -     -         -",
                "web   healthy   12.3  1.0MiB / 128MiB    0.05/-/12.00      0B / 2.0KiB     3         2",
            ])
    }

    @Test func linesAreCutToTheWindow() {
        for width in 0...100 {
            for line in StatsTable.lines(rows, width: width) { #expect(line.unicodeScalars.count <= width) }
        }
        let colored = StatsTable.lines(rows, width: 9) { word, text in "<\(word)|\(text)>" }
        #expect(colored == ["NAME  STA", "db    <stopped|sto>", "web   <healthy|hea>"])
    }

    @Test func whatIsNotCountedIsAbsent() {
        var writer = Writer()
        writer.array { array in
            for row in rows { row.write(to: &array) }
        }
        #expect(
            String(decoding: writer.finish(), as: UTF8.self)
                == #"[{"name":"db","status":"stopped"},{"name":"web","status":"healthy","restarts":2,"cpu":{"percent":12.34},"#
                + #""memory":{"usage":1048576,"limit":134217728},"pressure":{"cpu":0.05,"io":12},"#
                + #""io":{"read":0,"written":2048},"processes":{"count":3}}]"#)
    }
}
