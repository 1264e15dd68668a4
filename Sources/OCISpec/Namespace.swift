/// A namespace to create, or to join (config-linux.md, "Namespaces").
package struct Namespace: Sendable, Hashable {
    /// Its type.
    package var type: NamespaceType
    /// The file of the namespace to join, absolute, on the host; absent creates a new one.
    package var path: String?

    /// A namespace by its parts.
    package init(type: NamespaceType, path: String? = nil) {
        self.type = type
        self.path = path
    }
}

/// The namespace types, by the specification's names.
package enum NamespaceType: String, Word {
    case pid
    case network
    case mount
    case ipc
    case uts
    case user
    case cgroup
    case time
}

extension Namespace: Section {
    init(_ fields: inout Fields) {
        type = fields.requiredWord("type", placeholder: .pid)
        // As a Go program writes the path of a namespace that is to be made.
        if fields.isEmptyString("path") {
            fields.warning("path", "is empty, as if it were absent: a new namespace is made")
            fields.ignore("path")
        } else {
            path = fields.absolutePath("path")
        }
    }
}

/// How far the clocks of a time namespace are off (config-linux.md, "Offset for Time Namespace").
package struct TimeOffsets: Sendable, Hashable {
    /// CLOCK_MONOTONIC.
    package var monotonic: ClockOffset?
    /// CLOCK_BOOTTIME.
    package var boottime: ClockOffset?

    /// Offsets by clock.
    package init(monotonic: ClockOffset? = nil, boottime: ClockOffset? = nil) {
        self.monotonic = monotonic
        self.boottime = boottime
    }
}

extension TimeOffsets: Section {
    init(_ fields: inout Fields) {
        fields.refusesUnknown = true
        monotonic = fields.section("monotonic")
        boottime = fields.section("boottime")
    }
}

/// How far one clock is off.
package struct ClockOffset: Sendable, Hashable {
    /// Whole seconds.
    package var secs: Int64?
    /// Nanoseconds on top.
    package var nanosecs: UInt32?

    /// An offset by its parts.
    package init(secs: Int64? = nil, nanosecs: UInt32? = nil) {
        self.secs = secs
        self.nanosecs = nanosecs
    }
}

extension ClockOffset: Section {
    init(_ fields: inout Fields) {
        secs = fields.integer("secs")
        nanosecs = fields.integer("nanosecs")
    }
}
