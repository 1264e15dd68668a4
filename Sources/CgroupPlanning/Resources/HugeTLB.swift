internal import Errors
internal import KernelTypes
internal import OCISpec

/// Huge pages: cgroup-v2.rst, "HugeTLB"; config-linux.md, "Huge page limits".
extension ResourcesPlan {
    mutating func addHugeTLB(_ limits: [HugepageLimit]) {
        for (index, limit) in limits.enumerated() {
            let field = "hugepageLimits[\(index)]"
            // It becomes part of a file's name, so it must hold nothing but a size.
            guard HugepageLimit.isPageSize(limit.pageSize) else {
                let found = printable(limit.pageSize)
                refuse("\(field).pageSize", "expected a size such as 64KB, 2MB or 1GB, found \"\(found)\"")
                continue
            }
            add("hugetlb.\(limit.pageSize).max", String(limit.limit), .hugetlb, field: field)
            // Reservations are accounted since Linux 5.7; before that the usage is all there is to limit.
            add("hugetlb.\(limit.pageSize).rsvd.max", String(limit.limit), .hugetlb, field: field, optional: true)
        }
    }
}
