internal import Kernel

/// What the first bytes of a file say about how the kernel would run it: binfmt_script and binfmt_elf of the kernel,
/// elf(5).
package enum ProgramHead: Equatable, Sendable {
    /// `#!`: the interpreter as the kernel would look for it, and the rest of the line.
    case script(interpreter: String, argument: String)
    case elf(ELFHead)
    case webAssembly
    /// A program of DOS or Windows.
    case portableExecutable
    case empty
    case other

    /// How much of a file the kernel looks at for `#!`; linux/binfmts.h, BINPRM_BUF_SIZE.
    static let scriptLimit = 256

    /// - Parameter bytes: the beginning of the file, some hundreds of bytes.
    package init(_ bytes: [UInt8]) {
        if bytes.isEmpty {
            self = .empty
        } else if bytes.starts(with: Array("#!".utf8)) {
            self = Self.script(bytes)
        } else if bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46]) {
            self = .elf(ELFHead(bytes))
        } else if bytes.starts(with: [0x00, 0x61, 0x73, 0x6d]) {
            self = .webAssembly
        } else if bytes.starts(with: Array("MZ".utf8)) {
            self = .portableExecutable
        } else {
            self = .other
        }
    }

    private static func script(_ bytes: [UInt8]) -> ProgramHead {
        let blank: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let line = bytes.prefix(scriptLimit).dropFirst(2).prefix { $0 != UInt8(ascii: "\n") && $0 != 0 }.drop(
            while: blank)
        let interpreter = line.prefix { !blank($0) }
        var argument = line.dropFirst(interpreter.count).drop(while: blank)
        while let last = argument.last, blank(last) { argument.removeLast() }
        return .script(
            interpreter: String(decoding: interpreter, as: UTF8.self),
            argument: String(decoding: argument, as: UTF8.self))
    }
}

/// The header of an ELF file.
package struct ELFHead: Equatable, Sendable {
    let is64Bit: Bool
    let isLittleEndian: Bool
    /// ET_*: 2 is a program at a fixed address, 3 one at any.
    let type: UInt16
    /// EM_*.
    let machine: UInt16
    /// Where the program headers are, the size of one and their number.
    let headers: (offset: Int, size: Int, count: Int)

    package static func == (a: ELFHead, b: ELFHead) -> Bool {
        a.is64Bit == b.is64Bit && a.isLittleEndian == b.isLittleEndian && a.type == b.type && a.machine == b.machine
            && a.headers == b.headers
    }

    init(_ bytes: [UInt8]) {
        is64Bit = bytes.count > 4 && bytes[4] == 2
        isLittleEndian = bytes.count <= 5 || bytes[5] != 2
        let reader = NumberReader(bytes: bytes, isLittleEndian: isLittleEndian)
        type = UInt16(reader.number(at: 16, size: 2))
        machine = UInt16(reader.number(at: 18, size: 2))
        headers =
            is64Bit
            ? (
                Int(reader.number(at: 32, size: 8)), Int(reader.number(at: 54, size: 2)),
                Int(reader.number(at: 56, size: 2))
            )
            : (
                Int(reader.number(at: 28, size: 4)), Int(reader.number(at: 42, size: 2)),
                Int(reader.number(at: 44, size: 2))
            )
    }

    /// Where the interpreter's path stands in the file.
    /// - Parameter table: the program headers' bytes.
    func interpreter(inTable table: [UInt8]) -> (offset: Int, count: Int)? {
        guard headers.size >= (is64Bit ? 56 : 32) else { return nil }
        let reader = NumberReader(bytes: table, isLittleEndian: isLittleEndian)
        for index in 0..<min(headers.count, 256) {
            let start = index * headers.size
            guard start + headers.size <= table.count else { return nil }
            guard reader.number(at: start, size: 4) == 3 else { continue }  // PT_INTERP
            return is64Bit
                ? (Int(reader.number(at: start + 8, size: 8)), Int(reader.number(at: start + 32, size: 8)))
                : (Int(reader.number(at: start + 4, size: 4)), Int(reader.number(at: start + 16, size: 4)))
        }
        return nil
    }

    /// Whether this machine runs the program by itself: its own, and the 32-bit one of the same family.
    var isNative: Bool {
        #if arch(x86_64)
            return isLittleEndian && (machine == 62 || machine == 3)
        #elseif arch(arm64)
            return isLittleEndian && (machine == 183 || machine == 40)
        #else
            return true
        #endif
    }

    /// The architecture as uname(1) names it.
    var architecture: String {
        switch machine {
        case 62: is64Bit ? "x86_64" : "x32"
        case 3: "i386"
        case 183: isLittleEndian ? "aarch64" : "aarch64_be"
        case 40: "arm"
        case 243: is64Bit ? "riscv64" : "riscv32"
        case 21: isLittleEndian ? "ppc64le" : "ppc64"
        case 20: "ppc"
        case 22: is64Bit ? "s390x" : "s390"
        case 258: "loongarch64"
        case 8: (is64Bit ? "mips64" : "mips") + (isLittleEndian ? "el" : "")
        case 2, 18, 43: "sparc"
        case 4: "m68k"
        case 247: "BPF"
        default: "ELF machine \(machine)"
        }
    }

    /// This machine's.
    static var native: String {
        #if arch(x86_64)
            return "x86_64"
        #elseif arch(arm64)
            return "aarch64"
        #else
            return "another"
        #endif
    }
}

/// Numbers in either byte order; 0 behind the end. Sizes and places that no file has come out as a number that no read
/// can satisfy.
private struct NumberReader {
    let bytes: [UInt8]
    let isLittleEndian: Bool

    func number(at offset: Int, size: Int) -> UInt64 {
        guard offset >= 0, offset + size <= bytes.count else { return 0 }
        var result: UInt64 = 0
        for index in 0..<size {
            let byte = UInt64(bytes[offset + (isLittleEndian ? size - 1 - index : index)])
            result = result << 8 | byte
        }
        return result & UInt64(Int.max)
    }
}
