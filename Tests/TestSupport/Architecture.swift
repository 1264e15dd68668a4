/// AUDIT_ARCH_* of linux/audit.h.
package enum Architecture {
    package static let x8664: UInt32 = 0xc000_003e
    package static let x86: UInt32 = 0x4000_0003
    package static let aarch64: UInt32 = 0xc000_00b7
}
