package import Errors
internal import KernelTypes

/// The systemd unit of a container, from `linux.cgroupsPath` in the form that engines use with systemd:
/// `slice:prefix:name`, as in runc.
///
/// The unit is `prefix-name.scope`, or `name.scope` with an empty prefix, in that slice. A configuration without a path
/// gets `runbox-ID.scope` in the default slice. Names of units: systemd.unit(5), "Description"; slices:
/// systemd.slice(5).
package struct ScopeName: Hashable, Sendable {
    /// With its ending `.scope`.
    package let unit: String
    /// With its ending `.slice`.
    package let slice: String
    /// The slices that lie in each other down to that one; none for the root slice `-.slice`.
    let slices: [String]

    /// The longest name of a unit, UNIT_NAME_MAX of systemd without its zero.
    private static let longest = 255

    /// - Parameter isUser: whether the unit is the user's own manager's.
    package init(_ cgroupsPath: String?, id: String, isUser: Bool) throws(CgroupPlanError) {
        let parts = try Self.parts(of: cgroupsPath, id: id)
        let slice = parts[0].isEmpty ? (isUser ? "user.slice" : "system.slice") : parts[0]
        guard let slices = Self.expand(slice) else {
            throw Self.mistake("\"\(printable(slice))\" is no slice: expected a name such as system.slice or a-b.slice")
        }
        let unit = parts[1].isEmpty ? "\(parts[2]).scope" : "\(parts[1])-\(parts[2]).scope"
        guard !parts[2].ends(with: ".slice") else {
            throw Self.mistake(
                "a container's unit is a scope, and \(printable(parts[2])) is a slice; name the slice first")
        }
        guard !parts[2].isEmpty, unit.utf8.count <= Self.longest, unit.utf8.allSatisfy(Self.isAllowed) else {
            throw Self.mistake(
                "\"\(printable(unit))\" cannot be the name of a systemd unit: letters, digits and :-_.\\@ are allowed, \(Self.longest) in all"
            )
        }
        self.unit = unit
        self.slice = slice
        self.slices = slices
    }

    private static func parts(of path: String?, id: String) throws(CgroupPlanError) -> [String] {
        guard let path, !path.isEmpty else { return ["", "runbox", id] }
        let parts = path.parts(by: ":", keepingEmpty: true)
        guard parts.count == 3 else {
            throw mistake("expected slice:prefix:name for the cgroup manager systemd, found \"\(printable(path))\"")
        }
        return parts
    }

    /// `a-b-c.slice` lies in `a-b.slice`, and that in `a.slice`; nil for what is no slice's name.
    static func expand(_ slice: String) -> [String]? {
        guard slice.ends(with: ".slice"), slice.utf8.count <= longest else { return nil }
        if slice == "-.slice" { return [] }
        let names = String(decoding: slice.utf8.dropLast(6), as: UTF8.self).parts(by: "-", keepingEmpty: true)
        var slices: [String] = []
        var prefix = ""
        for name in names {
            guard !name.isEmpty, name.utf8.allSatisfy({ isAllowed($0) && $0 != UInt8(ascii: "@") }) else { return nil }
            prefix += prefix.isEmpty ? name : "-\(name)"
            slices.append("\(prefix).slice")
        }
        return slices
    }

    /// The place in a manager's part of the tree; where that begins only the manager knows.
    var path: String { (slices + [unit]).map { "/\($0)" }.joined() }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: ":-_.\\@".utf8.contains(byte)
        }
    }

    private static func mistake(_ reason: String) -> CgroupPlanError {
        CgroupPlanError(field: "linux.cgroupsPath", reason: reason)
    }
}
