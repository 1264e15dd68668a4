internal import Errors
internal import KernelTypes
internal import OCISpec

/// The five capability sets of the payload. Specification: config.md, "Linux Process"; capabilities(7).
enum CapabilityPlan {
    /// Reads the names. A name that the kernel does not know is a warning, as the specification demands; a missing
    /// section means no capability at all.
    static func read(_ sets: OCISpec.Capabilities?, findings: inout Findings) -> ProcessCapabilities {
        var result = ProcessCapabilities()
        guard let sets else { return result }
        let known = KernelTypes.Capabilities.known
        func read(_ names: [String]?, _ field: String) -> CapabilitySet {
            var set: CapabilitySet = []
            for (index, name) in (names ?? []).enumerated() {
                let path = "process.capabilities.\(field)[\(index)]"
                guard let capability = KernelTypes.Capabilities.named(name) else {
                    findings.warn(path, "no capability is called \"\(name)\"\(hint(name)); ignored")
                    continue
                }
                if !known.isSuperset(of: capability) {
                    findings.warn(path, "this kernel does not have \(name); ignored")
                    continue
                }
                set.formUnion(capability)
            }
            return set
        }
        result.bounding = read(sets.bounding, "bounding")
        result.effective = read(sets.effective, "effective")
        result.inheritable = read(sets.inheritable, "inheritable")
        result.permitted = read(sets.permitted, "permitted")
        result.ambient = read(sets.ambient, "ambient")
        return result
    }

    /// Refuses names that were typed: nobody wants a process without the capability that was just asked for.
    ///
    /// - Returns: whether all are known.
    static func check(_ names: [String], flag: String, findings: inout Findings) -> Bool {
        let before = findings.errors.count
        for name in names {
            guard let capability = KernelTypes.Capabilities.named(name) else {
                findings.refuse(flag, "no capability is called \"\(name)\"\(hint(name))")
                continue
            }
            if !KernelTypes.Capabilities.known.isSuperset(of: capability) {
                findings.refuse(flag, "this kernel does not have \(name)")
            }
        }
        return findings.errors.count == before
    }

    private static func hint(_ name: String) -> String {
        let names = KernelTypes.Capabilities.names(of: KernelTypes.Capabilities.known)
        return Spelling.nearest(to: name, in: names).map { " (did you mean \($0)?)" } ?? ""
    }
}
