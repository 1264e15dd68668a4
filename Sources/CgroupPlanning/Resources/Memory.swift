internal import Errors
internal import OCISpec

/// Memory: cgroup-v2.rst, "Memory"; config-linux.md, "Memory".
///
/// `kernel`, `kernelTCP` and `useHierarchy` are accepted and have no effect, as in runc: engines send them, and in
/// cgroup v2 kernel memory is part of `memory.max` and the hierarchy is always used. Zero means unset everywhere here,
/// because engines write it for a limit they were not given.
extension ResourcesPlan {
    mutating func addMemory(_ memory: MemoryResources) {
        if memory.swappiness != nil { refuseVersion1("memory.swappiness") }
        if memory.disableOOMKiller == true { refuseVersion1("memory.disableOOMKiller") }
        let usage = memory.checkBeforeUpdate == true ? "memory.current" : nil
        // Before memory.max, as in runc: so an update never holds, even for a moment, a smaller limit with the old,
        // larger swap.
        if let swap = swapSetting(memory) {
            // A kernel without swap accounting has no file, and without swap there is none to take away.
            let harmless = swap.value == "max" || swap.value == "0"
            add("memory.swap.max", swap.value, .memory, field: swap.field, optional: harmless)
        }
        if let limit = memorySize(memory.limit, "memory.limit") {
            add("memory.max", limit, .memory, field: "memory.limit", usageFile: limit == "max" ? nil : usage)
        }
        if let reservation = memorySize(memory.reservation, "memory.reservation") {
            add("memory.low", reservation, .memory, field: "memory.reservation")
        }
    }

    private mutating func memorySize(_ bytes: Int64?, _ field: String) -> String? {
        guard let bytes, bytes != 0 else { return nil }
        if bytes == -1 { return "max" }
        if bytes > 0 { return String(bytes) }
        refuse(field, "expected a number of bytes, or -1 for no limit, found \(bytes)")
        return nil
    }

    /// The specification limits memory and swap together, cgroup v2 swap alone.
    private mutating func swapSetting(_ memory: MemoryResources) -> (value: String, field: String)? {
        let limit = memory.limit ?? 0
        guard let swap = memory.swap, swap != 0 else {
            // Unlimited memory meant unlimited swap in cgroup v1; engines rely on it when they lift a limit.
            return limit == -1 ? ("max", "memory.limit") : nil
        }
        if swap == -1 { return ("max", "memory.swap") }
        if swap < 0 {
            refuse("memory.swap", "expected a number of bytes, or -1 for no limit, found \(swap)")
        } else if limit <= 0 {
            refuse("memory.swap", "limits memory and swap together, so it needs memory.limit beside it")
        } else if swap < limit {
            refuse(
                "memory.swap",
                "limits memory and swap together, so it must not be below memory.limit (\(limit)), found \(swap)")
        } else {
            return (String(swap - limit), "memory.swap")
        }
        return nil
    }
}
