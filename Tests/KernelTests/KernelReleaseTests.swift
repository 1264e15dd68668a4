import Testing

@testable import Kernel

@Suite struct KernelReleaseTests {
    @Test(
        arguments: [
            ("6.18.44-fc", 6, 18), ("5.10", 5, 10), ("6", 6, 0), ("", 0, 0), ("4.4.0-rc1+", 4, 4), ("5.12-rc2", 5, 12),
        ] as [(String, Int, Int)])
    func versionsAreRead(text: String, major: Int, minor: Int) {
        #expect(KernelRelease.version(text) == (major, minor))
    }
}
