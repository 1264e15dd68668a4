import CLinux
import TestSupport
import Testing

@testable import Kernel

/// What goes to a system call by address, and what comes back.
@Suite struct LendingTests {
    @Test func theKernelReadsTextArraysAndValues() throws {
        let file = try Files.memoryFile("lent")
        let raw = Int(file.raw)
        #expect(lend("text") { system(Int(SYS_write), raw, $0, 4) } == 4)
        #expect(lend([UInt8](repeating: 65, count: 3)) { system(Int(SYS_write), raw, $0, 3) } == 3)
        var value: UInt16 = 0x4242
        #expect(lend(&value) { system(Int(SYS_write), raw, $0, 2) } == 2)
        #expect(lend(nil) { system(Int(SYS_write), raw, $0, 0) } == 0)
        try Files.rewind(file)
        let seen = try Files.read(file)
        #expect(seen == Array("textAAABB".utf8))
    }

    @Test func theKernelWritesValuesAndArrays() throws {
        let file = try Files.memoryFile("lent")
        try Files.write("12345678abcdefgh", to: file)
        try Files.rewind(file)
        let raw = Int(file.raw)
        var value: UInt64 = 0
        #expect(lend(writable: &value) { system(Int(SYS_read), raw, $0, 8) } == 8)
        #expect(value.littleEndian == 0x3837_3635_3433_3231)
        var bytes = [UInt8](repeating: 0, count: 8)
        #expect(lend(writable: &bytes) { system(Int(SYS_read), raw, $0, 8) } == 8)
        #expect(bytes == Array("abcdefgh".utf8))
    }

    @Test func twoValuesAreLentAtOnce() throws {
        try withFolder { folder throws in
            try folder.write("old", "x")
            let result = lend(folder.path("old"), folder.path("new")) { system(Int(SYS_rename), $0, $1) }
            #expect(result == 0)
            #expect(try folder.names() == ["new"])
        }
    }

    @Test func everyRandomNumberIsAnother() throws {
        let numbers = Set(try (0..<64).map { _ in try RandomNumber.next() })
        #expect(numbers.count == 64)
    }
}
