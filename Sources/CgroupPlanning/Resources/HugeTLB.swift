internal import Errors
internal import KernelTypes
internal import OCISpec

/// Huge pages: cgroup-v2.rst, "HugeTLB"; config-linux.md, "Huge page limits".
extension ResourcesPlan {
    mutating func addHugeTLB(_ limits: [HugepageLimit]) {
        for (index, limit) in limits.enumerated() {
            let field = "hugepageLimits[\(index)]"
            // It becomes part of a file's name, so it must hold nothing but a size.
            guard isPageSize(limit.pageSize) else {
                let found = printable(limit.pageSize)
                refuse("\(field).pageSize", "expected a size such as 64KB, 2MB or 1GB, found \"\(found)\"")
                continue
            }
            add("hugetlb.\(limit.pageSize).max", String(limit.limit), .hugetlb, field: field)
            // Reservations are accounted since Linux 5.7; before that the usage is all there is to limit.
            add("hugetlb.\(limit.pageSize).rsvd.max", String(limit.limit), .hugetlb, field: field, optional: true)
        }
    }

    private func isPageSize(_ text: String) -> Bool {
        let number = text.utf8.dropLast(2)
        guard let first = number.first, first != UInt8(ascii: "0") else { return false }
        guard text.ends(with: "KB") || text.ends(with: "MB") || text.ends(with: "GB") else { return false }
        return number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}
