package import DBus
internal import KernelTypes

/// A property of a systemd unit, as StartTransientUnit and SetUnitProperties take it (org.freedesktop.systemd1(5)).
package struct UnitProperty: Hashable, Sendable {
    package let name: String
    package let value: Value

    init(_ name: String, _ value: Value) {
        self.name = name
        self.value = value
    }

    package var marshalled: Value { .structure([.string(name), .variant(value)]) }
    package static let type = TypeCode.structure([.string, .variant])

    /// Annotations of the configuration that are properties of the unit begin so.
    package static let annotation = "org.systemd.property."

    /// Properties that are runbox's own business: the configuration has other fields for them, or what runbox does
    /// would be undone.
    private static let reserved = [
        "PIDs", "PIDFDs", "Slice", "Delegate", "DelegateControllers", "DelegateSubgroup", "DevicePolicy", "DeviceAllow",
        "BPFProgram",
    ]

    /// Reads an annotation: `org.systemd.property.NAME`, its value as GVariant text. A name in …Sec means seconds,
    /// systemd's …USec of it microseconds.
    package static func read(_ name: String, _ text: String) throws(PropertyText.Mistake) -> UnitProperty {
        let isName =
            !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: false
                }
            }
        guard isName else {
            throw PropertyText.Mistake(reason: "is not the name of a property: letters and digits only")
        }
        guard !reserved.contains(name) else {
            throw PropertyText.Mistake(
                reason: "is set by runbox itself, from linux.cgroupsPath and linux.resources; remove the annotation")
        }
        let value = try PropertyText.parse(text)
        // As in runc: TimeoutStopSec is meant, and CPUQuotaPerSecUSec is not.
        let letters = Array(name.utf8)
        guard name.ends(with: "Sec"), letters.count > 3,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letters[letters.count - 4])
        else { return UnitProperty(name, value) }
        let stem = String(decoding: letters.dropLast(3), as: UTF8.self)
        return UnitProperty("\(stem)USec", try PropertyText.microseconds(value))
    }
}

/// Properties by name; setting one again replaces it.
package struct UnitProperties {
    package private(set) var list: [UnitProperty] = []

    mutating func set(_ name: String, _ value: Value) {
        list.removeAll { $0.name == name }
        list.append(UnitProperty(name, value))
    }

    /// Adds to a property that is a list.
    mutating func extend(_ name: String, of type: TypeCode, with value: Value) {
        var values: [Value] = []
        if let old = list.first(where: { $0.name == name }), case .array(_, let present) = old.value {
            values = present
        }
        set(name, .array(of: type, values + [value]))
    }
}
