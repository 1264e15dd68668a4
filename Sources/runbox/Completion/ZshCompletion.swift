/// The completion for zsh: the command table as specifications of `_arguments`.
enum ZshCompletion {
    static func text(_ commands: [CompletedCommand]) -> String {
        var lines = [
            "#compdef runbox",
            "# zsh completion for runbox. `runbox completion zsh` prints it from the table that runbox reads its flags by.",
            "",
        ]
        lines += ["_runbox_commands() {", "  local -a commands", "  commands=("]
        lines += commands.map { "    \(quoted("\($0.name):\($0.summary)"))" }
        lines += ["  )", "  _describe -t commands command commands", "}", "", containers, "_runbox() {"]
        lines += ["  local curcontext=$curcontext state line program=$words[1] root ret=1", "  typeset -A opt_args"]
        lines.append("  _arguments -C -S \\")
        lines += GlobalOptions.flags.map { "    \(specification($0)) \\" }
        lines += ["    '(-)1:command:_runbox_commands' \\", "    '(-)*:: :->command' && ret=0"]
        lines += ["  [[ $state == command ]] || return ret", "  root=${(Q)opt_args[--root]}", "  case $line[1] in"]
        lines += commands.flatMap(branch)
        lines += ["  esac", "  return ret", "}", "", ending]
        return lines.joined(separator: "\n") + "\n"
    }

    private static let containers = #"""
        _runbox_containers() {
          local -a containers
          containers=(${(f)"$(_call_program containers ${program:-runbox} ${root:+--root ${(q)root}} list --quiet 2>/dev/null)"})
          _wanted containers expl container compadd -a containers
        }

        """#

    /// The file is the function itself where zsh loads it, and a script where it is read by `source`.
    private static let ending = #"""
        if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
          _runbox "$@"
        else
          compdef _runbox runbox
        fi
        """#

    private static func branch(_ command: CompletedCommand) -> [String] {
        // What follows the container's name belongs to a program, flags too.
        var lines = ["  \(command.name))", "    _arguments -S\(command.takesProgram ? " -A '-*'" : "") \\"]
        lines += command.flags.map { "      \(specification($0)) \\" }
        for (number, kind) in command.arguments.enumerated() {
            lines.append("      '\(number + 1):argument:\(action(kind))' \\")
        }
        lines[lines.count - 1].removeLast(2)
        lines[lines.count - 1] += " && ret=0"
        return lines + ["    ;;"]
    }

    /// One flag as `_arguments` wants it: what excludes it, its spellings, its description, its value.
    private static func specification(_ flag: Flag) -> String {
        let hasValue = flag.value != nil
        let long = "--\(flag.name)\(hasValue ? "=" : "")"
        let short = flag.short.map { "-\($0)\(hasValue ? "+" : "")" }
        let value = flag.kind.map { ":\(escaped(flag.value ?? "")):\(action($0))" } ?? ""
        let text = quoted("[\(escaped(flag.text))]\(value)")
        guard let short else { return "\(flag.repeats ? "'*'" : "")\(long)\(text)" }
        let limit = flag.repeats ? "'*'" : "'(\(short.prefix(2)) --\(flag.name))'"
        return "\(limit){\(short),\(long)}\(text)"
    }

    private static func action(_ kind: ValueKind) -> String {
        switch kind {
        case .text: " "
        case .file: "_files"
        case .directory: "_files -/"
        case .container: "_runbox_containers"
        case .words(let words): "(\(words.joined(separator: " ")))"
        }
    }

    /// Brackets and colons end the parts of a specification.
    private static func escaped(_ text: String) -> String {
        text.map { "[]:\\".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.map { $0 == "'" ? #"'\''"# : String($0) }.joined() + "'"
    }
}
