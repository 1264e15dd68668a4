public import Errors
internal import JSON
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// Mounts as the specification writes them (config.md, "Mounts"), for a container that is there already.
public struct MountList: Sendable {
    let mounts: [Mount]
    private let document: SpecDocument
    private let file: String
    /// What is odd in the text but no mistake: unknown keys above all.
    public let warnings: [Finding]

    /// Reads an array of mounts, or an object that has it as `mounts`.
    ///
    /// - Parameter file: the name that messages show.
    /// - Throws: ``RuntimeError/configuration(_:)`` with every mistake, each with file, line, column and path.
    public init(json bytes: [UInt8], file: String) throws(RuntimeError) {
        document = SpecDocument(bytes: Self.completed(bytes), file: file)
        guard let mounts = document.spec?.mounts else {
            let errors = document.findings.errors
            throw .configuration(
                errors.isEmpty ? [Finding(.error, "mounts", "no mounts are named here").at(nil, in: file)] : errors)
        }
        self.mounts = mounts
        self.file = file
        warnings = document.findings.warnings
    }

    /// What makes a configuration of it stands in front, on the first line: the others keep their numbers.
    private static func completed(_ bytes: [UInt8]) -> [UInt8] {
        let blanks = bytes.prefix { $0 <= 0x20 }.count
        guard blanks < bytes.count else { return bytes }
        let version = #""ociVersion":"\#(OCIVersion.implemented)","#
        let root = #""root":{"path":"/"},"#
        if bytes[blanks] == UInt8(ascii: "[") {
            return Array("{\(version)\(root)\"mounts\":".utf8) + bytes + Array("}".utf8)
        }
        guard bytes[blanks] == UInt8(ascii: "{"), let document = try? Document(bytes),  // its mistake is found again
            document.count(of: document.root) > 0
        else { return bytes }
        var beginning = "{"
        if document.member("ociVersion", of: document.root) == nil { beginning += version }
        if document.member("root", of: document.root) == nil { beginning += root }
        return Array(beginning.utf8) + bytes[(blanks + 1)...]
    }

    func placed(_ findings: [Finding]) -> [Finding] {
        findings.map { $0.at($0.field.isEmpty ? nil : document.location(ofPath: $0.field), in: file) }.inOrder()
    }
}

extension Container {
    /// Adds mounts to a container that is created, running or paused: all of them, or none. They last as long as the
    /// container, and its configuration does not know them.
    ///
    /// - Throws: ``RuntimeError/configuration(_:)`` for what cannot be mounted into a container that is there already;
    ///   ``RuntimeError/step(_:errno:message:exitStatus:)`` when a mount fails.
    public func add(_ list: MountList, warn: (String) -> Void = { _ in }) throws(RuntimeError) {
        try changeMounts(list, warn) { record, kept throws(RuntimeError) in
            var findings = Findings()
            let plan = RunningMountsPlan(
                adding: list.mounts, to: kept.spec, bundle: record.bundle, mappings: mappings(of: kept),
                findings: &findings)
            for finding in list.placed(findings.warnings) { warn(finding.description) }
            if !findings.errors.isEmpty { throw .configuration(list.placed(findings.errors)) }
            do throws(StepFailure) {
                try RunningMounts.add(plan, to: record)
            } catch {
                throw RuntimeError(error)
            }
        }
    }

    /// Unmounts in a container what is mounted at the destinations of a list, the last first. Nothing else of the list
    /// counts.
    ///
    /// - Throws: ``RuntimeError/step(_:errno:message:exitStatus:)`` where nothing is mounted, or what may not go.
    public func remove(_ list: MountList, warn: (String) -> Void = { _ in }) throws(RuntimeError) {
        try changeMounts(list, warn) { record, kept throws(RuntimeError) in
            let namespaces = RunningMountsPlan.namespaces(of: kept.spec, mappings: mappings(of: kept))
            var findings = Findings()
            if !namespaces.has(.mount) {
                findings.refuse("", "the container has no mount namespace of its own: the mounts are the host's")
            }
            for (index, mount) in list.mounts.enumerated() where mount.destination.cleanedPath == "/" {
                findings.refuse("mounts[\(index)]", "the root file system cannot be removed")
            }
            if !findings.errors.isEmpty { throw .configuration(list.placed(findings.errors)) }
            do throws(StepFailure) {
                try RunningMounts.remove(list.mounts.map { $0.destination.cleanedPath }, from: record, namespaces)
            } catch {
                throw RuntimeError(error)
            }
        }
    }

    private func changeMounts(
        _ list: MountList, _ warn: (String) -> Void,
        _ body: (Record, StoredConfiguration) throws(RuntimeError) -> Void
    ) throws(RuntimeError) {
        _ = try Caller().settled()
        for warning in list.warnings { warn(warning.description) }
        try store.whileLocked(id.description) { () throws(RuntimeError) in
            guard let record = try store.load(id.description) else { throw .missing(id.description) }
            let status = try status(of: record)
            guard status == .running || status == .paused || status == .created else {
                throw .status(
                    reason: "container not running: the mounts of a \(status.rawValue) container cannot be changed")
            }
            try body(record, StoredConfiguration(record, store: store))
        }
    }

    private func mappings(of kept: StoredConfiguration) -> DefaultMappings? {
        .wanted(by: kept.spec, user: Credentials.effectiveUser, group: Credentials.effectiveGroup)
    }
}
