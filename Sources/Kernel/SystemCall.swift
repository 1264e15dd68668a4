internal import CLinux
internal import KernelTypes

/// What can stand as an argument of a system call: a number, or an address that is lent for the call.
protocol SystemCallArgument: ~Copyable {
    /// For this file alone (`make check`): code that holds an address as a number can keep it for longer than it is
    /// valid.
    var rawWord: Int { get }
}

extension Int: SystemCallArgument {
    @inline(__always) var rawWord: Int { self }
}

/// An address that is valid until the body of the `lend` that made it returns. It cannot be made or copied elsewhere,
/// so it does not get out.
struct LentAddress: ~Copyable, SystemCallArgument {
    private let pointer: UnsafeRawPointer?

    @inline(__always) fileprivate init(_ pointer: UnsafeRawPointer?) { self.pointer = pointer }

    @inline(__always) var rawWord: Int { Int(bitPattern: pointer) }

    /// Writes the address into a field of a structure that the kernel reads in a call of the same body.
    @inline(__always) func write(to field: inout UInt64) { field = UInt64(UInt(bitPattern: pointer)) }
}

/// Makes a system call that has no wrapper in the C library. Memory is given to it by `lend` around the call.
@inline(__always)
func system(
    _ number: Int, _ a: borrowing some SystemCallArgument & ~Copyable = 0,
    _ b: borrowing some SystemCallArgument & ~Copyable = 0, _ c: borrowing some SystemCallArgument & ~Copyable = 0,
    _ d: borrowing some SystemCallArgument & ~Copyable = 0, _ e: borrowing some SystemCallArgument & ~Copyable = 0,
    _ f: borrowing some SystemCallArgument & ~Copyable = 0
) -> Int {
    clinux_syscall(number, a.rawWord, b.rawWord, c.rawWord, d.rawWord, e.rawWord, f.rawWord)
}

/// Lends memory that the kernel only reads to a system call, which the body makes: a text, an array, `&value`, or
/// nothing (nil).
///
/// Swift keeps what it converts to a pointer (`&value` too) valid until the function returns that it was passed to. So
/// the call has to be made before this one returns, and the address comes as a value that does not leave the body.
@inline(__always)
func lend(_ memory: UnsafeRawPointer?, _ body: (borrowing LentAddress) -> Int) -> Int {
    let address = LentAddress(memory)
    return body(address)
}

@inline(__always)
func lend(
    _ first: UnsafeRawPointer?, _ second: UnsafeRawPointer?,
    _ body: (borrowing LentAddress, borrowing LentAddress) -> Int
) -> Int {
    lend(first) { first in lend(second) { body(first, $0) } }
}

/// Lends memory that the kernel writes: `&value`, or an array of the size that the call gets.
@inline(__always)
func lend(writable memory: UnsafeMutableRawPointer?, _ body: (borrowing LentAddress) -> Int) -> Int {
    let address = LentAddress(UnsafeRawPointer(memory))
    return body(address)
}

/// Makes a system call, again when a signal interrupts it, and takes errno at once, before reference counting could
/// overwrite it.
@inline(__always)
func check<Result: FixedWidthInteger & SignedInteger>(
    _ call: String, _ subject: @autoclosure () -> String = "", _ body: () -> Result
) throws(SystemError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let code = Errno.current
        if code == .interrupted { continue }
        throw SystemError(call, subject(), code)
    }
}
