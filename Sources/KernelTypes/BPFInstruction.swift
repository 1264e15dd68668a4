/// One instruction of an eBPF program; bpf(2).
package struct BPFInstruction: Sendable, Equatable {
    package let code: UInt8
    /// Destination register in the low half, source register in the high half.
    package let registers: UInt8
    package let offset: Int16
    package let immediate: Int32

    package init(code: UInt8, destination: UInt8 = 0, source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0) {
        self.code = code
        registers = destination | source << 4
        self.offset = offset
        self.immediate = immediate
    }
}
