/// A resource limit's kind, by the kernel's number; getrlimit(2).
package struct LimitKind: RawRepresentable, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }
}
