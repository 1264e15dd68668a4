/// The table of `stats`: one line a container, below one of headings.
package enum StatsTable {
    private static let headings = [
        "NAME", "STATUS", "CPU %", "MEM / LIMIT", "PSI CPU/MEM/IO", "IO READ / WRITE", "PIDS", "RESTARTS",
    ]
    /// The columns of numbers, which end below each other.
    private static let firstNumber = 2
    /// The one that may be coloured.
    private static let status = 1

    /// - Parameters:
    ///   - width: what a line has at most; nil for as much as it takes.
    ///   - colors: what gives a status its colour; it gets the word and the text that is to be coloured.
    package static func lines(
        _ rows: [StatsRow], width: Int? = nil, colored: (String, String) -> String = { _, text in text }
    ) -> [String] {
        let cells = [headings] + rows.map(cells)
        let widths = headings.indices.map { column in cells.map { $0[column].unicodeScalars.count }.max() ?? 0 }
        return cells.indices.map { index in
            var left = width ?? .max
            var line = ""
            for column in headings.indices where left > 0 {
                let cell = cells[index][column]
                var text = pad(cell, widths[column], atEnd: column < firstNumber)
                if column > 0 { line += cut("  ", &left) }
                text = cut(text, &left)
                line += column == status && index > 0 ? colored(cell, text) : text
            }
            return line
        }
    }

    private static func cells(_ row: StatsRow) -> [String] {
        [
            row.name, row.status, percent(row.cpu), pair(row.memory, row.memoryLimit, size),
            [row.pressure.cpu, row.pressure.memory, row.pressure.io].map { $0.map(hundredths) ?? "-" }
                .joined(separator: "/"),
            "\(row.bytesRead.map(size) ?? "-") / \(row.bytesWritten.map(size) ?? "-")",
            row.processes.map { "\($0)" } ?? "-", row.restarts.map { "\($0)" } ?? "-",
        ]
    }

    /// What is used, and the limit where there is one.
    private static func pair(_ used: UInt64?, _ limit: UInt64?, _ text: (UInt64) -> String) -> String {
        guard let used else { return "-" }
        return "\(text(used)) / \(limit.map(text) ?? "-")"
    }

    private static func percent(_ hundredths: UInt64?) -> String { hundredths.map { "\(tenths($0 / 10))" } ?? "-" }

    private static func tenths(_ value: UInt64) -> String { "\(value / 10).\(value % 10)" }

    private static func hundredths(_ value: UInt64) -> String {
        "\(value / 100).\(value % 100 < 10 ? "0" : "")\(value % 100)"
    }

    /// Three digits at most, and a unit: `512B`, `1.5KiB`, `128MiB`.
    package static func size(_ bytes: UInt64) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
        var unit = 0
        var scale: UInt64 = 1
        // 1023.5 KiB are a MiB as it is shown.
        while unit < units.count - 1, bytes / scale >= 1000 {
            scale <<= 10
            unit += 1
        }
        if unit == 0 { return "\(bytes)B" }
        let whole = bytes / scale
        if whole >= 100 { return "\(whole)\(units[unit])" }
        return "\(whole).\(bytes % scale * 10 / scale)\(units[unit])"
    }

    private static func pad(_ text: String, _ width: Int, atEnd: Bool) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.unicodeScalars.count))
        return atEnd ? text + blanks : blanks + text
    }

    /// As much of a text as is left of a line.
    private static func cut(_ text: String, _ left: inout Int) -> String {
        let count = text.unicodeScalars.count
        defer { left -= min(left, count) }
        if count <= left { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.prefix(left)))
    }
}
