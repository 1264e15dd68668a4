internal import KernelTypes

/// Which Linux runs here; uname(2).
package enum KernelRelease {
    /// The running kernel's.
    package static var current: (major: Int, minor: Int) { version(KernelProbe.machine.release) }

    /// The first two numbers of a kernel's release.
    package static func version(_ release: String) -> (major: Int, minor: Int) {
        let numbers = release.parts(by: ".").prefix(2).map { part in
            Int(
                String(decoding: part.utf8.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }, as: UTF8.self)
            )
                ?? 0
        }
        return (numbers.first ?? 0, numbers.count > 1 ? numbers[1] : 0)
    }
}
