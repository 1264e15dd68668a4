internal import DBus
internal import Errors
internal import KernelTypes
internal import OCISpec

/// Which devices the processes of a container may use: the rules of config-linux.md, "Allowed Device list", with those
/// that every container has.
///
/// A request asks for some of read, write and mknod on one device. Each of these bits is decided by the last rule that
/// speaks of it; what no rule speaks of is denied. This is how cgroup v1, whose list the specification describes,
/// judged (security/device_cgroup.c): two rules that allow reading and writing allow both at once, and a rule that
/// denies writing also denies opening for both. runc and crun compare whole requests only, and so let the latter
/// through.
package struct DeviceRules: Hashable, Sendable {
    package struct Access: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        // The values of BPF_DEVCG_ACC_*, linux/bpf.h.
        package static let makeNode = Access(rawValue: 1)
        package static let read = Access(rawValue: 2)
        package static let write = Access(rawValue: 4)
        static let all: Access = [.makeNode, .read, .write]
    }

    /// The values of BPF_DEVCG_DEV_*, linux/bpf.h.
    package enum Kind: UInt8, Sendable {
        case block = 1
        case character = 2
    }

    /// One rule; nil matches all.
    package struct Rule: Hashable, Sendable {
        let allow: Bool
        let kind: Kind?
        let major: Int32?
        let minor: Int32?
        let access: Access

        init(allow: Bool, kind: Kind?, major: Int32? = nil, minor: Int32? = nil, access: Access = .all) {
            self.allow = allow
            self.kind = kind
            self.major = major
            self.minor = minor
            self.access = access
        }

        /// Whether it decides every request on every device.
        var isWildcard: Bool { kind == nil && major == nil && minor == nil && access == .all }

        /// Whether it speaks of all the devices that another rule speaks of.
        func covers(devicesOf other: Rule) -> Bool {
            (kind == nil || kind == other.kind) && (major == nil || major == other.major)
                && (minor == nil || minor == other.minor)
        }
    }

    /// What is wrong with some rules.
    struct Mistakes: Error {
        var list: [CgroupPlanError] = []
    }

    /// In the order of decision, which is the reverse of the configuration's: the first rule that speaks of a bit
    /// decides it. Rules that never decide are left out.
    let decisions: [Rule]
    /// Whether the configuration denies anything by a rule of its own. Where it does not, a host that has no device
    /// programs (rootless) may be ignored.
    package let hasDenial: Bool

    /// Allowed in every container whatever its rules: making any node, and using those devices that the specification's
    /// default devices and a terminal consist of (config-linux.md, "Default Devices"); a tunnel, as runc and crun have
    /// it.
    static let always: [Rule] =
        [
            Rule(allow: true, kind: .block, access: .makeNode), Rule(allow: true, kind: .character, access: .makeNode),
            Rule(allow: true, kind: .character, major: 136),  // /dev/pts/*
        ]
        + [
            (1, 3), (1, 5), (1, 7), (1, 8), (1, 9),  // null zero full random urandom
            (5, 0), (5, 2), (10, 200),  // tty ptmx net/tun
        ].map { Rule(allow: true, kind: .character, major: $0.0, minor: $0.1) }

    /// Device numbers have 12 and 20 bits (linux/kdev_t.h).
    static let majorBits: Int32 = 12
    static let minorBits: Int32 = 20

    /// So many rules fit a program's jumps.
    static let most = 4096

    init(_ rules: [DeviceRule]) throws(Mistakes) {
        var mistakes = Mistakes()
        guard rules.count <= Self.most else {
            mistakes.list.append(
                CgroupPlanError(
                    field: "linux.resources.devices",
                    reason: "expected at most \(Self.most) rules, found \(rules.count)"))
            throw mistakes
        }
        var decisions = Self.always
        for (index, rule) in rules.enumerated().reversed() {
            let field = "linux.resources.devices[\(index)]"
            let major = Self.number(rule.major, "\(field).major", &mistakes)
            let minor = Self.number(rule.minor, "\(field).minor", &mistakes)
            let access = Self.access(rule.access, "\(field).access", &mistakes)
            let kind: Kind? =
                switch rule.type {
                case .b: .block
                case .c: .character
                case .a, nil: nil
                }
            decisions.append(Rule(allow: rule.allow, kind: kind, major: major, minor: minor, access: access))
        }
        guard mistakes.list.isEmpty else {
            mistakes.list.reverse()
            throw mistakes
        }
        self.decisions = Self.withoutIdle(decisions)
        hasDenial = rules.contains { !$0.allow }
    }

    /// Engines list the default devices once more, and what stands before a wildcard decides nothing; a short program
    /// loads faster.
    private static func withoutIdle(_ rules: [Rule]) -> [Rule] {
        var kept: [Rule] = []
        for rule in rules {
            // Numbers beyond the kernel's are no device's.
            if (rule.major ?? 0) >> majorBits != 0 || (rule.minor ?? 0) >> minorBits != 0 { continue }
            var decided: Access = []
            for earlier in kept where earlier.covers(devicesOf: rule) { decided.formUnion(earlier.access) }
            if decided.isSuperset(of: rule.access) { continue }
            kept.append(rule)
            if rule.isWildcard { break }
        }
        return kept
    }

    private static func number(_ number: Int64?, _ field: String, _ mistakes: inout Mistakes) -> Int32? {
        guard let number, number != -1 else { return nil }
        if let number = Int32(exactly: number), number >= 0 { return number }
        mistakes.list.append(
            CgroupPlanError(field: field, reason: "expected a device number, or -1 for all, found \(number)"))
        return nil
    }

    private static func access(_ text: String?, _ field: String, _ mistakes: inout Mistakes) -> Access {
        guard let text, !text.isEmpty else { return .all }
        guard DeviceRule.isAccess(text) else {
            mistakes.list.append(
                CgroupPlanError(
                    field: field, reason: "expected a composition of r, w and m, found \"\(printable(text))\""))
            return .all
        }
        var access: Access = []
        if text.utf8.contains(UInt8(ascii: "r")) { access.insert(.read) }
        if text.utf8.contains(UInt8(ascii: "w")) { access.insert(.write) }
        if text.utf8.contains(UInt8(ascii: "m")) { access.insert(.makeNode) }
        return access
    }

    /// Whether every request is allowed, so that no program is needed.
    package var allowEverything: Bool { decisions.last?.isWildcard == true && decisions.allSatisfy { $0.allow } }

    /// The judgement that the kernel's program makes.
    func allow(_ access: Access, kind: Kind, major: Int32, minor: Int32) -> Bool {
        var open = access
        for rule in decisions where !open.isEmpty {
            if let wanted = rule.kind, wanted != kind { continue }
            if let wanted = rule.major, wanted != major { continue }
            if let wanted = rule.minor, wanted != minor { continue }
            if rule.allow {
                open.subtract(rule.access)
            } else if !open.isDisjoint(with: rule.access) {
                return false
            }
        }
        return open.isEmpty
    }
}
