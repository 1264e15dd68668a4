internal import Kernel
internal import KernelTypes
internal import OCISpec

extension Command {
    static let spec = Command(
        name: "spec", arguments: "", count: 0...0, summary: "write a config.json to begin with",
        details: """
            The configuration runs `sh` on a terminal in the folder rootfs, with its own namespaces and
            few capabilities. An existing config.json is left alone; a file named by --file is overwritten, and
            a device, a FIFO or what a link leads to is written to.
            """,
        flags: [
            Flag("bundle", short: "b", value: "DIR", "the bundle's folder (default: the current one)"),
            Flag("file", short: "f", value: "FILE", "write another file"),
            Flag("rootless", "for an ordinary user: with a user namespace and without a network of its own"),
        ]
    ) { invocation throws(Failure) in
        let folder = invocation.parsed.value("bundle") ?? "."
        let named = invocation.parsed.value("file")
        let path = named ?? "\(folder)/config.json"
        if named == nil, Files.exists(path) {
            throw Failure("File config.json exists. Remove it first")
        }
        let isRootless = invocation.parsed.isOn("rootless")
        let text = defaultSpecJSON(
            rootless: isRootless ? (uid: Credentials.effectiveUser, gid: Credentials.effectiveGroup) : nil,
            cgroupNamespace: true)
        do throws(SystemError) {
            try Files.deliver(text, to: path, mode: 0o666)
        } catch {
            throw Failure(error.code == .noError ? "\(error)" : "write \(path): \(error.code)")
        }
        return 0
    }
}
