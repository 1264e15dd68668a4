extension Command {
    static let man = Command(
        name: "man", arguments: "[PAGE]", count: 0...1, summary: "print a manual page",
        details: """
            PAGE is runbox (default), or runbox-COMMAND. `make install` compresses the pages and puts them
            where man looks.
            """,
        flags: [Flag("list", "print the names of all pages")], isHidden: true
    ) { invocation throws(Failure) in
        let pages = ManualPage.all(invocation.commands)
        if invocation.parsed.isOn("list") {
            try Output.write(pages.map { "\($0.name)\n" }.joined())
            return 0
        }
        let name = invocation.parsed.arguments.first ?? "runbox"
        guard let page = pages.first(where: { $0.name == name }) else {
            throw Failure(UsageError(reason: "there is no page \"\(name)\"; --list names them"), invocation.command)
        }
        try Output.write(page.text)
        return 0
    }
}
