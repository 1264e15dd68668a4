internal import KernelTypes

/// What people type who know an engine's command line: what it is called here. Looked at only when a word is unknown.
enum ForeignWords {
    /// Said wherever an image was asked for.
    static let bundles =
        "runbox runs bundles, folders with a config.json and a root file system, and no images (podman --runtime runbox does)"

    /// - Returns: what to type instead of an unknown command; nil where it is nobody's.
    static func command(_ name: String) -> String? {
        switch name {
        case "rm": "runbox delete CONTAINER removes a container"
        case "rmi", "images", "image", "pull", "push", "build", "load", "save", "import", "tag", "search", "login",
            "logout", "commit", "history":
            bundles
        case "inspect": "runbox state CONTAINER shows a container, and its bundle's config.json how it was made"
        case "top": "runbox ps CONTAINER shows a container's processes"
        case "attach":
            "run without --detach stays with the container; runbox exec --tty CONTAINER sh begins another program"
        case "restart": "runbox stop and delete end a container, and run makes it anew"
        case "unpause": "runbox resume CONTAINER does that"
        case "ls": "runbox list shows the containers"
        case "container", "volume", "network", "system", "compose", "pod":
            "runbox has no groups of commands: it runs one bundle as one container"
        case "cp", "port", "rename", "diff", "export":
            "that is an engine's command; a container's root file system lies in its bundle"
        case "info": "runbox doctor shows the host, and features what runbox can do"
        case "version": "runbox --version prints it"
        case "init": "runbox spec writes a config.json to begin with"
        default: nil
        }
    }

    /// - Parameter typed: the word with its dashes, without a value.
    /// - Returns: where what the flag asks for is said here; nil for one that is nobody's.
    static func flag(_ typed: String, of command: String) -> String? {
        let name = String(typed.drop { $0 == "-" })
        switch command {
        case "run", "create": return launch(name)
        case "exec": return execution(name)
        case "ps": return ["a", "all", "q", "n", "l"].contains(name) ? "runbox list shows all containers" : nil
        case "list": return ["a", "all"].contains(name) ? "list shows all containers, also those that have ended" : nil
        case "kill":
            return ["s", "signal"].contains(name) ? "the signal is the second argument, as in kill web KILL" : nil
        case "delete": return ["v", "volumes"].contains(name) ? "a container's files are its bundle's, and stay" : nil
        case "stop": return name == "time" ? "it is called --timeout here" : nil
        default: return nil
        }
    }

    private static func execution(_ name: String) -> String? {
        switch name {
        case "i", "it", "ti", "interactive": "standard input is passed on anyway, and --tty alone gives a terminal"
        case "w", "workdir": "it is called --cwd here"
        case "privileged": "--cap adds single capabilities"
        default: nil
        }
    }

    private static func launch(_ name: String) -> String? {
        let spec = "what a container is like stands in its config.json, and runbox spec writes that"
        return switch name {
        case "rm": "a container in the foreground is deleted when it ends anyway; --keep prevents that"
        case "i", "t", "it", "ti", "dit", "itd", "interactive", "tty":
            "\(spec): a terminal is its process.terminal, true unless it was written with --no-terminal"
        case "p", "P", "publish", "publish-all", "expose":
            "runbox forwards no ports; runbox spec --network host gives a container the host's network"
        case "network", "net", "add-host", "dns": "\(spec), with --network host, none or new"
        case "name": "the name is the argument, as in runbox run --bundle DIR NAME"
        case "v", "volume", "mount", "tmpfs": "\(spec), with --mount"
        case "e", "env", "env-file": "\(spec), with --env and --env-file"
        case "u", "user": "\(spec), with --user"
        case "w", "workdir", "cwd": "\(spec), with --cwd"
        case "entrypoint", "arg", "args": "\(spec), with the program behind --"
        case "m", "memory", "cpus", "pids-limit": "\(spec), with --memory, --cpus and --pids"
        case "hostname", "read-only", "rootless", "no-terminal": "\(spec), with --\(name)"
        case "security-opt", "seccomp": "\(spec), with --seccomp"
        case "cap-add", "cap-drop", "privileged", "device", "ulimit", "label", "l", "annotation", "init", "platform",
            "shm-size", "cpu-shares", "cpuset-cpus", "userns", "pid", "ipc", "uts", "sysctl":
            spec
        case "restart":
            "runbox run keeps a service running, with --restart; an engine that calls create does it itself"
        case "pull": bundles
        default: nil
        }
    }

    /// What is wrong with more arguments than a command takes, or fewer.
    static func count(_ command: String, isTooFew: Bool) -> String? {
        switch command {
        case "run", "create":
            isTooFew ? nil : "the program is process.args of config.json, as runbox spec -- PROGRAM ARGUMENTS writes it"
        case "ps": "runbox list shows all containers"
        default: nil
        }
    }
}
