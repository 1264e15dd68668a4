internal import Errors
package import KernelTypes
internal import OCISpec

/// A device node that the container finds. Specification: config-linux.md, "Devices" and "Default Devices".
package struct DevicePlan: Sendable {
    package let path: String
    package let kind: FileKind
    package let major: UInt32
    package let minor: UInt32
    package let mode: UInt32
    package let owner: UInt32
    package let group: UInt32
    package let field: String?

    init(
        path: String, kind: FileKind, major: UInt32, minor: UInt32, mode: UInt32 = 0o666, owner: UInt32 = 0,
        group: UInt32 = 0, field: String? = nil
    ) {
        self.path = path
        self.kind = kind
        self.major = major
        self.minor = minor
        self.mode = mode
        self.owner = owner
        self.group = group
        self.field = field
    }

    /// What every container has; /dev/console and /dev/ptmx are made with the terminal's mounts.
    static let defaults: [DevicePlan] = [
        DevicePlan(path: "/dev/null", kind: .characterDevice, major: 1, minor: 3),
        DevicePlan(path: "/dev/zero", kind: .characterDevice, major: 1, minor: 5),
        DevicePlan(path: "/dev/full", kind: .characterDevice, major: 1, minor: 7),
        DevicePlan(path: "/dev/random", kind: .characterDevice, major: 1, minor: 8),
        DevicePlan(path: "/dev/urandom", kind: .characterDevice, major: 1, minor: 9),
        DevicePlan(path: "/dev/tty", kind: .characterDevice, major: 5, minor: 0),
    ]

    /// Links that programs expect in /dev, as every other runtime makes them.
    package static let links: [(name: String, target: String)] = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"),
    ]

    init?(_ device: Device, index: Int, findings: inout Findings) {
        let field = "linux.devices[\(index)]"
        guard device.path.isAbsolutePath else {
            findings.refuse("\(field).path", "must be an absolute path, is \"\(device.path)\"")
            return nil
        }
        path = device.path.cleanedPath
        kind =
            switch device.type {
            case .c, .u: .characterDevice
            case .b: .blockDevice
            case .p: .fifo
            }
        guard let major = Self.number(device.major, device, "\(field).major", &findings),
            let minor = Self.number(device.minor, device, "\(field).minor", &findings)
        else { return nil }
        self.major = major
        self.minor = minor
        mode = (device.fileMode ?? 0o666) & 0o7777
        owner = device.uid ?? 0
        group = device.gid ?? 0
        self.field = field
    }

    /// An owner that the container does not know is stretched to "nobody", as in crun.
    func checkOwner(_ namespaces: NamespacePlan, index: Int, findings: inout Findings) {
        for (id, mappings, key) in [
            (owner, namespaces.uidMappings, "uid"), (group, namespaces.gidMappings, "gid"),
        ] where !mappings.isEmpty && NamespacePlan.hostID(of: id, in: mappings) == nil {
            findings.warn(
                "linux.devices[\(index)].\(key)",
                "\(id) is not mapped in the user namespace: the device belongs to nobody in the container")
        }
    }

    /// A FIFO needs no number.
    private static func number(
        _ value: Int64?, _ device: Device, _ field: String, _ findings: inout Findings
    ) -> UInt32? {
        if device.type == .p { return 0 }
        guard let value, let number = UInt32(exactly: value) else {
            findings.refuse(field, "must be a device number, is \(value.map(String.init) ?? "missing")")
            return nil
        }
        return number
    }
}
