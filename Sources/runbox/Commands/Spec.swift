internal import JSON
internal import Kernel
internal import KernelTypes
internal import OCISpec

extension Command {
    static let spec = Command(
        name: "spec", arguments: "[-- PROGRAM [ARGUMENT...]]", count: 0...Int.max,
        summary: "write a config.json to begin with",
        details: """
            The configuration runs `sh`, or PROGRAM, on a terminal in the folder rootfs, with its own
            namespaces and few capabilities. An existing config.json is left alone; a file named by --file is
            overwritten, and a device, a FIFO or what a link leads to is written to.

            A service in the background:

              runbox spec --bundle web --no-terminal --network host --memory 64m -- httpd -f -p 8080

            --mount takes SOURCE:DESTINATION[:OPTIONS] for what is bound from the host, or the words of
            engines, as in type=tmpfs,destination=/tmp,size=16m; a relative source counts from the current
            folder. --seccomp default takes the rules that are installed with runbox.
            """,
        flags: [
            Flag("bundle", short: "b", value: "DIR", "the bundle's folder (default: the current one)"),
            Flag("file", short: "f", value: "FILE", "write another file"),
            Flag("rootless", "for an ordinary user: with a user namespace and without a network of its own"),
        ] + SpecFlags.all + ServiceFlags.all
    ) { invocation throws(Failure) in
        let parsed = invocation.parsed
        let folder = parsed.value("bundle") ?? "."
        let named = parsed.value("file")
        let path = named ?? "\(folder)/config.json"
        if named == nil, Files.exists(path) {
            throw Failure("File config.json exists. Remove it first")
        }
        let wishes = try understand(invocation.command) { () throws(UsageError) in
            guard parsed.arguments.count == parsed.separated else {
                throw UsageError(
                    reason: "\"\(parsed.arguments[0])\" is no flag",
                    advice: "the bundle is named by --bundle, and the program stands behind --")
            }
            return try SpecFlags.wishes(parsed, bundle: folder)
        }
        try SpecText(parsed: parsed, wishes: wishes, log: invocation.log).deliver(to: path, in: folder)
        return 0
    }
}

/// What is written, once it is known to be a configuration.
private struct SpecText {
    let parsed: ParsedArguments
    var wishes: SpecWishes
    let log: Log

    consuming func deliver(to path: String, in folder: String) throws(Failure) {
        if let name = parsed.value("seccomp") { wishes.seccomp = try Self.rules(name) }
        let isRootless = parsed.isOn("rootless")
        let text = defaultSpecJSON(
            rootless: isRootless ? (uid: Credentials.effectiveUser, gid: Credentials.effectiveGroup) : nil,
            cgroupNamespace: true, wishes: wishes)
        // What was put in from outside may be anything; the rest is right by itself.
        let findings = wishes.seccomp == nil ? [] : SpecDocument(bytes: Array(text.utf8), file: "").findings
        for finding in findings {
            let sentence = "--seccomp \(parsed.value("seccomp") ?? ""): \(finding.path): \(finding.message)"
            if finding.severity == .error { throw Failure(sentence) }
            log.warn(sentence)
        }
        do throws(SystemError) {
            try Files.deliver(text, to: path, mode: 0o666)
        } catch {
            if error.code == .noEntry, !Files.exists(folder), parsed.value("file") == nil {
                throw Failure(
                    "write \(path): there is no folder \(folder); a bundle is one, with a root file system in \(folder)/rootfs"
                )
            }
            throw Failure(error.code == .noError ? "\(error)" : "write \(path): \(error.code)")
        }
    }

    private static func rules(_ name: String) throws(Failure) -> [UInt8] {
        let path = name == "default" ? try installed() : name
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Files.read(path)
        } catch {
            throw Failure("read the seccomp rules from \(path): \(error.code)")
        }
        do throws(SyntaxError) {
            _ = try Document(bytes)
        } catch {
            throw Failure("--seccomp \(path):\(error)")
        }
        // Of what is JSON, only blanks stand around the value.
        return Array(bytes[bytes.prefix { $0 <= 0x20 }.count..<(bytes.lastIndex { $0 > 0x20 } ?? -1) + 1])
    }

    /// Where `make install` puts them, beside this very executable first; then where they lie in its sources.
    private static func installed() throws(Failure) -> String {
        let own = (try? Files.readLink("/proc/self/exe")).flatMap { $0.splitAtLastSlash?.folder } ?? "/usr/local/bin"
        let places = [
            "\(own)/../share/runbox", "/usr/local/share/runbox", "/usr/share/runbox", "\(own)/../config",
        ].map { "\($0)/seccomp.json".cleanedPath }
        if let found = places.first(where: Files.exists) { return found }
        throw Failure(
            "--seccomp default: there is no \(places[0]), \(places[1]) or \(places[2]); make install puts the rules there, or name a file"
        )
    }
}
