internal import Errors
internal import KernelTypes
package import OCISpec

/// What the container's namespaces are set to: names, kernel parameters, execution domain.
package struct SystemPlan: Sendable {
    package struct Sysctl: Sendable {
        /// Below /proc/sys, with slashes.
        package let path: String
        package let key: String
        package let value: String
        /// Which of the container's namespaces it belongs to.
        let namespace: NamespaceType?
    }

    package let hostname: String?
    package let domainname: String?
    package let sysctls: [Sysctl]
    package let personality: UInt?

    init(_ spec: Spec, namespaces: NamespacePlan, findings: inout Findings) {
        hostname = spec.hostname
        domainname = spec.domainname
        Self.checkName(hostname, "hostname", namespaces, &findings)
        Self.checkName(domainname, "domainname", namespaces, &findings)
        var sysctls: [Sysctl] = []
        for entry in spec.linux?.sysctl ?? [] {
            let field = "linux.sysctl[\"\(entry.key)\"]"
            let path = Self.path(entry.key)
            if let reason = Self.refusal(of: path, value: entry.value, spec: spec, namespaces) {
                findings.refuse(field, reason)
            }
            sysctls.append(
                Sysctl(path: path, key: entry.key, value: entry.value, namespace: Self.namespace(of: path)))
        }
        self.sysctls = sysctls
        personality = spec.linux?.personality.flatMap { Self.persona($0, &findings) }
    }

    private static func checkName(
        _ name: String?, _ field: String, _ namespaces: NamespacePlan, _ findings: inout Findings
    ) {
        guard let name, !name.isEmpty else { return }
        if !namespaces.has(.uts) {
            findings.refuse(field, "needs a UTS namespace; add {\"type\": \"uts\"} to linux.namespaces")
        }
        if name.utf8.count > 64 { findings.refuse(field, "is longer than the kernel's 64 bytes") }
    }

    /// The path of a key. As in sysctl(8), the first separator decides: `net.ipv4.conf.eth0/1.forwarding` names the
    /// interface eth0.1, and so does `net/ipv4/conf/eth0.1/forwarding`.
    static func path(_ key: String) -> String {
        let dot = UInt8(ascii: ".")
        let slash = UInt8(ascii: "/")
        guard key.utf8.first(where: { $0 == dot || $0 == slash }) == dot else { return key }
        return String(decoding: key.utf8.map { $0 == dot ? slash : $0 == slash ? dot : $0 }, as: UTF8.self)
    }

    private static let ipc = [
        "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall", "kernel/shmmax",
        "kernel/shmmni", "kernel/shm_rmid_forced",
    ]

    /// Why a parameter cannot be set for the container alone; nil when it can.
    private static func refusal(of path: String, value: String, spec: Spec, _ namespaces: NamespacePlan) -> String? {
        if path.parts(by: "/", keepingEmpty: true).contains(where: {
            $0.isEmpty || $0 == ".." || $0 == "."
        }) {
            return "is not the name of a kernel parameter"
        }
        if path == "kernel/hostname" { return "must be set by the field hostname" }
        guard let type = namespace(of: path) else { return "is not namespaced: it would change the whole host" }
        if path == "kernel/domainname", let domainname = spec.domainname, domainname != value {
            return "contradicts domainname \"\(domainname)\""
        }
        return namespaces.has(type)
            ? nil
            : "is not allowed without \(type == .ipc ? "an" : "a") \(type.rawValue) namespace of the container's own"
    }

    /// The kind of namespace that a parameter belongs to; nil when it is the whole machine's.
    private static func namespace(of path: String) -> NamespaceType? {
        if ipc.contains(path) || path.begins(with: "fs/mqueue/") { return .ipc }
        if path.begins(with: "net/") { return .network }
        if path.begins(with: "user/") { return .user }
        return path == "kernel/domainname" ? .uts : nil
    }

    /// The field that would change the host if the container's namespace of a kind were the host's own; nil when there
    /// is none.
    package func fieldChanging(_ type: NamespaceType) -> String? {
        if type == .uts, hostname?.isEmpty == false { return "hostname" }
        if type == .uts, domainname?.isEmpty == false { return "domainname" }
        return sysctls.first { $0.namespace == type }.map { "linux.sysctl[\"\($0.key)\"]" }
    }

    /// personality(2). The field `flags` has no value that the specification defines.
    private static func persona(_ personality: Personality, _ findings: inout Findings) -> UInt? {
        if let flags = personality.flags, !flags.isEmpty {
            findings.refuse("linux.personality.flags", "no flag is defined by the specification")
        }
        switch personality.domain {
        case .linux: return 0
        case .linux32: return 8
        }
    }
}
