internal import JSON

/// Block I/O (config-linux.md, "Block IO").
package struct BlockIOResources: Sendable, Hashable {
    /// The relative weight, on cgroup v1's scale of 10 to 1000.
    package var weight: UInt16?
    /// The weight against child groups (cgroup v1 only).
    package var leafWeight: UInt16?
    /// Weights for single devices.
    package var weightDevice: [WeightDevice]?
    /// Bytes read a second.
    package var throttleReadBpsDevice: [ThrottleDevice]?
    /// Bytes written a second.
    package var throttleWriteBpsDevice: [ThrottleDevice]?
    /// Reads a second.
    package var throttleReadIOPSDevice: [ThrottleDevice]?
    /// Writes a second.
    package var throttleWriteIOPSDevice: [ThrottleDevice]?

    /// Limits by their kind.
    package init(
        weight: UInt16? = nil, leafWeight: UInt16? = nil, weightDevice: [WeightDevice]? = nil,
        throttleReadBpsDevice: [ThrottleDevice]? = nil, throttleWriteBpsDevice: [ThrottleDevice]? = nil,
        throttleReadIOPSDevice: [ThrottleDevice]? = nil, throttleWriteIOPSDevice: [ThrottleDevice]? = nil
    ) {
        self.weight = weight
        self.leafWeight = leafWeight
        self.weightDevice = weightDevice
        self.throttleReadBpsDevice = throttleReadBpsDevice
        self.throttleWriteBpsDevice = throttleWriteBpsDevice
        self.throttleReadIOPSDevice = throttleReadIOPSDevice
        self.throttleWriteIOPSDevice = throttleWriteIOPSDevice
    }
}

extension BlockIOResources: Section {
    init(_ fields: inout Fields) {
        weight = fields.integer("weight")
        leafWeight = fields.integer("leafWeight")
        weightDevice = fields.sections("weightDevice")
        throttleReadBpsDevice = fields.sections("throttleReadBpsDevice")
        throttleWriteBpsDevice = fields.sections("throttleWriteBpsDevice")
        throttleReadIOPSDevice = fields.sections("throttleReadIOPSDevice")
        throttleWriteIOPSDevice = fields.sections("throttleWriteIOPSDevice")
    }

    func merging(_ changes: BlockIOResources) -> BlockIOResources {
        let isSameDevice = { (a: ThrottleDevice, b: ThrottleDevice) in a.major == b.major && a.minor == b.minor }
        var merged = self
        merged.weight = given(changes.weight) ?? weight
        merged.leafWeight = given(changes.leafWeight) ?? leafWeight
        merged.weightDevice = Resources.merge(weightDevice, changes.weightDevice) {
            $0.major == $1.major && $0.minor == $1.minor
        }
        merged.throttleReadBpsDevice = Resources.merge(
            throttleReadBpsDevice, changes.throttleReadBpsDevice, isSameDevice)
        merged.throttleWriteBpsDevice = Resources.merge(
            throttleWriteBpsDevice, changes.throttleWriteBpsDevice, isSameDevice)
        merged.throttleReadIOPSDevice = Resources.merge(
            throttleReadIOPSDevice, changes.throttleReadIOPSDevice, isSameDevice)
        merged.throttleWriteIOPSDevice = Resources.merge(
            throttleWriteIOPSDevice, changes.throttleWriteIOPSDevice, isSameDevice)
        return merged
    }

    func write(to writer: inout Writer) {
        writer.number("weight", weight)
        writer.number("leafWeight", leafWeight)
        if let weightDevice { writer.list("weightDevice", weightDevice) { $0.write(to: &$1) } }
        writer.rates("throttleReadBpsDevice", throttleReadBpsDevice)
        writer.rates("throttleWriteBpsDevice", throttleWriteBpsDevice)
        writer.rates("throttleReadIOPSDevice", throttleReadIOPSDevice)
        writer.rates("throttleWriteIOPSDevice", throttleWriteIOPSDevice)
    }
}

/// The weights of one block device; at least one of the two is there.
package struct WeightDevice: Sendable, Hashable {
    /// The device's major number.
    package var major: Int64
    /// The device's minor number.
    package var minor: Int64
    /// The relative weight.
    package var weight: UInt16?
    /// The weight against child groups (cgroup v1 only).
    package var leafWeight: UInt16?

    /// Weights by their parts.
    package init(major: Int64, minor: Int64, weight: UInt16? = nil, leafWeight: UInt16? = nil) {
        self.major = major
        self.minor = minor
        self.weight = weight
        self.leafWeight = leafWeight
    }
}

extension WeightDevice: Section {
    init(_ fields: inout Fields) {
        major = fields.requiredInteger("major")
        minor = fields.requiredInteger("minor")
        weight = fields.integer("weight")
        leafWeight = fields.integer("leafWeight")
        fields.requireOne(of: "weight", "leafWeight")
    }

    func write(to writer: inout Writer) {
        writer.member("major", major)
        writer.member("minor", minor)
        writer.number("weight", weight)
        writer.number("leafWeight", leafWeight)
    }
}

/// A rate limit of one block device.
package struct ThrottleDevice: Sendable, Hashable {
    /// The device's major number.
    package var major: Int64
    /// The device's minor number.
    package var minor: Int64
    /// Bytes or operations a second, after the list it stands in.
    package var rate: UInt64

    /// A limit by its parts.
    package init(major: Int64, minor: Int64, rate: UInt64) {
        self.major = major
        self.minor = minor
        self.rate = rate
    }
}

extension ThrottleDevice: Section {
    init(_ fields: inout Fields) {
        major = fields.requiredInteger("major")
        minor = fields.requiredInteger("minor")
        rate = fields.requiredInteger("rate")
    }
}
