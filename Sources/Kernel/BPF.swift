internal import CLinux
package import KernelTypes

package enum BPF {
    /// Loads a program that decides which devices the processes of a cgroup may use. BPF_PROG_TYPE_CGROUP_DEVICE.
    package static func loadDeviceProgram(_ program: [BPFInstruction]) throws(SystemError) -> Descriptor {
        var attributes = bpf_attr()
        let license: StaticString = "Apache-2.0"
        attributes.prog_type = UInt32(BPF_PROG_TYPE_CGROUP_DEVICE.rawValue)
        attributes.insn_cnt = UInt32(program.count)
        let raw = try check("bpf(PROG_LOAD)") {
            lend(program, license.utf8Start) { code, license in
                code.write(to: &attributes.insns)
                license.write(to: &attributes.license)
                return call(BPF_PROG_LOAD, &attributes)
            }
        }
        return Descriptor(raw: Int32(raw))
    }

    /// Attaches a device program to a cgroup, beside what is there. BPF_F_ALLOW_MULTI.
    package static func attachDeviceProgram(
        _ program: borrowing Descriptor, to cgroup: borrowing Descriptor
    ) throws(SystemError) {
        var attributes = bpf_attr()
        attributes.target_fd = UInt32(bitPattern: cgroup.raw)
        attributes.attach_bpf_fd = UInt32(bitPattern: program.raw)
        attributes.attach_type = UInt32(BPF_CGROUP_DEVICE.rawValue)
        attributes.attach_flags = UInt32(BPF_F_ALLOW_MULTI)
        _ = try check("bpf(PROG_ATTACH)") { call(BPF_PROG_ATTACH, &attributes) }
    }

    private static func call(_ command: bpf_cmd, _ attributes: inout bpf_attr) -> Int {
        lend(writable: &attributes) { system(Int(SYS_bpf), Int(command.rawValue), $0, MemoryLayout<bpf_attr>.size) }
    }
}
