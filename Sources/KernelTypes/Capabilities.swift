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
    /// Asked one by one: libcap's search takes any failure for an unknown capability, and would leave some in the
    /// bounding set without an error.
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
            return String(cString: text).inCapitals
        }
    }
}
