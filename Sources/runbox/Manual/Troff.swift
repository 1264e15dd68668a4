internal import KernelTypes
internal import OCISpec
internal import Planning

/// Writes the macros of man(7), so that neither groff nor mandoc has anything to complain about.
struct Troff {
    private var lines: [String] = []

    var text: String { lines.joined(separator: "\n") + "\n" }

    init(title: String, summary: String) {
        let name = Self.escaped(title)
        lines = [
            ".\\\" Printed by `runbox man` from the table that runbox reads its commands and flags by.",
            ".TH \(name.inCapitals) 1 \(Release.date) \"runbox \(Release.version)\" \"User Commands\"",
            // Names of commands and flags stay in one piece.
            ".nh",
            ".SH NAME",
        ]
        flowing("\(title) - \(summary)")
    }

    mutating func section(_ title: String) { lines.append(".SH \"\(title)\"") }

    mutating func line(_ line: String, unless isLeftOut: Bool = false) { if !isLeftOut { lines.append(line) } }

    /// Text with words `in backquotes`, which are printed bold.
    mutating func flowing(_ text: String) {
        var line = ""
        for word in Self.marked(text).parts(by: " ") {
            if !line.isEmpty, line.utf8.count + word.utf8.count >= 78 {
                add(line)
                line = ""
            }
            line += line.isEmpty ? word : " \(word)"
        }
        if !line.isEmpty { add(line) }
    }

    /// Paragraphs between empty lines; one that is indented is an example and keeps its lines.
    mutating func paragraphs(_ text: String) {
        var paragraph: [String] = []
        var isFirst = true
        for line in text.parts(by: "\n", keepingEmpty: true) + [""] {
            if !line.isEmpty {
                paragraph.append(line)
                continue
            }
            guard let first = paragraph.first else { continue }
            if !isFirst { lines.append(".PP") }
            isFirst = false
            if first.begins(with: " ") {
                lines += [".RS 4", ".EX"]
                for line in paragraph { add(Self.escaped(line.drop { $0 == " " })) }
                lines += [".EE", ".RE"]
            } else {
                flowing(paragraph.joined(separator: " "))
            }
            paragraph = []
        }
    }

    /// Words and what they mean.
    mutating func items(_ items: [(String, String)]) {
        for (name, text) in items {
            lines += [".TP", "\\fB\(Self.escaped(name))\\fR"]
            flowing(text)
        }
    }

    mutating func flags(_ flags: [Flag]) {
        for flag in flags {
            let short = flag.short.map { ", \\fB\\-\($0)\\fR" } ?? ""
            let value = flag.value.map { " \\fI\(Self.escaped($0))\\fR" } ?? ""
            lines += [".TP", "\\fB\\-\\-\(Self.escaped(flag.name))\\fR\(short)\(value)"]
            flowing(flag.text)
        }
    }

    /// Other pages of section 1.
    mutating func references(_ pages: [String]) {
        for (number, page) in pages.enumerated() {
            lines.append(".BR \(Self.escaped(page)) (1)\(number == pages.count - 1 ? "" : ",")")
        }
    }

    /// A line must not look like a macro.
    private mutating func add(_ line: String) {
        lines.append(line.begins(with: ".") || line.begins(with: "'") ? "\\&\(line)" : line)
    }

    private static func marked(_ text: String) -> String {
        var result = ""
        var isBold = false
        for part in text.parts(by: "`", keepingEmpty: true) {
            result += isBold ? "\\fB\(escaped(part))\\fR" : escaped(part)
            isBold.toggle()
        }
        return result
    }

    /// Every character as itself: a hyphen that can be copied, no escape of its own, nothing beyond ASCII.
    static func escaped(_ text: some StringProtocol) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\e"
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            case "…": "..."
            case _ where !scalar.isASCII: "\\[u\(hexadecimal(scalar.value))]"
            default: String(scalar)
            }
        }.joined()
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
