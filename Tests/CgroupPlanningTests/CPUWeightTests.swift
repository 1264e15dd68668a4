import Testing

@testable import CgroupPlanning

@Suite("cpu.shares to cpu.weight")
struct CPUWeightTests {
    @Test(
        "Known shares have their known weights",
        arguments: [
            (0, nil), (1, 1), (2, 1), (3, 2), (10, 4), (102, 17), (512, 59), (1000, 99), (1024, 100), (1025, 101),
            (2048, 174), (5000, 356), (65_536, 3023), (262_143, 10_000), (262_144, 10_000), (.max, 10_000),
        ] as [(UInt64, UInt64?)])
    func points(shares: UInt64, weight: UInt64?) {
        #expect(CPUWeight.weight(shares: shares) == weight)
    }

    /// The number comes from runc's formula by the C library's functions, in Python:
    /// `l = math.log2(s); h = (h * 31 + math.ceil(math.pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0))) % 2**64`
    /// over 3...262143. (The C library itself cannot be imported beside Kernel: both would define its types.)
    @Test("Every value agrees with runc's formula")
    func everyValue() {
        var hash: UInt64 = 0
        for shares in UInt64(3)..<262_144 { hash = hash &* 31 &+ (CPUWeight.weight(shares: shares) ?? 0) }
        #expect(hash == 2_903_167_502_638_350_907)
    }
}
