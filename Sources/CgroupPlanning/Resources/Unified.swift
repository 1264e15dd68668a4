internal import Errors
internal import KernelTypes
internal import OCISpec

/// Files of the cgroup by their own names: config-linux.md, "Unified".
///
/// What runbox does not know is written all the same, as the specification wants; the part before the first dot is the
/// controller that must be there.
extension ResourcesPlan {
    mutating func addUnified(_ entries: [KeyValue]) {
        for entry in entries {
            let field = "unified[\"\(printable(entry.key))\"]"
            let dot = entry.key.firstIndex(of: ".") ?? entry.key.startIndex
            // A slash would lead out of the container's cgroup; a name without a controller is no file of it.
            let isName = entry.key.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") }
            guard isName, dot != entry.key.startIndex else {
                refuse(field, "expected the name of a cgroup v2 file, such as memory.high")
                continue
            }
            add(entry.key, entry.value, Controller(String(entry.key[..<dot])), field: field)
        }
    }
}
