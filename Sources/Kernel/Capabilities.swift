internal import CLinux
package import KernelTypes

/// The sets of this process; capabilities(7).
extension Capabilities {
    /// What this process holds now of the sets that cap_get_proc(3) reports.
    package static func current() throws(SystemError) -> (effective: CapabilitySet, permitted: CapabilitySet) {
        let data = try get()
        return (
            CapabilitySet(rawValue: UInt64(data.0.effective) | UInt64(data.1.effective) << 32),
            CapabilitySet(rawValue: UInt64(data.0.permitted) | UInt64(data.1.permitted) << 32)
        )
    }

    private typealias KernelSets = (__user_cap_data_struct, __user_cap_data_struct)

    private static func get() throws(SystemError) -> KernelSets {
        var header = __user_cap_header_struct(version: UInt32(_LINUX_CAPABILITY_VERSION_3), pid: 0)
        var data: KernelSets = (__user_cap_data_struct(), __user_cap_data_struct())
        _ = try check("capget") {
            lend(writable: &header) { header in
                lend(writable: &data) { system(Int(SYS_capget), header, $0) }
            }
        }
        return data
    }

    /// Removes every capability but those kept from the bounding set; for ever.
    package static func dropBounding(keeping kept: CapabilitySet) throws(SystemError) {
        for value in 0..<64 as Range<UInt> where kept.rawValue & (1 << UInt64(value)) == 0 {
            do throws(SystemError) {
                _ = try check("prctl(PR_CAPBSET_DROP)") { clinux_prctl(PR_CAPBSET_DROP, value, 0, 0, 0) }
            } catch  where error.code == .invalidArgument && value > 0 {
                return  // the first that this kernel does not know; there are none above it
            }
        }
    }

    /// Sets effective, permitted and inheritable. capset(2).
    package static func set(
        effective: CapabilitySet, permitted: CapabilitySet, inheritable: CapabilitySet
    ) throws(SystemError) {
        var header = __user_cap_header_struct(version: UInt32(_LINUX_CAPABILITY_VERSION_3), pid: 0)
        func half(_ shift: UInt64) -> __user_cap_data_struct {
            __user_cap_data_struct(
                effective: UInt32(truncatingIfNeeded: effective.rawValue >> shift),
                permitted: UInt32(truncatingIfNeeded: permitted.rawValue >> shift),
                inheritable: UInt32(truncatingIfNeeded: inheritable.rawValue >> shift))
        }
        var data: KernelSets = (half(0), half(32))
        _ = try check("capset") {
            lend(writable: &header) { header in
                lend(&data) { system(Int(SYS_capset), header, $0) }
            }
        }
    }

    /// Empties the ambient set and raises what is given.
    /// - Returns: the members that the kernel refused, because they are not both permitted and inheritable.
    package static func setAmbient(_ set: CapabilitySet) throws(SystemError) -> CapabilitySet {
        _ = try check("prctl(PR_CAP_AMBIENT)") { clinux_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0) }
        var refused: CapabilitySet = []
        for value in 0..<64 as Range<UInt> where set.rawValue & (1 << UInt64(value)) != 0 {
            if clinux_prctl(PR_CAP_AMBIENT, UInt(PR_CAP_AMBIENT_RAISE), value, 0, 0) == -1 {
                refused.insert(CapabilitySet(rawValue: 1 << UInt64(value)))
            }
        }
        return refused
    }
}
