import Foundation
import Testing

extension AllTests {
    /// The completions: bash and fish are asked what they offer, zsh reads its file.
    @Suite struct Completions {
        // MARK: bash

        /// What bash offers for the last of the words.
        private static func bash(_ words: [String], in directory: String? = nil) throws -> [String] {
            let box = try Sandbox.current
            let script = try box.file("runbox.bash", try text("bash"))
            let ask = """
                source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _runbox "$1"; printf '%s\\n' "${COMPREPLY[@]}"
                """
            var surroundings = Surroundings()
            surroundings.directory = directory
            let outcome = try box.aside(
                ["bash", "--norc", "-c", ask, script, Programs.runtime] + words, surroundings
            ).wait()
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.stdout.split(separator: "\n").map(String.init)
        }

        private static func text(_ shell: String) throws -> String {
            let outcome = try Sandbox.current.plain(["completion", shell])
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.stdout
        }

        @Test func bashOffersEveryCommand() throws {
            let help = try HelpText.read()
            #expect(try Self.bash([""]).sorted() == (help.commands.map(\.name) + ["help"]).sorted())
            #expect(try Self.bash(["--debug", "--root", "run", "sta"]) == ["start", "state", "stats"])
        }

        @Test func bashOffersEveryFlag() throws {
            let help = try HelpText.read()
            #expect(try Self.bash(["--"]) == help.global.map { "--\($0.name)" })
            for command in help.commands {
                #expect(try Self.bash([command.name, "--"]) == command.flags.map { "--\($0.name)" }, "\(command)")
            }
        }

        /// A flag whose help shows its words must offer them; so a new one cannot be forgotten.
        @Test func bashOffersTheWordsOfAFlag() throws {
            let help = try HelpText.read()
            let enumeration = /\(default\)(?:,| or)|^\w+, \w+(?:, \w+)* or \w+/
            var count = 0
            for (command, flags) in [(String?.none, help.global)] + help.commands.map({ ($0.name, $0.flags) }) {
                for flag in flags
                where flag.value != nil && flag.value != "TIME" && flag.text.contains(enumeration) {
                    let words = flag.text.prefix { $0 != ";" && $0 != ":" }
                        .replacingOccurrences(of: "(default)", with: "").split(whereSeparator: { " ,".contains($0) })
                    let offered = try Self.bash((command.map { [$0] } ?? []) + ["--\(flag.name)", ""])
                    #expect(!offered.isEmpty, "\(command ?? "") \(flag)")
                    #expect(offered.allSatisfy { words.contains(Substring($0)) }, "\(offered) are not of \(words)")
                    count += 1
                }
            }
            #expect(count >= 6)
        }

        @Test func bashUnderstandsEqualsSigns() throws {
            // Bash makes a word of its own of each `=`.
            #expect(try Self.bash(["list", "--format", "=", "j"]) == ["json"])
            #expect(try Self.bash(["list", "--format", "="]) == ["table", "json"])
            #expect(try Self.bash(["list", "--format=j"]) == ["--format=json"])
            #expect(try Self.bash(["--debug", "=", "true", "sta"]) == ["start", "state", "stats"])
            #expect(try Self.bash(["list", "-f", "t"]) == ["table"])
            #expect(try Self.bash(["-log-format", "j"]) == ["json"])
        }

        @Test func bashOffersContainers() throws {
            let box = try Sandbox.current
            for suffix in ["a", "b"] { _ = try box.create(try box.bundle("exit:0"), id: box.id(suffix)) }
            let names = [box.id("a"), box.id("b")]
            #expect(try Self.bash(["--root", box.root, "state", ""]) == names)
            #expect(try Self.bash(["--root", "=", box.root, "delete", "--force", box.id("b")]) == [names[1]])
            #expect(try Self.bash(["--root=\(box.root)", "kill", box.id]) == names)
            #expect(try Self.bash(["--root", box.root, "exec", "--cwd", "/", ""]) == names)
            #expect(try Self.bash(["--root", box.path("elsewhere"), "state", ""]) == [])
        }

        @Test func bashOffersFoldersAndFiles() throws {
            let box = try Sandbox.current
            try box.folder("place/bundle one")
            try box.file("place/file", "")
            let place = box.path("place")
            #expect(try Self.bash(["run", ""], in: place) == ["bundle one"])
            #expect(try Self.bash(["create", "--bundle", "b"], in: place) == ["bundle one"])
            #expect(try Self.bash(["run", "--pid-file", ""], in: place).sorted() == ["bundle one", "file"])
            #expect(try Self.bash(["run", "--pid-file", "=", "fi"], in: place) == ["file"])
        }

        @Test func bashOffersSignalsAndCapabilities() throws {
            #expect(try Self.bash(["kill", "x", "TE"]) == ["TERM"])
            #expect(try Self.bash(["exec", "--cap", "CAP_SYS_CH"]) == ["CAP_SYS_CHROOT"])
            #expect(try Self.bash(["help", "sta"]) == ["start", "state", "stats"])
        }

        @Test func bashOffersNothingForTheProgramOfExec() throws {
            #expect(try Self.bash(["exec", "x", "--"]) == [])
            #expect(try Self.bash(["exec", "x", "sh", "--de"]) == [])
            #expect(try Self.bash(["exec", "--de"]) == ["--detach"])
            #expect(try Self.bash(["state", "--", "--"]) == [])
        }

        // MARK: zsh

        @Test func zshHasEveryCommandAndFlag() throws {
            let help = try HelpText.read()
            let text = try Self.text("zsh")
            #expect(text.hasPrefix("#compdef runbox\n"))
            for flag in help.global { #expect(text.contains(flag.inZsh), "\(flag)") }
            for command in help.commands {
                #expect(text.contains("\n    '\(command.name):\(command.summary.forZsh)'\n"), "\(command)")
                let branch =
                    text.components(separatedBy: "\n  \(command.name))\n").last?
                    .components(separatedBy: "\n    ;;").first ?? ""
                for flag in command.flags { #expect(branch.contains(flag.inZsh), "\(command) \(flag)") }
            }
        }

        @Test(.needsProgram("zsh")) func zshReadsItsCompletion() throws {
            let box = try Sandbox.current
            let outcome = try box.aside(["zsh", "-f", "-n", box.file("_runbox", Self.text("zsh"))]).wait()
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
        }

        // MARK: fish

        /// What fish offers at the end of a command line, without the descriptions.
        private static func fish(_ line: String) throws -> [String] {
            let box = try Sandbox.current
            let script = try box.file("runbox.fish", try text("fish"))
            // By this name, whatever the executable under test is called.
            if !FileManager.default.fileExists(atPath: box.path("runbox")) {
                try FileManager.default.createSymbolicLink(
                    atPath: box.path("runbox"), withDestinationPath: Programs.runtime)
            }
            var surroundings = Surroundings(environment: [
                "HOME": box.directory, "PATH": "\(box.directory):/usr/bin:/bin", "LINE": line,
            ])
            surroundings.directory = try box.folder("fish")
            let outcome = try box.aside(
                ["fish", "--no-config", "-c", "source \(script); complete -C $LINE"], surroundings
            ).wait()
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            return outcome.stdout.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
        }

        @Test func fishHasEveryCommandAndFlag() throws {
            let help = try HelpText.read()
            let lines = try Self.text("fish").split(separator: "\n")
            for command in help.commands {
                #expect(lines.contains { $0.contains("_before_command -a \(command.name) -d '") }, "\(command)")
                for flag in command.flags {
                    #expect(
                        lines.contains { $0.contains("in \(command.name)' -l \(flag.name) ") }, "\(command) \(flag)")
                }
            }
            for flag in help.global {
                #expect(lines.contains { $0.contains("-n __runbox_before_command -l \(flag.name) ") }, "\(flag)")
            }
        }

        @Test(.needsProgram("fish")) func fishOffersCommandsFlagsAndContainers() throws {
            let box = try Sandbox.current
            let help = try HelpText.read()
            #expect(try Self.fish("runbox ").sorted() == (help.commands.map(\.name) + ["help"]).sorted())
            #expect(try Self.fish("runbox --debug --root run sta").sorted() == ["start", "state", "stats"])
            for command in help.commands {
                let offered = try Self.fish("runbox \(command.name) --").filter { $0.hasPrefix("--") }
                #expect(offered.sorted() == command.flags.map { "--\($0.name)" }.sorted(), "\(command)")
            }
            #expect(try Self.fish("runbox list --format ").sorted() == ["json", "table"])
            #expect(try Self.fish("runbox list --format=j") == ["--format=json"])
            _ = try box.create(try box.bundle("exit:0"))
            #expect(try Self.fish("runbox --root \(box.root) state ") == [box.id])
            #expect(try Self.fish("runbox --root=\(box.root) exec --cwd / ") == [box.id])
            #expect(try Self.fish("runbox exec x --de") == [])
            #expect(try Self.fish("runbox kill x TER") == ["TERM"])
            try box.folder("fish/bundle")
            try box.file("fish/file", "")
            #expect(try Self.fish("runbox run ") == ["bundle/"])
            #expect(try Self.fish("runbox run --pid-file f") == ["file"])
        }

        // MARK: The command

        @Test func anUnknownShellIsAnError() throws {
            let outcome = try Sandbox.current.plain(["completion", "tcsh"])
            #expect(
                outcome.status == 1 && outcome.stderr.contains("tcsh") && outcome.stderr.contains("bash, zsh, fish"))
        }
    }
}

extension HelpText.Flag {
    /// The beginning of its specification for `_arguments`.
    fileprivate var inZsh: String {
        let end = value == nil ? "" : "="
        return short == nil ? "--\(name)\(end)'[" : ",--\(name)\(end)}'["
    }
}

extension String {
    fileprivate var forZsh: String { replacingOccurrences(of: "'", with: #"'\''"#) }
}
