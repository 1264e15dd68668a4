/// The completion for fish: a line for each command and each flag.
enum FishCompletion {
    static func text(_ commands: [CompletedCommand]) -> String {
        var lines = [
            "# fish completion for runbox. `runbox completion fish` prints it from the table that runbox reads its flags by.",
            "",
        ]
        let withValue = [("", GlobalOptions.flags)] + commands.map { ($0.name, $0.flags) }
        lines.append(
            "# Flags that take the next word as their value, and commands whose arguments belong to a program.")
        lines.append("set -g __runbox_value_flags \(withValue.flatMap { values($0, $1) }.joined(separator: " "))")
        lines.append(
            "set -g __runbox_programs \(commands.filter { $0.takesProgram }.map { $0.name }.joined(separator: " "))")
        lines += [functions, "complete -c runbox -f"]
        lines += GlobalOptions.flags.map { line($0, "__runbox_before_command") }
        for command in commands {
            lines.append(
                "complete -c runbox -n __runbox_before_command -a \(command.name) -d \(quoted(command.summary))")
            lines += command.flags.map { line($0, "'__runbox_in \(command.name)'") }
            for (number, kind) in command.arguments.enumerated() where kind != .text {
                let files = kind == .file ? " -F" : " -a \(quoted(words(kind)))"
                lines.append("complete -c runbox -n '__runbox_at \(command.name) \(number)'\(files)")
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func values(_ command: String, _ flags: [Flag]) -> [String] {
        flags.filter { $0.value != nil }.flatMap { flag in
            ["\(command):--\(flag.name)", "\(command):-\(flag.name)"] + (flag.short.map { ["\(command):-\($0)"] } ?? [])
        }
    }

    private static func line(_ flag: Flag, _ condition: String) -> String {
        let short = flag.short.map { " -s \($0)" } ?? ""
        let value: String
        switch flag.kind {
        case nil: value = ""
        case .text: value = " -x"
        case .file: value = " -r -F"
        case .some(let kind): value = " -x -a \(quoted(words(kind)))"
        }
        return "complete -c runbox -n \(condition) -l \(flag.name)\(short)\(value) -d \(quoted(flag.text))"
    }

    private static func words(_ kind: ValueKind) -> String {
        switch kind {
        case .text, .file: ""
        case .directory: "(__fish_complete_directories)"
        case .container: "(__runbox_containers)"
        case .words(let words): words.joined(separator: " ")
        }
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "'"
    }

    private static let functions = #"""

        # Prints the command before the cursor, how many arguments it has, and the folder of --root.
        function __runbox_words
            set -l words (commandline -opc)
            set -e words[1]
            set -l command ''
            set -l count 0
            set -l flag ''
            set -l root ''
            for word in $words
                if test -n "$flag"
                    test "$command$flag" = --root; and set root $word
                    set flag ''
                else if contains -- "$command" $__runbox_programs; and test $count -gt 0
                    set count program
                    break
                else if contains -- "$command:$word" $__runbox_value_flags
                    set flag $word
                else if string match -q -- '-*' $word
                    string match -q -- '--root=*' "$command$word"; and set root (string replace -- --root= '' $word)
                else if test -z "$command"
                    set command $word
                else
                    set count (math $count + 1)
                end
            end
            if contains -- "$command" $__runbox_programs; and test "$count" != 0
                set count program
            end
            printf '%s\n' "$command" $count "$root"
        end

        function __runbox_before_command
            set -l words (__runbox_words)
            test -z "$words[1]"
        end

        function __runbox_in
            set -l words (__runbox_words)
            test "$words[1]" = $argv[1]; and test "$words[2]" != program
        end

        function __runbox_at
            set -l words (__runbox_words)
            test "$words[1]" = $argv[1]; and test "$words[2]" = $argv[2]
        end

        function __runbox_containers
            set -l words (__runbox_words)
            set -l program (commandline -opc)[1]
            if test -n "$words[3]"
                $program --root $words[3] list --quiet 2>/dev/null
            else
                $program list --quiet 2>/dev/null
            end
        end

        """#
}
