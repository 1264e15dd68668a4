import KernelTypes
import Testing

@testable import Kernel

@Suite struct CodePagesTests {
    /// Not what was written to, nor what is no file's.
    @Test func codeAndTheConstantsInFrontOfItAreFound() {
        let maps = """
            00200000-00246000 r--p 00000000 fe:00 16344754                           /usr/bin/a program
            00246000-004dd000 r-xp 00045000 fe:00 16344754                           /usr/bin/a program
            004dd000-004e3000 r--p 002db000 fe:00 16344754                           /usr/bin/a program
            004e3000-004ef000 rw-p 002e0000 fe:00 16344754                           /usr/bin/a program
            1997f000-199a1000 rw-p 00000000 00:00 0                                  [heap]
            7efd2f834000-7efd2f836000 r-xp 00000000 00:00 0                          [vdso]
            """
        #expect(
            CodePages.parse(maps) == [
                CodePages.Range(start: 0x200000, length: 0x46000), CodePages.Range(start: 0x246000, length: 0x297000),
            ])
        #expect(CodePages.parse("").isEmpty && CodePages.parse("nonsense\n1-2 r-xp").isEmpty)
    }

    /// Everything works as before, for it is mapped again.
    @Test func waitingWithoutCodeIsWaiting() throws {
        let pages = CodePages()
        for _ in 0..<3 {
            let silent = try Polling.wait([(-1, .readable)], timeout: 1, giving: pages)
            #expect(silent.count == 1 && silent[0].isEmpty)
        }
        let null = try Files.open("/dev/null", .readOnly)
        #expect(try Polling.wait([(null.number, .readable)], timeout: -1, giving: pages)[0].contains(.readable))
        #expect(throws: SystemError.self) {
            _ = try Polling.wait(Array(repeating: (-1, .readable), count: 1 << 21), timeout: 1, giving: pages)
        }
    }
}
