internal import Errors
internal import KernelTypes
internal import OCISpec

/// A network interface of the host that the container gets. Specification: config-linux.md, "Network Devices".
package struct NetDevicePlan: Sendable, Equatable {
    /// The JSON path, for messages.
    package let field: String
    /// Its name in the runtime's network namespace.
    package let hostName: String
    /// Its name in the container; where ``isPattern``, the kernel puts a number in the place of `%d`.
    package let name: String

    package var isPattern: Bool { name.containsByte("%") }

    /// Reads the section, and refuses what cannot be done with the container's namespaces or by this user.
    static func read(
        _ devices: [NetDevice]?, namespaces: NamespacePlan, host: Host, findings: inout Findings
    ) -> [NetDevicePlan] {
        guard let devices, !devices.isEmpty else { return [] }
        if !namespaces.has(.network) {
            findings.refuse(
                "linux.netDevices", "needs a network namespace; add {\"type\": \"network\"} to linux.namespaces")
        }
        if host.effectiveUser != 0 {
            findings.refuse("linux.netDevices", "moving network interfaces needs root")
        }
        var plans: [NetDevicePlan] = []
        for device in devices {
            let name = device.name.flatMap { $0.isEmpty ? nil : $0 } ?? device.hostName
            let plan = NetDevicePlan(
                field: "linux.netDevices[\"\(device.hostName)\"]", hostName: device.hostName, name: name)
            if let mistake = mistake(in: device.hostName, isPattern: false) {
                findings.refuse(plan.field, "\"\(device.hostName)\" \(mistake)")
            } else if let mistake = mistake(in: name, isPattern: true) {
                findings.refuse("\(plan.field).name", "\"\(name)\" \(mistake)")
            } else if !plan.isPattern, let other = plans.first(where: { $0.name == name }) {
                findings.refuse(
                    "\(plan.field).name", "\"\(name)\" is the name that \(other.hostName) gets in the container, too")
            }
            plans.append(plan)
        }
        return plans
    }

    /// What the kernel would refuse in a name (net/core/dev.c, `dev_valid_name` and `__dev_alloc_name`); nil when it is
    /// a good one.
    private static func mistake(in name: String, isPattern: Bool) -> String? {
        if name.isEmpty { return "is empty" }
        if name.utf8.count > 15 { return "is longer than the kernel's 15 bytes" }
        if name == "." || name == ".." { return "cannot be the name of a network interface" }
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "/"), UInt8(ascii: ":"), UInt8(ascii: " "), 0...0x1f, 0x7f, 0xa0:
                return "must not hold a slash, a colon, a blank or a control character"
            default: break
            }
        }
        let pieces = name.parts(by: "%", keepingEmpty: true)
        if pieces.count == 1 { return nil }
        if !isPattern { return "must not hold a per cent sign" }
        return pieces.count == 2 && pieces[1].begins(with: "d")
            ? nil : "must not hold a per cent sign but that of one %d, where the kernel puts a number"
    }
}
