package import JSON
internal import OCISpec

/// `doctor`: what a host can do for containers, what each gap costs, and the command that fixes it.
public struct Doctor: Sendable {
    /// The version of the JSON form. It grows by keys; it changes when a key's meaning does.
    public static let schema = 1

    /// All that was found, in the order of the report.
    public let findings: [HostFinding]
    /// The host in a few words.
    public let host: String

    init(_ facts: HostFacts) {
        findings = HostChecks(facts: facts).findings()
        host = "\(facts.system), Linux \(facts.release), \(facts.machine), as \(facts.userName)"
    }

    /// Looks at this host, as the user who asks. Leaves nothing behind; two children that end at once are made for it.
    public static func examine() -> Doctor { Doctor(HostFacts.gather()) }

    /// Whether containers can be run here.
    public var isFit: Bool { !findings.contains { $0.verdict == .missing && $0.isEssential } }

    /// The report for people.
    ///
    /// - Parameter isColored: whether verdicts are coloured, for a terminal.
    public func text(isColored: Bool = false) -> String {
        var text = "runbox doctor: \(verdict)\n\(host)\n"
        for group in HostFinding.Group.allCases {
            let members = findings.filter { $0.group == group }
            if members.isEmpty { continue }
            text += "\n\(group.rawValue)\n"
            for finding in members {
                let word = Self.pad(finding.verdict.rawValue)
                text += "  \(isColored ? finding.verdict.colored(word) : word)\(finding.summary)\n"
                if let cost = finding.cost { text += "          costs: \(cost)\n" }
                if let remedy = finding.remedy { text += "          fix:   \(remedy)\n" }
            }
        }
        return text
    }

    /// What all findings come to: the first line of the report, which a reader in a hurry stops at.
    private var verdict: String {
        let missing = findings.filter { $0.verdict == .missing }.count
        let warnings = findings.filter { $0.verdict == .warn }.count
        let needed = findings.filter { $0.verdict == .missing && $0.isEssential }.count
        let counts = "\(missing) missing, \(warnings) warning\(warnings == 1 ? "" : "s")"
        if needed > 0 { return "not fit to run containers: \(counts); \(needed) of what is missing all of them need" }
        return missing == 0
            ? "fit to run containers: \(counts)"
            : "fit to run containers: \(counts); those that ask for what is missing fail"
    }

    private static func pad(_ word: String) -> String { word + String(repeating: " ", count: max(1, 8 - word.count)) }

    /// The report for programs.
    package func write(to writer: inout Writer) {
        writer.object { object in
            object.member("version", Self.schema)
            // The key's name in runbox 0.1.
            object.member("schema", Self.schema)
            object.member("host", host)
            object.member("fit", isFit)
            object.key("findings")
            object.array { array in
                for finding in findings { finding.write(to: &array) }
            }
        }
    }
}

extension HostFinding.Verdict {
    /// ECMA-48: green, yellow, red.
    fileprivate func colored(_ word: String) -> String {
        let color =
            switch self {
            case .ok: 32
            case .warn: 33
            case .missing: 31
            }
        return "\u{1b}[\(color)m\(word)\u{1b}[0m"
    }
}

extension HostFinding {
    fileprivate func write(to writer: inout Writer) {
        writer.object { object in
            object.member("id", id)
            object.member("group", group.rawValue)
            object.member("verdict", verdict.rawValue)
            object.member("essential", isEssential)
            object.member("summary", summary)
            if let cost { object.member("cost", cost) }
            if let remedy { object.member("remedy", remedy) }
        }
    }
}
