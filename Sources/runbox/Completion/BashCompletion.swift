/// The completion for bash: the command table as `case` statements, and a function that finds out where the cursor is.
enum BashCompletion {
    static func text(_ commands: [CompletedCommand]) -> String {
        head + values(commands) + flags(commands) + arguments(commands) + function + "complete -F _runbox runbox\n"
    }

    private static let head = """
        # bash completion for runbox. `runbox completion bash` prints it from the table that runbox reads its flags by.


        """

    /// The kinds, as the function below reads them.
    private static func word(_ kind: ValueKind) -> String {
        switch kind {
        case .text: "text"
        case .file: "file"
        case .directory: "directory"
        case .container: "container"
        case .words(let words): "'=\(words.joined(separator: " "))'"
        }
    }

    private static func values(_ commands: [CompletedCommand]) -> String {
        var lines = ["# Sets kind to what the value of flag $2 of command $1 is; empty for a flag that is on or off."]
        lines += ["_runbox_value() {", "    kind=", "    case $1:$2 in"]
        for (command, flags) in [("", GlobalOptions.flags)] + commands.map({ ($0.name, $0.flags) }) {
            for flag in flags {
                guard let kind = flag.kind else { continue }
                let short = flag.short.map { " | \(command):-\($0)" } ?? ""
                lines.append("    \(command):--\(flag.name)\(short)) kind=\(word(kind)) ;;")
            }
        }
        return (lines + ["    esac", "}", "", ""]).joined(separator: "\n")
    }

    private static func flags(_ commands: [CompletedCommand]) -> String {
        var lines = [
            "# Sets flags to those of command $1.", "_runbox_flags() {", "    flags=", "    case $1 in",
        ]
        lines.append("    '') flags='\(names(GlobalOptions.flags))' ;;")
        for command in commands where !command.flags.isEmpty {
            lines.append("    \(command.name)) flags='\(names(command.flags))' ;;")
        }
        return (lines + ["    esac", "}", "", ""]).joined(separator: "\n")
    }

    private static func names(_ flags: [Flag]) -> String { flags.map { "--\($0.name)" }.joined(separator: " ") }

    private static func arguments(_ commands: [CompletedCommand]) -> String {
        var lines = ["# Sets kind to what argument $2 of command $1 is.", "_runbox_argument() {", "    kind="]
        lines.append("    case $1:$2 in")
        lines.append("    :*) kind=\(word(.words(commands.map { $0.name }))) ;;")
        for command in commands {
            for (number, kind) in command.arguments.enumerated() where kind != .text {
                lines.append("    \(command.name):\(number)) kind=\(word(kind)) ;;")
            }
        }
        lines += ["    esac", "}", ""]
        lines += [
            "# Whether the arguments of command $1 belong to another program after the first.", "_runbox_program() {",
        ]
        let programs = commands.filter { $0.takesProgram }.map { $0.name }.joined(separator: " | ")
        lines += ["    case $1 in", "    \(programs)) return 0 ;;", "    esac", "    return 1", "}", "", ""]
        return lines.joined(separator: "\n")
    }

    /// `=` is a word of its own to bash when a flag and its value are written as one.
    private static let function = #"""
        # Adds what there is of kind $2 to COMPREPLY; $1 is the program, $3 the folder of --root.
        _runbox_offer() {
            local words=
            case $2 in
            file)
                compopt -o filenames 2>/dev/null
                if declare -F _filedir >/dev/null; then
                    _filedir
                    return
                fi
                words=$(compgen -f -- "$cur")
                ;;
            directory)
                compopt -o filenames 2>/dev/null
                if declare -F _filedir >/dev/null; then
                    _filedir -d
                    return
                fi
                words=$(compgen -d -- "$cur")
                ;;
            container) words=$(compgen -W "$("$1" ${3:+--root "$3"} list --quiet 2>/dev/null)" -- "$cur") ;;
            =*) words=$(compgen -W "${2#=}" -- "$cur") ;;
            esac
            local line
            while IFS= read -r line; do
                [[ -n $line ]] && COMPREPLY+=("$line")
            done <<<"$words"
        }

        _runbox() {
            local cur=${COMP_WORDS[COMP_CWORD]} word command= flag= root= kind= flags= count=0 plain= prefix= i
            COMPREPLY=()
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                [[ $word == -[!-]?* ]] && word=-$word
                if [[ $word == = ]]; then
                    [[ -n $flag ]] || flag=-
                elif [[ -n $flag ]]; then
                    [[ $command$flag == --root ]] && root=$word
                    flag=
                elif [[ -z $plain && $word == -- ]]; then
                    plain=1
                elif [[ -z $plain && $word == --*=* ]]; then
                    [[ $command$word == --root=* ]] && root=${word#*=}
                elif [[ -z $plain && $word == -?* ]]; then
                    _runbox_value "$command" "$word"
                    [[ -n $kind ]] && flag=$word
                elif [[ -z $command ]]; then
                    command=$word
                else
                    count=$((count + 1))
                    _runbox_program "$command" && plain=1
                fi
            done
            if [[ $cur == = ]]; then
                [[ -n $flag ]] || flag=-
                cur=
            elif [[ -z $flag && -z $plain && $cur == --*=* ]]; then
                flag=${cur%%=*} prefix=${cur%%=*}= cur=${cur#*=}
            fi
            if [[ $flag == - ]]; then
                _runbox_offer "$1" '=true false'
            elif [[ -n $flag ]]; then
                _runbox_value "$command" "$flag"
                _runbox_offer "$1" "$kind" "$root"
            elif [[ -z $plain && $cur == -* ]]; then
                _runbox_flags "$command"
                _runbox_offer "$1" "=$flags"
            else
                _runbox_argument "$command" "$count"
                _runbox_offer "$1" "$kind" "$root"
            fi
            [[ -n $prefix ]] && COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
            return 0
        }


        """#
}
