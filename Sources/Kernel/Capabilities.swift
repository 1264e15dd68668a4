internal import CCap
internal import CLinux

/// A set of capabilities by number; capabilities(7).
package struct CapabilitySet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// CAP_SYS_ADMIN, which decides when a seccomp filter may be loaded.
    package static let systemAdministration = CapabilitySet(rawValue: 1 << 21)
    /// CAP_DAC_OVERRIDE: permissions of files do not bind.
    package static let overrideAccess = CapabilitySet(rawValue: 1 << 1)
    /// CAP_SETGID: groups may be changed.
    package static let groups = CapabilitySet(rawValue: 1 << 6)
    /// CAP_KILL: signals reach processes of other users.
    package static let signals = CapabilitySet(rawValue: 1 << 5)
    /// CAP_SYSLOG: the kernel's log may be read.
    package static let kernelLog = CapabilitySet(rawValue: 1 << 34)
    package static let resources = CapabilitySet(rawValue: 1 << 24)
}

/// The five sets of a process.
package struct ProcessCapabilities: Sendable, Equatable {
    package var bounding: CapabilitySet = []
    package var effective: CapabilitySet = []
    package var inheritable: CapabilitySet = []
    package var permitted: CapabilitySet = []
    package var ambient: CapabilitySet = []
    package init() {}
}

package enum Capabilities {
    /// Capabilities that the running kernel knows; names above are of newer kernels.
    ///
    /// Asked one by one: libcap's search takes any failure for an unknown capability, and would leave some in the bounding set without a word.
    package static var known: CapabilitySet {
        for value in 0..<64 as Range<UInt> {
            if clinux_prctl(PR_CAPBSET_READ, value, 0, 0, 0) == -1, Errno.current == .invalidArgument {
                return CapabilitySet(rawValue: UInt64(1) << UInt64(value) - 1)
            }
        }
        return CapabilitySet(rawValue: .max)
    }

    /// The capability that a name such as `CAP_CHOWN` stands for; nil when libcap has no such name.
    package static func named(_ name: String) -> CapabilitySet? {
        var value: cap_value_t = 0
        // libcap stops reading at the first character that is no letter, and takes what it has by then.
        let isWord = name.utf8.allSatisfy {
            ($0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z")) || $0 == UInt8(ascii: "_")
        }
        guard name.begins(with: "CAP_"), isWord, cap_from_name(name, &value) == 0, (0..<64).contains(value) else {
            return nil
        }
        return CapabilitySet(rawValue: 1 << UInt64(value))
    }

    /// Every name that ``named(_:)`` knows, by number; of a running kernel, some may be too new.
    package static var allNames: [String] {
        // libcap writes a number that it has no name for as digits.
        names(0..<64).filter { $0.begins(with: "CAP_") }
    }

    /// Names of all members, `CAP_` in capitals as the specification writes them.
    package static func names(of set: CapabilitySet) -> [String] {
        names((0..<64).filter { set.rawValue & (1 << UInt64($0)) != 0 })
    }

    private static func names(_ numbers: some Sequence<cap_value_t>) -> [String] {
        numbers.compactMap { value in
            guard let text = cap_to_name(value) else { return nil }
            defer { cap_free(text) }
            return String(cString: text).uppercased()
        }
    }

    /// What this process holds now of the sets that cap_get_proc tells.
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
