/// The way from cgroup v1's `cpu.shares` (2 to 262144, default 1024) to cgroup v2's `cpu.weight` (1 to 10000, default
/// 100).
///
/// The formula of runc 1.3.2, crun 1.23 and Kubernetes (KEP-2254, github.com/opencontainers/cgroups PR 20): quadratic
/// in the logarithm, through (2, 1), (1024, 100) and (262144, 10000). It needs log2 and a power of ten; a few terms of
/// their series do, which keeps the C mathematics library out. A test compares all 262143 values with the library's
/// functions.
package enum CPUWeight {
    /// - Returns: nil for 0, which means unset.
    static func weight(shares: UInt64) -> UInt64? {
        if shares == 0 { return nil }
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let l = log2(Double(shares))
        let weight = powerOfTen((l * l + 125 * l) / 612 - 7.0 / 34)
        let whole = UInt64(weight)
        // Rounded up; the small tolerance is for 1024, which gives a whole number. No other value comes near to one.
        return weight - Double(whole) > 1e-9 ? whole + 1 : whole
    }

    /// log2 of a number from 1 on: the exponent and, for what remains, the series of artanh.
    private static func log2(_ value: Double) -> Double {
        let upperHalf = value.significand > 1.5
        let rest = upperHalf ? value.significand / 2 : value.significand  // 0.75 to 1.5
        let t = (rest - 1) / (rest + 1)
        var power = t
        var sum = 0.0
        for odd in stride(from: 1.0, through: 27, by: 2) {
            sum += power / odd
            power *= t * t
        }
        return Double(value.exponent) + (upperHalf ? 1 : 0) + 2 * sum / naturalLogarithmOf2
    }

    /// 10 to a power from 0 on: a power of two and, for the broken part, the series of the exponential function.
    private static func powerOfTen(_ power: Double) -> Double {
        let binary = power * binaryLogarithmOf10
        let whole = Int(binary)
        let x = (binary - Double(whole)) * naturalLogarithmOf2
        var term = 1.0
        var sum = 1.0
        for n in 1...22 {
            term *= x / Double(n)
            sum += term
        }
        return sum * Double(UInt64(1) << UInt64(whole))
    }

    private static let naturalLogarithmOf2 = 0.693147180559945309417
    private static let binaryLogarithmOf10 = 3.32192809488736234787
}
