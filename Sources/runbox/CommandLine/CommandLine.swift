internal import KernelTypes
internal import OCISpec

/// One flag of a command, named as in runc and crun.
struct Flag: Sendable {
    let name: String
    let short: Character?
    /// What the help calls its value; nil for a flag that is on or off. Completions use it, too (`ValueKind`).
    let value: String?
    /// The values that it may have, with blanks between them, where there are only a few. One text, because this
    /// table is made anew by every call of the program.
    let choices: String?
    /// Whether each of several values counts; of other flags the last one does.
    let repeats: Bool
    let help: String

    init(
        _ name: String, short: Character? = nil, value: String? = nil, choices: String? = nil, repeats: Bool = false,
        _ help: String
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.choices = choices
        self.repeats = repeats
        self.help = help
    }

    /// Of every command.
    static let helpFlag = Flag("help", short: "h", "show this text")

    /// What the flag does, in full.
    var text: String { repeats ? "\(help); may be repeated" : help }
}

/// A command line that cannot be understood.
struct UsageError: Error {
    let reason: String
    /// The flag as it was typed, where none is called so.
    var unknownFlag: String?
    /// What may have been meant instead, or what to do about it.
    var advice: String?
}

private struct Given: Sendable {
    let name: String
    let value: String
}

/// A command line, sorted into flags and arguments.
struct ParsedArguments: Sendable {
    /// In the order of the command line. A list, because making a process's first dictionary costs more than a command
    /// line has flags.
    private var values: [Given] = []
    private(set) var arguments: [String] = []
    /// How many of the arguments stood behind `--`.
    private(set) var separated = 0
    /// What followed the first argument when parsing stopped there.
    private(set) var rest: [String] = []

    /// Reads a command line by a table of flags. Both `--flag value` and `--flag=value` are understood, one dash or two
    /// before long names (go-runc writes `-no-subreaper`), unique beginnings of long names as in crun, and `=true`,
    /// `=false` behind a flag that is on or off.
    ///
    /// - Parameter stopsAtArgument: leaves everything from the first argument on unread.
    init(_ words: ArraySlice<String>, flags: [Flag], stopsAtArgument: Bool = false) throws(UsageError) {
        var words = words
        while let word = words.popFirst() {
            if word == "--" {
                separated = words.count
                arguments += words
                return
            }
            guard word.begins(with: "-"), word != "-" else {
                if stopsAtArgument {
                    rest = [word] + words
                    arguments += rest
                    return
                }
                arguments.append(word)
                continue
            }
            try read(word, following: &words, flags)
        }
    }

    private mutating func read(
        _ word: String, following words: inout ArraySlice<String>, _ flags: [Flag]
    ) throws(UsageError) {
        let body = word.drop { $0 == "-" }
        let parts = body.parts(by: "=", keepingEmpty: true, most: 2)
        let name = parts.first ?? ""
        let attached = parts.count > 1 ? parts[1] : nil
        if let flag = try Self.find(name, isLong: word.begins(with: "--"), flags) {
            try set(flag, attached, following: &words)
            return
        }
        // Only whole letters are looked at below.
        let typed = word.parts(by: "=", keepingEmpty: true, most: 2)[0]
        guard !word.begins(with: "--") else { throw Self.unknown(typed, flags) }
        try readShort(body, typed, following: &words, flags)
    }

    /// Letters in a row: `-qf json`, `-fjson`.
    private mutating func readShort(
        _ letters: Substring, _ typed: String, following words: inout ArraySlice<String>, _ flags: [Flag]
    ) throws(UsageError) {
        var letters = letters
        while let letter = letters.popFirst() {
            guard let flag = flags.first(where: { $0.short == letter }) else { throw Self.unknown(typed, flags) }
            if flag.value == nil {
                try set(flag, nil, following: &words)
            } else {
                if letters.first == "=" { letters.removeFirst() }
                try set(flag, letters.isEmpty ? nil : String(letters), following: &words)
                return
            }
        }
    }

    private static func find(_ name: String, isLong: Bool, _ flags: [Flag]) throws(UsageError) -> Flag? {
        if let exact = flags.first(where: { $0.name == name }) { return exact }
        guard isLong, !name.isEmpty else { return nil }
        let beginning = flags.filter { $0.name.begins(with: name) }
        if beginning.count > 1 {
            let names = beginning.map { "--\($0.name)" }.joined(separator: ", ")
            throw UsageError(reason: "flag --\(name) is ambiguous: \(names)")
        }
        return beginning.first
    }

    private mutating func set(
        _ flag: Flag, _ attached: String?, following words: inout ArraySlice<String>
    ) throws(UsageError) {
        if flag.value == nil {
            switch attached {
            case nil, "true", "1", "yes": values.append(Given(name: flag.name, value: "true"))
            case "false", "0", "no": values.append(Given(name: flag.name, value: "false"))
            case .some(let other):
                throw UsageError(reason: "invalid value \"\(other)\" for flag --\(flag.name): true or false")
            }
            return
        }
        // "requires an argument" is what podman looks for when it asks what a runtime can do.
        guard let value = attached ?? words.popFirst() else {
            throw UsageError(reason: "flag needs an argument: --\(flag.name) requires an argument")
        }
        values.append(Given(name: flag.name, value: value))
    }

    /// - Parameter typed: with its dashes and without a value.
    private static func unknown(_ typed: String, _ flags: [Flag]) -> UsageError {
        let name = String(typed.drop { $0 == "-" })
        // One or two letters resemble everything.
        let near = name.utf8.count > 2 ? Spelling.nearest(to: name, in: flags.map { $0.name }) : nil
        return UsageError(
            reason: "flag provided but not defined: \(typed)", unknownFlag: typed,
            advice: near.map { "did you mean --\($0)?" })
    }

    /// Whether a flag is on.
    func isOn(_ name: String) -> Bool { isOnOrOff(name) ?? false }

    /// Whether a flag is on; nil where nothing was said.
    func isOnOrOff(_ name: String) -> Bool? { value(name).map { $0 == "true" } }

    /// A flag's value; the last one where it is given more than once.
    func value(_ name: String) -> String? { values.last { $0.name == name }?.value }

    /// The values of a flag that may be repeated, in their order.
    func values(_ name: String) -> [String] { values.filter { $0.name == name }.map { $0.value } }

    /// A flag's value as a number.
    func number(_ name: String) throws(UsageError) -> Int? {
        guard let text = value(name) else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw UsageError(reason: "invalid value \"\(text)\" for flag --\(name): a number is needed")
        }
        return number
    }
}
