internal import CLinux
package import KernelTypes

/// An open file descriptor, closed by its one owner. Every descriptor made here is close-on-exec.
///
/// Closing is silent in `deinit`, because descriptors mostly end on error paths; where the result of closing matters
/// use ``close()``. Public, with a body of the `deinit` that others see, because Embedded Swift destroys a value
/// where it ends and asks for both.
@frozen public struct Descriptor: ~Copyable, Sendable {
    @usableFromInline let raw: Int32

    init(raw: Int32) { self.raw = raw }

    /// Takes over a descriptor that this process inherited (an engine's preserved descriptor, standard streams).
    init(inherited raw: Int32) { self.raw = raw }

    @inlinable deinit { closeSilently(raw) }

    /// Gives the number away; the caller owns it from here.
    package consuming func take() -> Int32 {
        let raw = self.raw
        discard self
        return raw
    }

    package consuming func close() throws(SystemError) {
        let raw = take()
        // No retry on EINTR: Linux has closed it all the same (close(2)).
        if CLinux.close(raw) == -1 { throw SystemError("close", "", .current) }
    }

    /// Gives the ownership up and leaves the number open: execve closes it, or the end of the process.
    package consuming func leaveToExec() { _ = take() }

    /// Closes the number and leaves the ownership: for a new process, which never returns to the owner.
    package func closeInChild() { _ = CLinux.close(raw) }

    package func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(raw: try check("fcntl(F_DUPFD_CLOEXEC)") { clinux_fcntl(raw, F_DUPFD_CLOEXEC, 3) })
    }

    /// A copy of a standard stream.
    package static func duplicate(of number: Int32) throws(SystemError) -> Descriptor {
        Descriptor(raw: try check("fcntl(F_DUPFD_CLOEXEC)") { clinux_fcntl(number, F_DUPFD_CLOEXEC, 3) })
    }

    /// Puts a copy at a fixed number (0, 1, 2 of a program about to be executed); the copy survives execve.
    package func copy(to number: Int32) throws(SystemError) {
        if raw == number {
            _ = try check("fcntl(F_SETFD)") { clinux_fcntl(raw, F_SETFD, 0) }
        } else {
            _ = try check("dup2") { dup2(raw, number) }
        }
    }

    /// A path that names this descriptor, for calls that take paths only. It goes through the host's procfs, so it is
    /// for use before the root is changed.
    package var path: String { "/proc/self/fd/\(raw)" }

    /// The number, for messages and for the names of preserved descriptors.
    package var number: Int32 { raw }
}

/// For poll(2), which passes over what is negative: the number of a descriptor that may be absent.
package func pollNumber(_ descriptor: borrowing Descriptor?) -> Int32 { rawNumber(of: descriptor) ?? -1 }

/// Closes a descriptor whose owner ends.
@usableFromInline func closeSilently(_ raw: Int32) { _ = CLinux.close(raw) }

/// The number of a descriptor that may be absent.
func rawNumber(of descriptor: borrowing Descriptor?) -> Int32? {
    switch descriptor {
    case .some(let descriptor): descriptor.raw
    case .none: nil
    }
}

/// Descriptors in a row, owned together: what an `Array` cannot hold.
@frozen public struct DescriptorTable: ~Copyable, Sendable {
    @usableFromInline var raws: [Int32] = []

    package init() {}

    @inlinable deinit {
        for raw in raws where raw >= 0 { closeSilently(raw) }
    }

    package var count: Int { raws.count }

    package mutating func append(_ descriptor: consuming Descriptor) {
        raws.append(descriptor.take())
    }

    /// Keeps the place of an entry that has no descriptor.
    package mutating func appendNothing() { raws.append(-1) }

    /// Whether there is a descriptor at a place.
    package func has(_ index: Int) -> Bool { raws[index] >= 0 }

    /// Lends the descriptor at a place.
    /// - Throws: EBADF where the place is empty.
    package func with<Result: ~Copyable>(
        _ index: Int, _ body: (borrowing Descriptor) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        guard raws[index] >= 0 else { throw SystemError.failed("descriptor", "\(index)", .badDescriptor) }
        let lent = Descriptor(raw: raws[index])
        do throws(SystemError) {
            let result = try body(lent)
            _ = lent.take()
            return result
        } catch {
            _ = lent.take()
            throw error
        }
    }

    mutating func removeLastDescriptor() -> Descriptor? {
        guard let raw = raws.popLast(), raw >= 0 else { return nil }
        return Descriptor(raw: raw)
    }

    /// Takes the descriptor at a place out of the table.
    package mutating func take(_ index: Int) -> Descriptor? {
        guard raws[index] >= 0 else { return nil }
        defer { raws[index] = -1 }
        return Descriptor(raw: raws[index])
    }
}

/// The processes' inherited descriptors: what engines hand over and what must not leak.
package enum InheritedDescriptors {
    /// Closes all descriptors from a number on, but for some.
    package static func close(from first: Int32, keeping kept: [Int32]) throws(SystemError) {
        var next = first
        for number in kept.sorted() where number >= first {
            if number > next { try close(from: next, to: UInt32(number - 1)) }
            next = number + 1
        }
        try close(from: next)
    }

    /// Whether a number is an open descriptor of this process. What cannot be asked is open: to take its number for a
    /// closed one would lose what is written to it.
    package static func isOpen(_ number: Int32) -> Bool {
        clinux_fcntl(number, F_GETFD, 0) != -1 || Errno.current != .badDescriptor
    }

    /// No process has descriptors beyond, whatever its limit says (fs.nr_open as the kernel sets it).
    private static let most = 1 << 20

    /// Which numbers are open descriptors of this process.
    package static func open(from first: Int32, count: Int) -> [Int32] {
        (first..<first + Int32(min(count, most))).filter { clinux_fcntl($0, F_GETFD, 0) != -1 }
    }

    /// Which of them an execve would keep.
    package static func kept(from first: Int32, count: Int) -> [Int32] {
        (first..<first + Int32(min(count, most))).filter { clinux_fcntl($0, F_GETFD, 0) == 0 }
    }

    /// Marks every descriptor from `first` on close-on-exec (CVE-2024-21626: nothing of the host's may leak into the
    /// payload).
    ///
    /// close_range(2) with CLOSE_RANGE_CLOEXEC, Linux 5.11.
    package static func closeOnExec(from first: Int32) throws(SystemError) {
        _ = try check("close_range") {
            system(Int(SYS_close_range), Int(first), Int(UInt32.max), Int(CLOSE_RANGE_CLOEXEC))
        }
    }

    /// Closes every descriptor from `first` to `last`.
    package static func close(from first: Int32, to last: UInt32 = .max) throws(SystemError) {
        _ = try check("close_range") { system(Int(SYS_close_range), Int(first), Int(last), 0) }
    }

    /// Puts a copy of a descriptor at another number, whatever that was; close-on-exec.
    package static func copy(_ number: Int32, to other: Int32) throws(SystemError) {
        _ = try check("dup3", "descriptor \(number)") { dup3(number, other, O_CLOEXEC) }
    }

    /// Lets descriptors survive execve.
    package static func keepOnExec(_ numbers: [Int32]) throws(SystemError) {
        for number in numbers {
            _ = try check("fcntl(F_SETFD)", "descriptor \(number)") { clinux_fcntl(number, F_SETFD, 0) }
        }
    }
}
