/// Sizes as the command line writes them: `64m`, `1.5g`, `512KiB`, `-1`.
package enum SizeText {
    /// Bytes of a number with an optional unit: b, k, m, g, t or p, in powers of 1024, in any case, also written as
    /// `kb` or `kib`. The units of runc and Docker.
    /// - Returns: nil when it is no size, or one beyond 64 bits.
    package static func bytes(_ text: String) -> Int64? {
        if text == "-1" { return -1 }
        let digits = text.utf8.prefix { isDigit($0) || $0 == UInt8(ascii: ".") }
        var unit = Array(text.utf8.dropFirst(digits.count).drop { $0 == UInt8(ascii: " ") }).map { $0 | 0x20 }
        if unit.count == 3, unit[1] == UInt8(ascii: "i") { unit.remove(at: 1) }
        if unit.count == 2, unit[1] == UInt8(ascii: "b"), unit[0] != UInt8(ascii: "b") { unit.removeLast() }
        guard unit.count <= 1, let power = "bkmgtp".utf8.firstIndex(of: unit.first ?? UInt8(ascii: "b")) else {
            return nil
        }
        let factor = Int64(1) << (10 * Int64("bkmgtp".utf8.distance(from: "bkmgtp".utf8.startIndex, to: power)))
        return scaled(String(decoding: Array(digits), as: UTF8.self), by: factor)
    }

    /// A decimal number times a factor, rounded down.
    private static func scaled(_ number: String, by factor: Int64) -> Int64? {
        let parts = number.parts(by: ".", keepingEmpty: true)
        guard parts.count <= 2, let first = parts.first, !first.isEmpty, let whole = Int64(first) else { return nil }
        let (scaled, isTooLarge) = whole.multipliedReportingOverflow(by: factor)
        guard !isTooLarge else { return nil }
        guard parts.count == 2 else { return scaled }
        // Nine digits behind the point are finer than any byte that matters.
        let fraction = parts[1].utf8.prefix(9)
        guard !fraction.isEmpty, let value = Int64(String(decoding: Array(fraction), as: UTF8.self)) else { return nil }
        var unit: Int64 = 1
        for _ in fraction { unit *= 10 }
        let rest = value.multipliedFullWidth(by: factor)
        let (sum, isBeyond) = unit.dividingFullWidth(rest).quotient.addingReportingOverflow(scaled)
        return isBeyond ? nil : sum
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}
