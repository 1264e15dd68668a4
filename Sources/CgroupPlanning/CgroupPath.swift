package import Errors
internal import KernelTypes

/// The container's place in the cgroup v2 tree: an absolute path from the tree's root, never the root itself.
///
/// From `linux.cgroupsPath` (config-linux.md, "Cgroups Path"):
/// - an absolute path lies below the mount point, as the specification demands;
/// - a relative one lies below the *parent* of runbox's own cgroup, as in runc. The own cgroup holds runbox itself, so
///   its children could have no controllers (cgroup-v2.rst, "No Internal Process Constraint"). crun takes the path from
///   the tree's root instead, which a delegated tree does not allow. Of a runtime that systemd has started as a service
///   it lies below the own cgroup, which is the service's: see ``OwnService``;
/// - none is the relative path of the container's ID.
///
/// `.` and `..` are resolved in the text alone, and do not lead above where the path begins.
package struct CgroupPath: Hashable, Sendable, CustomStringConvertible {
    /// The names from the root down, at least one.
    package let components: [String]

    /// - Parameter own: the cgroup of this process; the tree's root where nil.
    /// - Parameter isBelowOwn: whether a relative path begins at that cgroup, and not at its parent.
    package init(
        _ cgroupsPath: String?, id: String, own: String?, isBelowOwn: Bool = false
    ) throws(CgroupPlanError) {
        let wanted = cgroupsPath.flatMap { $0.isEmpty ? nil : $0 } ?? id
        let cleaned = Self.clean(wanted)
        guard !cleaned.isEmpty else {
            throw Self.mistake("\"\(printable(wanted))\" names no cgroup of the container's own; add a name")
        }
        for name in cleaned {
            // NAME_MAX; the kernel itself forbids newlines in cgroup names (kernel/cgroup/cgroup.c, cgroup_mkdir).
            guard name.utf8.count <= 255, name.utf8.allSatisfy({ $0 != 0 && $0 != UInt8(ascii: "\n") }) else {
                throw Self.mistake("\"\(printable(name))\" cannot be the name of a cgroup")
            }
        }
        let isAbsolute = wanted.utf8.first == UInt8(ascii: "/")
        components = isAbsolute ? cleaned : Self.clean(own ?? "/").dropLast(isBelowOwn ? 0 : 1) + cleaned
    }

    /// Takes back a path that ``description`` gave.
    package init(stored: String) { components = Self.clean(stored) }

    package var description: String { "/" + components.joined(separator: "/") }

    /// The paths of the cgroups above, from the topmost below the root.
    package var ancestors: [String] {
        var path = ""
        return components.dropLast().map { name in
            path += "/\(name)"
            return path
        }
    }

    private static func clean(_ path: String) -> [String] {
        var names: [String] = []
        for name in path.parts(by: "/") where name != "." {
            if name == ".." {
                _ = names.popLast()
            } else {
                names.append(String(name))
            }
        }
        return names
    }

    private static func mistake(_ reason: String) -> CgroupPlanError {
        CgroupPlanError(field: "linux.cgroupsPath", reason: reason)
    }
}
