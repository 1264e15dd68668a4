import Foundation

/// The command table as the help text prints it: what manual pages and completions are compared with.
struct HelpText {
    struct Flag: Hashable, CustomStringConvertible {
        let name: String
        let short: String?
        /// The word for its value; nil for a flag that is on or off.
        let value: String?
        let text: String
        var description: String { "--\(name)" }
    }

    struct Command: CustomStringConvertible {
        let name: String
        let summary: String
        let flags: [Flag]
        var description: String { name }
    }

    let global: [Flag]
    let commands: [Command]

    /// Asks the runtime for all of its help texts.
    static func read() throws -> HelpText {
        let overview = try Sandbox.current.plain(["help"]).stdout
        let lines = section("COMMANDS:", of: overview)
        let commands = try lines.filter { !$0.hasPrefix("   help ") }.map { line in
            let words = line.split(separator: " ", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            let text = try Sandbox.current.plain(["help", words[0]]).stdout
            return Command(name: words[0], summary: words[1], flags: section("OPTIONS:", of: text).compactMap(flag))
        }
        let help = HelpText(global: section("GLOBAL OPTIONS:", of: overview).compactMap(flag), commands: commands)
        guard help.commands.count > 10, help.global.count > 5, help.commands.allSatisfy({ !$0.flags.isEmpty }) else {
            throw Trouble("the help text cannot be read: \(help)")
        }
        return help
    }

    private static func section(_ title: String, of text: String) -> [String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard let start = lines.firstIndex(of: title) else { return [] }
        return Array(lines[(start + 1)...].prefix { $0.hasPrefix("   ") })
    }

    private static func flag(_ line: String) -> Flag? {
        guard let match = line.wholeMatch(of: /[ ]{3}--([a-z0-9-]+)(?:, -(\w))?(?: (\S+))? {2,}(\S.*)/) else {
            return nil
        }
        return Flag(
            name: String(match.1), short: match.2.map(String.init), value: match.3.map(String.init),
            text: String(match.4))
    }
}
