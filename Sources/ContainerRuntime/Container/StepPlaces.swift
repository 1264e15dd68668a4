internal import Errors
internal import JSON
internal import KernelTypes
internal import OCISpec

extension RuntimeError {
    /// A mount that failed, with the place of its field in the configuration: of the option where the kernel has named
    /// one, else of the whole mount.
    func placed(in bundle: ContainerBundle) -> RuntimeError {
        guard case .step(let step, let errno, let message, let exitStatus) = self, step == .mounts || step == .sources,
            let index = Self.mountIndex(message), let mounts = bundle.spec.mounts, mounts.indices.contains(index)
        else { return self }
        var field = "mounts[\(index)]"
        if let option = Self.option(message, mounts[index].options ?? []) { field += ".options[\(option)]" }
        guard let location = bundle.document.location(ofPath: field) else { return self }
        return .step(
            step, errno: errno, message: "\(message); see \(bundle.file):\(location.line):\(location.column)",
            exitStatus: exitStatus)
    }

    /// The number in the first `mounts[N]` of a sentence.
    private static func mountIndex(_ message: String) -> Int? {
        let parts = message.parts(by: "[", keepingEmpty: true)
        guard parts.count > 1, parts[0].ends(with: "mounts") else { return nil }
        return Int(parts[1].parts(by: "]", keepingEmpty: true)[0])
    }

    /// The position of the option that the kernel has put into quotation marks: `tmpfs: Unknown parameter 'sise'`.
    private static func option(_ message: String, _ options: [String]) -> Int? {
        let parts = message.parts(by: "'", keepingEmpty: true)
        guard parts.count > 2 else { return nil }
        let name = parts[1]
        return options.firstIndex { $0 == name || $0.begins(with: "\(name)=") }
    }
}
