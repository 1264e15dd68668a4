internal import CgroupPlanning
internal import Errors
package import KernelTypes
internal import OCISpec

/// What the annotations of a configuration ask of the runtime; see ``AnnotationName`` for the vocabulary.
package struct AnnotationPlan: Sendable {
    package private(set) var keepsGroups = false
    package private(set) var pidfdReceiver: String?
    /// A filter that takes the place of the one of `linux.seccomp`.
    package private(set) var seccompProgram: SeccompProgram?
    /// A cgroup below the container's, relative, without `.` and `..`.
    package private(set) var delegatedCgroup: String?
    /// The cgroup below systemd's scope for the container's processes; nil for none.
    private(set) var systemdSubgroup: String?
    /// Properties of the scope.
    private(set) var systemdProperties: [UnitProperty] = []

    /// Where relative paths begin, as those of the configuration itself do.
    private let bundle: String

    /// Whether systemd makes the cgroup.
    private let usesSystemd: Bool

    init(_ spec: Spec, bundle: String, usesSystemd: Bool = false, findings: inout Findings) {
        self.bundle = bundle
        self.usesSystemd = usesSystemd
        guard let annotations = spec.annotations, !annotations.isEmpty else { return }
        for annotation in annotations where Self.mayMatter(annotation.key) {
            read(annotation, spec, &findings)
        }
    }

    /// Engines write dozens of annotations of their own; only these beginnings are looked at closely.
    private static func mayMatter(_ key: String) -> Bool {
        key.begins(with: "run.oci.") || key.begins(with: "org.systemd.property.") || key.begins(with: "krun.")
            || key.begins(with: "module.wasm.")
    }

    static func field(_ key: String) -> String { "annotations[\"\(key)\"]" }

    private mutating func read(_ annotation: KeyValue, _ spec: Spec, _ findings: inout Findings) {
        let field = Self.field(annotation.key)
        let value = annotation.value
        guard let name = AnnotationName(rawValue: annotation.key) else {
            return readOthers(annotation.key, value, field, &findings)
        }
        switch name {
        case .hookOutput, .hookErrors: _ = path(value, field, &findings)
        case .keepGroups:
            keepsGroups = Self.isOn(value)
            if keepsGroups, spec.process?.user.additionalGids?.isEmpty == false {
                findings.warn("process.user.additionalGids", "not set, because \(name.rawValue) keeps the groups")
            }
        case .pidfdReceiver: pidfdReceiver = path(value, field, &findings)
        case .seccompProgram: readProgram(value, field, isStarted: spec.process != nil, &findings)
        case .unknownCalls:
            if Self.isOn(value) { Self.refuseUnknownCalls(spec.linux?.seccomp, &findings) }
        case .delegatedCgroup: readCgroup(value, field, &findings)
        case .systemdSubgroup: readSubgroup(value, field, &findings)
        case .systemdV1:
            findings.warn(
                field, "has no effect: runbox uses cgroup v2 only, and a systemd that needs v1 will not start")
        case .handler: Self.refuseHandler(value, field, spec, &findings)
        case .wasmVariant: Self.judgeWebAssembly(value, field, spec, &findings)
        case .mountContext, .seccompReceiver, .seccompPlugins, .containerType, .criuConfig: break
        }
    }

    /// As crun has it, everything but 0 is a yes; a plain false is not taken for one.
    private static func isOn(_ value: String) -> Bool { value != "0" && value != "false" }

    private func path(_ value: String, _ field: String, _ findings: inout Findings) -> String? {
        if value.isEmpty {
            findings.refuse(field, "must be a path, is empty")
            return nil
        }
        return value.isAbsolutePath ? value : "\(bundle)/\(value)"
    }

    private mutating func readProgram(
        _ value: String, _ field: String, isStarted: Bool, _ findings: inout Findings
    ) {
        guard let bytes = Base64.decode(value) else {
            return findings.refuse(field, "is not base64")
        }
        let program = SeccompProgram(bytes: bytes)
        if let mistake = SeccompCheck.mistake(in: program) {
            return findings.refuse(field, "is not a seccomp filter: \(mistake)")
        }
        switch program.answer(toCall: "execve") {
        case .kills?, .fails?:
            if isStarted { findings.refuse(field, "does not allow execve, the system call that starts the program") }
        case .passes?, nil: break
        }
        seccompProgram = program
    }

    private static func refuseUnknownCalls(_ seccomp: Seccomp?, _ findings: inout Findings) {
        for (index, rule) in (seccomp?.syscalls ?? []).enumerated() {
            for (position, name) in rule.names.enumerated() where SeccompLibrary.number(name) == nil {
                findings.refuse(
                    "linux.seccomp.syscalls[\(index)].names[\(position)]",
                    "libseccomp \(SeccompLibrary.version) knows no system call \"\(name)\", and \(AnnotationName.unknownCalls.rawValue) makes that an error"
                )
            }
        }
    }

    /// An empty name asks for nothing; a leading slash is ignored, as in crun.
    private mutating func readCgroup(_ value: String, _ field: String, _ findings: inout Findings) {
        let names = value.parts(by: "/")
        if names.contains(where: { $0 == ".." || $0 == "." || $0.utf8.count > 255 || $0.utf8.contains(10) }) {
            return findings.refuse(field, "\"\(value)\" is not the name of a cgroup below the container's")
        }
        if !names.isEmpty { delegatedCgroup = names.joined(separator: "/") }
    }

    // MARK: Handlers

    /// The pause container of a pod has the pod's annotations, but not its payload.
    private static func isSandbox(_ spec: Spec) -> Bool {
        spec.annotations?.contains { $0.key == AnnotationName.containerType.rawValue && $0.value == "sandbox" } == true
    }

    private static func refuseHandler(_ value: String, _ field: String, _ spec: Spec, _ findings: inout Findings) {
        if value.isEmpty || isSandbox(spec) { return }
        findings.refuse(
            field,
            "this runtime has no handler \"\(value)\" (krun, wasm and the like): it runs Linux programs only; use a crun that is built with it, or remove the annotation"
        )
    }

    /// crun hands over what looks like WebAssembly, and runs the rest as it is.
    private static func judgeWebAssembly(
        _ value: String, _ field: String, _ spec: Spec, _ findings: inout Findings
    ) {
        guard value == "compat" || value == "compat-smart", !isSandbox(spec), let program = spec.process?.args?.first
        else { return }
        if program.ends(with: ".wasm") || program.ends(with: ".wat") {
            findings.refuse(
                field,
                "this runtime has no WebAssembly handler for \"\(program)\"; use a crun that is built with one"
            )
        }
    }

    // MARK: systemd

    private static let withoutSystemd = "has no effect without --systemd-cgroup: runbox makes the cgroup itself"

    /// As in crun, but that without the annotation there is no cgroup below the scope.
    private mutating func readSubgroup(_ value: String, _ field: String, _ findings: inout Findings) {
        guard usesSystemd else { return findings.warn(field, Self.withoutSystemd) }
        if value.isEmpty { return }
        guard !value.containsByte("/"), value != ".", value != "..", value.utf8.count <= 255,
            value.utf8.allSatisfy({ $0 > 0x20 })
        else { return findings.refuse(field, "\"\(value)\" is not the name of one cgroup below the scope") }
        systemdSubgroup = value
    }

    /// Podman adds these to every container, whatever makes its cgroup: how systemd is to end the unit. Where there is
    /// no unit, Podman ends the container itself.
    private static let endings = ["KillSignal", "TimeoutStopUSec"]

    private mutating func readProperty(
        _ name: String, _ value: String, _ field: String, _ findings: inout Findings
    ) {
        guard usesSystemd else {
            return Self.endings.contains(name) ? () : findings.warn(field, Self.withoutSystemd)
        }
        do throws(PropertyText.Mistake) {
            systemdProperties.append(try UnitProperty.read(name, value))
        } catch {
            findings.refuse(field, error.reason)
        }
    }

    private mutating func readOthers(_ key: String, _ value: String, _ field: String, _ findings: inout Findings) {
        if let name = key.rest(after: UnitProperty.annotation) {
            readProperty(name, value, field, &findings)
        } else if key.begins(with: AnnotationName.microVM) {
            findings.warn(field, "has no effect: this runtime has no handler krun")
        } else if key.begins(with: "run.oci.") {
            let near = Spelling.nearest(to: key, in: AnnotationName.allCases.map { $0.rawValue })
            findings.warn(field, "means nothing to runbox\(near.map { "; did you mean \($0)?" } ?? "") (ignored)")
        }
    }
}

/// Bytes as text, RFC 4648, section 4.
enum Base64 {
    /// nil when the text is something else; whatever fills up the last group is required, nothing else may stand
    /// between.
    static func decode(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        guard bytes.count % 4 == 0 else { return nil }
        let fill = bytes.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        guard fill <= 2 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count / 4 * 3)
        var group: UInt32 = 0
        for (index, byte) in bytes.dropLast(fill).enumerated() {
            guard let digit = digit(byte) else { return nil }
            group = group << 6 | digit
            if index % 4 != 0 {
                let shift = UInt32(6 - 2 * (index % 4))
                result.append(UInt8(truncatingIfNeeded: group >> shift))
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
