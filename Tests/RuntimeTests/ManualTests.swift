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
