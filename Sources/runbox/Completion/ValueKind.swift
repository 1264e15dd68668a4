internal import KernelTypes
internal import OCISpec

/// What a value or an argument is, as far as a shell can complete it.
enum ValueKind: Equatable, Sendable {
    /// Anything: nothing is offered.
    case text
    case file
    case directory
    /// The name of a container that there is.
    case container
    case words([String])

    /// Finds the kind by the placeholder in the help text: `FILE`, `[SIGNAL]`, `BUNDLE/`. The command table has
    /// no other placeholders for files, folders and containers, so that a new flag is completed without more work.
    init(_ placeholder: some StringProtocol) {
        let letters = placeholder.unicodeScalars.filter { ("A"..."Z").contains($0) || $0 == "-" }
        switch String(String.UnicodeScalarView(letters)) {
        case "FILE", "SOCKET": self = .file
        case "DIR", "BUNDLE": self = .directory
        case "CONTAINER": self = .container
        case "CAP": self = .words(Capabilities.allNames)
        case "SIGNAL": self = .words(Signal.allNames)
        case "SHELL": self = .words(Shell.allCases.map { $0.rawValue })
        default: self = .text
        }
    }
}

extension Flag {
    /// What its value is; nil for a flag that is on or off.
    var kind: ValueKind? {
        guard let value else { return nil }
        if let choices { return .words(choices.parts(by: " ").map { String($0) }) }
        return ValueKind(value)
    }
}

/// What a shell needs to know of a command: one row of the command table, and `help`, which is none.
struct CompletedCommand: Sendable {
    let name: String
    let summary: String
    let flags: [Flag]
    /// For each argument what it is.
    let arguments: [ValueKind]
    /// Whether the arguments after the first one belong to another program.
    let takesProgram: Bool

    static func all(_ commands: [Command]) -> [CompletedCommand] {
        let help = CompletedCommand(
            name: "help", summary: "show the help text, or that of one command", flags: [],
            arguments: [.words(commands.visible.map { $0.name })], takesProgram: false)
        return commands.visible.map { CompletedCommand($0) } + [help]
    }

    private init(name: String, summary: String, flags: [Flag], arguments: [ValueKind], takesProgram: Bool) {
        self.name = name
        self.summary = summary
        self.flags = flags
        self.arguments = arguments
        self.takesProgram = takesProgram
    }

    private init(_ command: Command) {
        self.init(
            name: command.name, summary: command.summary, flags: command.allFlags,
            arguments: Self.kinds(command.arguments), takesProgram: command.takesProgram)
    }

    /// Reads the arguments of a usage line: `CONTAINER [SIGNAL]`. Of `BUNDLE/ | NAME`, only what there is can be
    /// offered.
    private static func kinds(_ usage: String) -> [ValueKind] {
        var kinds: [ValueKind] = []
        var isAlternative = false
        for word in usage.parts(by: " ") {
            if word == "|" {
                isAlternative = true
            } else if isAlternative, kinds.last != .text {
                isAlternative = false
            } else {
                if isAlternative { kinds.removeLast() }
                isAlternative = false
                kinds.append(ValueKind(word))
            }
        }
        return kinds
    }
}

/// The shells that there are completions for.
enum Shell: String, CaseIterable, Sendable {
    case bash, zsh, fish

    /// The whole text of the shell's completion of `runbox`.
    /// - Parameter commands: all of them.
    func completion(_ commands: [Command]) -> String {
        let commands = CompletedCommand.all(commands)
        return switch self {
        case .bash: BashCompletion.text(commands)
        case .zsh: ZshCompletion.text(commands)
        case .fish: FishCompletion.text(commands)
        }
    }
}
