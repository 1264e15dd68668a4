internal import JSON

/// Network classes and priorities, which only cgroup v1 has (config-linux.md, "Network").
package struct NetworkResources: Sendable, Hashable {
    /// The class that packets are tagged with.
    package var classID: UInt32?
    /// Priorities by interface.
    package var priorities: [InterfacePriority]?

    /// Settings by their parts.
    package init(classID: UInt32? = nil, priorities: [InterfacePriority]? = nil) {
        self.classID = classID
        self.priorities = priorities
    }
}

extension NetworkResources: Section {
    init(_ fields: inout Fields) {
        classID = fields.integer("classID")
        priorities = fields.sections("priorities")
    }

    func write(to writer: inout Writer) {
        writer.number("classID", classID)
        guard let priorities else { return }
        writer.list("priorities", priorities) { priority, writer in
            writer.member("name", priority.name)
            writer.member("priority", priority.priority)
        }
    }
}

/// The priority of traffic that leaves by one interface.
package struct InterfacePriority: Sendable, Hashable {
    /// The interface's name in the runtime's network namespace.
    package var name: String
    /// The priority.
    package var priority: UInt32

    /// A priority by its parts.
    package init(name: String, priority: UInt32) {
        self.name = name
        self.priority = priority
    }
}

extension InterfacePriority: Section {
    init(_ fields: inout Fields) {
        name = fields.requiredName("name")
        priority = fields.requiredInteger("priority")
    }
}

/// The limits of one RDMA device; at least one of the two is there (config-linux.md, "RDMA").
package struct RDMALimit: Sendable, Hashable {
    /// The device's name, the key of its entry.
    package var device: String
    /// The most open handles.
    package var hcaHandles: UInt32?
    /// The most objects.
    package var hcaObjects: UInt32?

    /// Limits by their parts.
    package init(device: String, hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
        self.device = device
        self.hcaHandles = hcaHandles
        self.hcaObjects = hcaObjects
    }
}

extension RDMALimit: Section {
    init(_ fields: inout Fields) {
        device = fields.name
        hcaHandles = fields.integer("hcaHandles")
        hcaObjects = fields.integer("hcaObjects")
        fields.requireOne(of: "hcaHandles", "hcaObjects")
    }

    func write(to writer: inout Writer) {
        writer.part(device) { writer in
            writer.number("hcaHandles", hcaHandles)
            writer.number("hcaObjects", hcaObjects)
        }
    }
}
