internal import CLinux

/// An error number of the kernel.
@usableFromInline package struct Errno: RawRepresentable, Equatable, Hashable, Sendable {
    @usableFromInline package let rawValue: Int32

    @usableFromInline package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let notPermitted = Errno(rawValue: EPERM)
    package static let noEntry = Errno(rawValue: ENOENT)
    package static let noProcess = Errno(rawValue: ESRCH)
    package static let interrupted = Errno(rawValue: EINTR)
    package static let inputOutput = Errno(rawValue: EIO)
    package static let noDeviceOrAddress = Errno(rawValue: ENXIO)
    package static let execFormat = Errno(rawValue: ENOEXEC)
    package static let badDescriptor = Errno(rawValue: EBADF)
    package static let tryAgain = Errno(rawValue: EAGAIN)
    package static let noMemory = Errno(rawValue: ENOMEM)
    package static let accessDenied = Errno(rawValue: EACCES)
    package static let busy = Errno(rawValue: EBUSY)
    package static let exists = Errno(rawValue: EEXIST)
    package static let crossDevice = Errno(rawValue: EXDEV)
    package static let noDevice = Errno(rawValue: ENODEV)
    package static let notDirectory = Errno(rawValue: ENOTDIR)
    package static let isDirectory = Errno(rawValue: EISDIR)
    package static let invalidArgument = Errno(rawValue: EINVAL)
    package static let noSpace = Errno(rawValue: ENOSPC)
    package static let readOnly = Errno(rawValue: EROFS)
    package static let brokenPipe = Errno(rawValue: EPIPE)
    package static let range = Errno(rawValue: ERANGE)
    package static let noSystemCall = Errno(rawValue: ENOSYS)
    package static let notEmpty = Errno(rawValue: ENOTEMPTY)
    package static let symbolicLinkLoop = Errno(rawValue: ELOOP)
    package static let nameTooLong = Errno(rawValue: ENAMETOOLONG)
    package static let badLibrary = Errno(rawValue: ELIBBAD)
    package static let tooLong = Errno(rawValue: E2BIG)
    package static let busyText = Errno(rawValue: ETXTBSY)
    package static let notSupported = Errno(rawValue: EOPNOTSUPP)
    package static let addressInUse = Errno(rawValue: EADDRINUSE)
    package static let addressNotAvailable = Errno(rawValue: EADDRNOTAVAIL)
    package static let connectionReset = Errno(rawValue: ECONNRESET)
    package static let connectionRefused = Errno(rawValue: ECONNREFUSED)
    package static let notConnected = Errno(rawValue: ENOTCONN)
    package static let messageTooLong = Errno(rawValue: EMSGSIZE)
    package static let wrongProtocol = Errno(rawValue: EPROTOTYPE)
    package static let quotaExceeded = Errno(rawValue: EDQUOT)
    package static let timedOut = Errno(rawValue: ETIMEDOUT)
    package static let tooManyUsers = Errno(rawValue: EUSERS)
    package static let fileTooLarge = Errno(rawValue: EFBIG)
    package static let illegalSequence = Errno(rawValue: EILSEQ)

    /// No error of the kernel's: of what the runtime itself refuses.
    package static let noError = Errno(rawValue: 0)

    /// The errno that the C library holds now; read at once after a failed call.
    package static var current: Errno { Errno(rawValue: __errno_location().pointee) }
}

extension Errno: CustomStringConvertible {
    /// The C library's text, but for ENOENT: engines take its usual sentence, wherever it stands, for a missing
    /// program of the container, and "does not exist" for a missing container.
    @usableFromInline package var description: String {
        self == .noEntry ? "not found" : standardDescription
    }

    /// The C library's text in lower case, as Go programs print them and engines search them.
    package var standardDescription: String {
        guard let text = strerror(rawValue) else { return "error \(rawValue)" }
        return String(cString: text).inLowerCase
    }
}

/// A system call that failed: what was called, on what, and why. Or an operation that failed or was refused, in the
/// runtime's own text.
@usableFromInline package struct SystemError: Error, Sendable, Equatable {
    /// The system call's name; empty where there are ``words`` instead.
    package let call: String
    /// The path, name or number that the call was about; may be empty.
    package let subject: String
    package let code: Errno
    /// What stands in the call's place: the reason of a refusal, or a phrase where several calls make one operation.
    package let words: String?

    package init(_ call: String, _ subject: String, _ code: Errno) {
        self.init(call: call, words: nil, subject, code)
    }

    private init(call: String, words: String?, _ subject: String, _ code: Errno) {
        self.call = call
        self.words = words
        self.subject = subject
        self.code = code
    }
}

extension SystemError {
    /// A refusal by the runtime itself, with its own text, where the kernel was not asked or its errno would
    /// mislead: without an errno.
    package static func refused(_ reason: String) -> SystemError {
        SystemError(call: "", words: reason, "", .noError)
    }

    /// An operation that is more than the one call that failed in it, or is better known by another name.
    package static func failed(_ words: String, _ subject: String, _ code: Errno) -> SystemError {
        SystemError(call: "", words: words, subject, code)
    }

    /// The same failure, of something that the user knows better.
    package func about(_ subject: String) -> SystemError {
        SystemError(call: call, words: words, subject, code)
    }

    /// What failed, without its subject: the call's name, or the text in its place.
    package var operation: String { words ?? call }
}

extension SystemError: CustomStringConvertible {
    /// One line. Without an errno, where a rule and not the kernel refused, the text says it all.
    @usableFromInline package var description: String {
        let text = subject.isEmpty ? operation : "\(operation) \(subject)"
        return code == .noError ? text : "\(text): \(code)"
    }
}
