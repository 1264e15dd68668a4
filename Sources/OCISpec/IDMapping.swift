/// A run of user or group IDs and what they are on the host (config-linux.md, "User namespace mappings").
package struct IDMapping: Sendable, Hashable {
    /// The first ID inside the container.
    package var containerID: UInt32
    /// The ID on the host that `containerID` stands for.
    package var hostID: UInt32
    /// How many IDs are mapped; at least 1.
    package var size: UInt32

    /// A mapping by its parts.
    package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
        self.containerID = containerID
        self.hostID = hostID
        self.size = size
    }
}

extension IDMapping: Section {
    init(_ fields: inout Fields) {
        containerID = fields.requiredInteger("containerID")
        hostID = fields.requiredInteger("hostID")
        size = fields.requiredInteger("size")
        if size == 0, fields.isNumber("size") {
            fields.error("size", "a mapping must have at least one ID, found size 0")
        }
    }
}
