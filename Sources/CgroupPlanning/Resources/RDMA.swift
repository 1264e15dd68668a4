internal import Errors
internal import KernelTypes
internal import OCISpec

/// Handles and objects of RDMA devices: cgroup-v2.rst, "RDMA"; config-linux.md, "RDMA".
extension ResourcesPlan {
    mutating func addRDMA(_ limits: [RDMALimit]) {
        for limit in limits {
            let field = "rdma.\(printable(limit.device))"
            guard !limit.device.isEmpty, limit.device.utf8.allSatisfy({ $0 > 0x20 }) else {
                refuse(field, "expected the name of an RDMA device, without spaces")
                continue
            }
            var line = limit.device
            if let handles = limit.hcaHandles { line += " hca_handle=\(handles)" }
            if let objects = limit.hcaObjects { line += " hca_object=\(objects)" }
            if line == limit.device {
                refuse(field, "needs hcaHandles, hcaObjects or both")
            } else {
                add("rdma.max", line, .rdma, field: field)
            }
        }
    }
}
