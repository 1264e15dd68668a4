internal import DBus

/// Device rules as properties of a unit, for the device program that systemd installs by itself, and again at every
/// daemon-reload (systemd.resource-control(5), `DeviceAllow=`).
///
/// A request must pass systemd's program and runbox's. systemd's list can only allow, so it holds whatever some rule
/// allows, and denials beyond that are runbox's program's alone.
package enum UnitDevices {
    /// - Parameter version: systemd's; device numbers are understood since 240, and before that it gets no policy at
    ///   all.
    package static func properties(_ rules: DeviceRules, version: Int) -> [UnitProperty] {
        let allowed = entries(rules)
        guard version >= 240, let allowed else { return [UnitProperty("DevicePolicy", .string("auto"))] }
        return [
            UnitProperty("DevicePolicy", .string("strict")),
            UnitProperty("DeviceAllow", .array(of: .structure([.string, .string]), allowed)),
        ]
    }

    /// nil where everything may be allowed.
    private static func entries(_ rules: DeviceRules) -> [Value]? {
        var entries: [Value] = []
        for rule in rules.decisions where rule.allow {
            let kinds: [DeviceRules.Kind] = rule.kind.map { [$0] } ?? [.block, .character]
            if rule.kind == nil, rule.major == nil, rule.access == .all { return nil }
            for kind in kinds {
                let entry = Value.structure([.string(device(kind, rule)), .string(letters(rule.access))])
                if !entries.contains(entry) { entries.append(entry) }
            }
        }
        return entries
    }

    private static func device(_ kind: DeviceRules.Kind, _ rule: DeviceRules.Rule) -> String {
        let word = kind == .block ? "block" : "char"
        // Rules for one minor number of all majors cannot be said: they become rules for all.
        guard let major = rule.major else { return "\(word)-*" }
        guard let minor = rule.minor else { return "\(word)-\(major)" }
        return "/dev/\(word)/\(major):\(minor)"
    }

    private static func letters(_ access: DeviceRules.Access) -> String {
        (access.contains(.read) ? "r" : "") + (access.contains(.write) ? "w" : "")
            + (access.contains(.makeNode) ? "m" : "")
    }
}
