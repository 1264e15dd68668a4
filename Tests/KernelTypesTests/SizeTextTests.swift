import Testing

@testable import KernelTypes

@Suite struct SizeTextTests {
    @Test(
        arguments: [
            ("0", 0), ("1", 1), ("-1", -1), ("65536", 65536), ("1b", 1), ("2k", 2048), ("2K", 2048), ("2kb", 2048),
            ("2KiB", 2048), ("64m", 64 << 20), ("64M", 64 << 20), ("64 MB", 64 << 20), ("1g", 1 << 30),
            ("1.5g", 3 << 29), ("1.5", 1), ("0.5k", 512), ("0.25gib", 1 << 28), ("3t", 3 << 40), ("1p", 1 << 50),
            ("1.0000000001k", 1024), ("9223372036854775807", .max),
        ] as [(String, Int64)])
    func sizesAreReadWithTheirSuffix(text: String, bytes: Int64) { #expect(SizeText.bytes(text) == bytes) }

    @Test(arguments: [
        "", " ", "-", "-2", "-1k", "k", "m1", "1x", "1kk", "1kbb", "1bb", "1ib", "1 k b", "1.2.3", "1.", ".5", "1.k",
        "1,5g", "0x10", "1e3", "9223372036854775808", "8192p", "9007199254740992k", "1\u{301}", "+1", "\u{663}",
    ])
    func malformedSizesAreRefused(text: String) { #expect(SizeText.bytes(text) == nil, "\(text)") }
}
