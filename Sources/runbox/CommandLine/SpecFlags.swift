internal import Kernel
internal import KernelTypes
internal import OCISpec

/// The flags of `spec` that change what it writes.
enum SpecFlags {
    static let all: [Flag] = [
        Flag("arg", value: "WORD", repeats: true, "the program, then each of its arguments; also what follows --"),
        Flag(
            "env", short: "e", value: "NAME=VALUE", repeats: true, "set a variable; NAME alone takes the caller's value"
        ),
        Flag("env-file", value: "FILE", repeats: true, "set the variables of a file with lines NAME=VALUE"),
        Flag(
            "user", short: "u", value: "USER[:GROUP]",
            "run as this user: numbers, or names of the bundle's own /etc/passwd and /etc/group"),
        Flag("cwd", value: "PATH", "the working directory in the container"),
        Flag(
            "mount", value: "MOUNT", repeats: true,
            "SOURCE:DESTINATION[:ro], or type=tmpfs,destination=/tmp[,OPTION...]"),
        Flag("read-only", "the root file system is read-only (the default; --read-only=false makes it writable)"),
        Flag("memory", value: "SIZE", "limit of memory, such as 64m or 1.5g"),
        Flag("cpus", value: "NUMBER", "limit of CPU time, in CPUs, such as 0.5"),
        Flag("pids", value: "N", "limit of processes and threads"),
        Flag(
            "seccomp", value: "FILE", "system calls that are allowed: default, or a file with a section linux.seccomp"),
        Flag("hostname", value: "NAME", "the host name in the container"),
        Flag("terminal", "the program gets a terminal (the default)"),
        Flag("no-terminal", "the program gets no terminal, as a service in the background"),
        Flag(
            "network", value: "NETWORK", choices: "host none new",
            "host: the host's; new (default) and none: one of its own, with loopback alone"),
    ]

    /// - Parameter bundle: the bundle's folder.
    static func wishes(_ parsed: ParsedArguments, bundle: String) throws(UsageError) -> SpecWishes {
        var wishes = SpecWishes()
        let words = parsed.values("arg") + parsed.arguments
        if let program = words.first {
            if program.isEmpty { throw UsageError(reason: "the program has no name") }
            wishes.arguments = words
        }
        for file in parsed.values("env-file") { wishes.environment += try variables(ofFile: file) }
        for text in parsed.values("env") { wishes.environment.append(try variable(text)) }
        wishes.user = try parsed.value("user").map { text throws(UsageError) in
            try ImageUser(root: "\(bundle)/rootfs").find(text)
        }
        wishes.directory = parsed.value("cwd")
        if let directory = wishes.directory, !directory.isAbsolutePath {
            throw UsageError(reason: "invalid value \"\(directory)\" for flag --cwd: an absolute path is needed")
        }
        for text in parsed.values("mount") { wishes.mounts.append(try MountText.mount(text)) }
        wishes.readOnly = parsed.isOnOrOff("read-only")
        wishes.hostname = parsed.value("hostname")
        wishes.annotations = try ServiceFlags.annotations(parsed)
        // A service has none.
        wishes.terminal =
            parsed.isOnOrOff("no-terminal").map { !$0 } ?? parsed.isOnOrOff("terminal") ?? wishes.annotations.isEmpty
        try readLimits(parsed, &wishes)
        switch parsed.value("network") {
        case nil: break
        case "host": wishes.network = .host
        case "new", "none": wishes.network = .own
        case .some(let other):
            throw UsageError(reason: "invalid value \"\(other)\" for flag --network: host, none or new")
        }
        return wishes
    }

    private static func readLimits(_ parsed: ParsedArguments, _ wishes: inout SpecWishes) throws(UsageError) {
        if let text = parsed.value("memory") {
            guard let bytes = SizeText.bytes(text), bytes > 0 else {
                throw UsageError(
                    reason: "invalid value \"\(text)\" for flag --memory: a size such as 64m or 1.5g is needed")
            }
            wishes.memory = bytes
        }
        if let text = parsed.value("cpus") {
            guard let quota = quota(text) else {
                throw UsageError(
                    reason:
                        "invalid value \"\(text)\" for flag --cpus: a number of CPUs from 0.01 on is needed, such as 0.5"
                )
            }
            wishes.cpuQuota = quota
        }
        if let tasks = try parsed.number("pids") {
            if tasks == 0 {
                throw UsageError(reason: "invalid value \"0\" for flag --pids: a number above 0 is needed")
            }
            wishes.tasks = Int64(tasks)
        }
    }

    /// A decimal number of CPUs as time in each period. The kernel takes no less than a millisecond.
    private static func quota(_ text: String) -> Int64? {
        let parts = text.parts(by: ".", keepingEmpty: true)
        let digits = parts.count == 2 ? parts[1] : ""
        guard (1...2).contains(parts.count), !(parts[0] + digits).isEmpty,
            (parts[0] + digits).utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), parts[0].utf8.count <= 6
        else { return nil }
        let five = String(decoding: Array((digits + "00000").utf8.prefix(5)), as: UTF8.self)
        guard let quota = Int64(parts[0] + five), quota >= 1000 else { return nil }
        return quota
    }

    // MARK: Environment

    /// `NAME=VALUE`, or a name whose value is this process's.
    private static func variable(_ text: String) throws(UsageError) -> String {
        if text.isEmpty || text.begins(with: "=") {
            throw UsageError(reason: "invalid value \"\(text)\" for flag --env: NAME=VALUE is needed")
        }
        if text.containsByte("=") { return text }
        guard let value = Processes.environment(text) else {
            throw UsageError(
                reason: "invalid value \"\(text)\" for flag --env: the variable is not set here; write \(text)=VALUE")
        }
        return "\(text)=\(value)"
    }

    /// One variable a line; empty lines and those that begin with # are passed over, as in engines' files.
    private static func variables(ofFile path: String) throws(UsageError) -> [String] {
        let text: String
        do throws(SystemError) {
            text = String(decoding: try Files.read(path), as: UTF8.self)
        } catch {
            throw UsageError(reason: "read --env-file \(path): \(error.code)")
        }
        var variables: [String] = []
        for (index, line) in text.parts(by: "\n", keepingEmpty: true).enumerated() {
            let line = String(decoding: trimmed(Array(line.utf8)), as: UTF8.self)
            if line.isEmpty || line.begins(with: "#") { continue }
            if line.begins(with: "=") {
                throw UsageError(reason: "\(path):\(index + 1): NAME=VALUE is needed")
            }
            if line.containsByte("=") {
                variables.append(line)
            } else if let value = Processes.environment(line) {
                variables.append("\(line)=\(value)")
            }
        }
        return variables
    }

    /// Without blanks in front, and what an editor of Windows leaves at the end.
    private static func trimmed(_ line: [UInt8]) -> ArraySlice<UInt8> {
        let line = line.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
