internal import ContainerRuntime
internal import KernelTypes

/// Help texts, printed from the command table.
enum Help {
    static func overview(_ commands: [Command]) -> String {
        let width = (commands.visible.map { $0.name.count } + [4]).max() ?? 8
        var lines = [
            "NAME:", "   runbox - Open Container Initiative runtime", "", "USAGE:",
            "   runbox [global options] command [command options] [arguments...]", "",
            "   runbox runs containers from OCI bundles: a folder with a config.json and a root file system.",
            "   The shortest way to one:", "",
            "      mkdir -p bundle/rootfs        # put a root file system there",
            "      runbox spec --bundle bundle   # write a config.json to begin with",
            "      runbox run bundle/            # run it; its name is the folder's", "", "COMMANDS:",
        ]
        for command in commands.visible { lines.append("   \(pad(command.name, width))  \(command.summary)") }
        lines.append("   \(pad("help", width))  show this text, or that of one command")
        lines += ["", "GLOBAL OPTIONS:"] + table(GlobalOptions.flags)
        return lines.joined(separator: "\n") + "\n"
    }

    static func text(_ command: Command) -> String {
        var lines = [
            "NAME:", "   runbox \(command.name) - \(command.summary)", "", "USAGE:",
            "   runbox \(command.name) \(command.flags.isEmpty ? "" : "[options] ")\(command.arguments)", "",
        ]
        lines += command.details.parts(by: "\n", keepingEmpty: true).map {
            $0.isEmpty ? "" : "   \($0)"
        }
        lines += ["", "OPTIONS:"] + table(command.allFlags)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func table(_ flags: [Flag]) -> [String] {
        let names = flags.map { $0.spelling }
        let width = names.map { $0.count }.max() ?? 0
        return zip(names, flags).map { "   \(pad($0, width))  \($1.text)" }
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

extension Flag {
    /// As the user writes it: `--bundle, -b DIR`.
    fileprivate var spelling: String {
        let short = short.map { ", -\($0)" } ?? ""
        let value = value.map { " \($0)" } ?? ""
        return "--\(name)\(short)\(value)"
    }
}
