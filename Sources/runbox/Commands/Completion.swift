extension Command {
    static let completion = Command(
        name: "completion", arguments: "SHELL", count: 1...1, summary: "print the completion script of a shell",
        details: """
            SHELL is bash, zsh or fish. `make install` puts the scripts where the shells look for them. For
            this session alone:

              bash: source <(runbox completion bash)
              zsh:  source <(runbox completion zsh)
              fish: runbox completion fish | source
            """,
        flags: []
    ) { invocation throws(Failure) in
        let name = invocation.parsed.arguments[0]
        guard let shell = Shell(rawValue: name) else {
            let known = Shell.allCases.map { $0.rawValue }.joined(separator: ", ")
            throw Failure(UsageError(reason: "there is no completion for \"\(name)\": \(known)"), invocation.command)
        }
        try Output.write(shell.completion(invocation.commands))
        return 0
    }
}
