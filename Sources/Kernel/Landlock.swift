internal import CLinux
package import KernelTypes

/// Giving up access to files for good; landlock(7).
package enum Landlock {
    // Not in the headers of every C library: one number on every architecture.
    private static let createRuleset = 444
    private static let restrictSelf = 446

    /// Lets this process open, make, change and remove no file any more. What is open already can still be used, and
    /// nothing can be mounted or unmounted. The process must have no_new_privs.
    ///
    /// - Returns: false where the kernel has no Landlock, or it is switched off.
    package static func forbidFiles() throws(SystemError) -> Bool {
        // LANDLOCK_CREATE_RULESET_VERSION
        let version = system(createRuleset, 0, 0, 1)
        if version < 1 { return false }
        // One bit for each kind of access: 13 in the first version, then REFER, TRUNCATE and, in the fifth, IOCTL_DEV.
        let kinds = [13, 14, 15, 15, 16]
        var handled = UInt64(1) << UInt64(kinds[min(version, kinds.count) - 1]) - 1
        let rules = try check("landlock_create_ruleset") {
            lend(&handled) { system(createRuleset, $0, MemoryLayout<UInt64>.size, 0) }
        }
        let ruleset = Descriptor(raw: Int32(rules))
        let raw = ruleset.raw
        _ = try check("landlock_restrict_self") { system(restrictSelf, Int(raw), 0) }
        return true
    }
}
