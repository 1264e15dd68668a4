internal import Diagnosis
internal import Kernel
internal import OCISpec

extension Command {
    static let features = Command(
        name: "features", arguments: "", count: 0...0, summary: "print what runbox can do, as JSON",
        details: """
            The Features structure of the OCI specification: versions, hooks, mount options, namespaces,
            capabilities and so on that a configuration may name. It shows runbox and not this host;
            `runbox doctor` shows the host.
            """,
        flags: [Flag("format", short: "f", value: "FORMAT", choices: "json", "json, which it prints anyway")]
    ) { invocation throws(Failure) in
        if let format = invocation.parsed.value("format"), format != "json" {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": json"), invocation.command)
        }
        let features = FeatureDocument.gather(version: Release.version, commit: Build.commit)
        try Output.write(String(decoding: features.json(), as: UTF8.self) + "\n")
        return 0
    }
}
