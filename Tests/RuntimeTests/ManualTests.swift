import Foundation
import Testing

extension AllTests {
    /// The manual pages: one for each command, with every flag, and nothing that groff or mandoc complains about.
    @Suite struct Manual {
        private static func page(_ name: String) throws -> String {
            let outcome = try Sandbox.current.plain(["man", name])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.stdout
        }

        private static func names() throws -> [String] {
            try Sandbox.current.plain(["man", "--list"]).stdout.split(separator: "\n").map(String.init)
        }

        /// Without escapes, as a reader sees it.
        private static func read(_ page: String) -> String {
            var text = page
            for (escape, plain) in [
                ("\\fB", ""), ("\\fI", ""), ("\\fR", ""), ("\\-", "-"), ("\\(aq", "'"), ("\\(ti", "~"), ("\n", " "),
            ] { text = text.replacingOccurrences(of: escape, with: plain) }
            return text
        }

        @Test func everyCommandHasAPage() throws {
            let help = try HelpText.read()
            #expect(try Self.names() == ["runbox"] + help.commands.map { "runbox-\($0.name)" })
        }

        @Test func theOverviewNamesEveryCommandAndGlobalFlag() throws {
            let help = try HelpText.read()
            let text = Self.read(try Self.page("runbox"))
            for command in help.commands {
                #expect(text.contains("runbox-\(command.name)(1) \(command.summary)"), "\(command)")
            }
            for flag in help.global { #expect(Self.shows(text, flag), "\(flag)") }
        }

        @Test func aPageShowsEveryFlag() throws {
            for command in try HelpText.read().commands {
                let text = Self.read(try Self.page("runbox-\(command.name)"))
                #expect(text.contains("runbox-\(command.name) - \(command.summary)"), "\(text)")
                for flag in command.flags { #expect(Self.shows(text, flag), "\(command) \(flag)") }
            }
        }

        private static func shows(_ text: String, _ flag: HelpText.Flag) -> Bool {
            let short = flag.short.map { ", -\($0)" } ?? ""
            let value = flag.value.map { " \($0)" } ?? ""
            return text.contains(" .TP --\(flag.name)\(short)\(value) \(flag.text)")
        }

        @Test func theOverviewListsEveryExitStatus() throws {
            let text = Self.read(try Self.page("runbox"))
            for status in ["0", "1", "124", "126", "127", "128 + N", "141", "255", "any other"] {
                #expect(text.contains(" .TP \(status) "), "\(status) is missing: \(text)")
            }
        }

        /// With flags that there are.
        @Test func everyCommandHasExamples() throws {
            let help = try HelpText.read()
            for command in help.commands {
                let page = try Self.page("runbox-\(command.name)")
                let parts = page.components(separatedBy: ".SH \"EXAMPLES\"\n")
                #expect(parts.count == 2, "\(command) has no examples")
                let lines = Self.lines(parts.last ?? "")
                #expect(lines.contains { $0.contains("runbox \(command.name)") }, "\(lines)")
                for line in lines { expectFlags(of: line, help) }
            }
        }

        private static func lines(_ text: String) -> [String] {
            text.replacingOccurrences(of: "\\-", with: "-").split(separator: "\n").map(String.init)
        }

        private func expectFlags(of line: String, _ help: HelpText) {
            for call in line.components(separatedBy: "runbox ").dropFirst() {
                let words = call.split { " |#".contains($0) }.map(String.init)
                guard let command = help.commands.first(where: { $0.name == words.first }) else { continue }
                // What follows a container's name belongs to its program.
                let own = ["exec", "ps"].contains(command.name) ? words.prefix { $0 != "web" } : words[...]
                for word in own where word.hasPrefix("--") {
                    #expect(command.flags.contains { "--\($0.name)" == word }, "\(word) in \(line)")
                }
            }
        }

        @Test func aPageOfNothingIsAnError() throws {
            let outcome = try Sandbox.current.plain(["man", "runbox-frobnicate"])
            #expect(outcome.status == 1 && outcome.stderr.contains("frobnicate"), "\(outcome)")
        }

        @Test(.needsProgram("groff")) func groffDoesNotComplain() throws {
            try expectNoComplaint(["groff", "-man", "-ww", "-z"])
        }

        @Test(.needsProgram("mandoc")) func mandocDoesNotComplain() throws {
            try expectNoComplaint(["mandoc", "-T", "lint"])
        }

        @Test(.needsProgram("man")) func manDoesNotComplain() throws {
            try expectNoComplaint(["man", "--warnings", "-l"])
        }

        private func expectNoComplaint(_ checker: [String]) throws {
            let box = try Sandbox.current
            for name in try Self.names() {
                let file = try box.file("\(name).1", try Self.page(name))
                let outcome = try box.aside(checker + [file], Surroundings(environment: ["MANPAGER": "cat"])).wait()
                #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
                if checker[0] == "mandoc" { #expect(outcome.stdout == "", "\(outcome)") }
            }
        }
    }
}
