import Kernel
import TestSupport
import Testing

@testable import KernelTypes

@Suite struct ErrorTests {
    /// The numbers of asm-generic/errno.h and the words that engines search for.
    @Test(
        arguments: [
            (Errno.notPermitted, 1, "operation not permitted"), (.noProcess, 3, "no such process"),
            (.interrupted, 4, "interrupted system call"), (.accessDenied, 13, "permission denied"),
            (.exists, 17, "file exists"), (.notDirectory, 20, "not a directory"), (.isDirectory, 21, "is a directory"),
            (.invalidArgument, 22, "invalid argument"), (.noSystemCall, 38, "function not implemented"),
            (.execFormat, 8, "exec format error"), (.symbolicLinkLoop, 40, "too many levels of symbolic links"),
        ] as [(Errno, Int32, String)])
    func anErrorHasTheLibrarysWordsInLowerCase(code: Errno, number: Int32, words: String) {
        #expect(code.rawValue == number)
        #expect(code.description == words)
        #expect(code.standardDescription == words)
    }

    /// Engines take the usual sentence, wherever it stands, for a program that is missing in the container.
    @Test func aMissingFileHasWordsOfItsOwn() {
        #expect(Errno.noEntry.description == "not found")
        #expect(Errno.noEntry.standardDescription == "no such file or directory")
        #expect(!SystemError("open", "/x", .noEntry).description.contains("no such file or directory"))
    }

    @Test(arguments: [
        (SystemError("open", "/a", .accessDenied), "open /a: permission denied"),
        (SystemError("setsid", "", .notPermitted), "setsid: operation not permitted"),
        (.refused("the container is gone"), "the container is gone"),
        (.failed("x", "y", .noError), "x y"),
        (.failed("bind root.path", "/r", .busy), "bind root.path /r: device or resource busy"),
    ])
    func anErrorIsOneLine(error: SystemError, line: String) {
        #expect(error.description == line)
    }

    @Test func anErrorWithoutNameShowsItsNumber() {
        #expect(Errno(rawValue: 4000).description.contains("4000"))
    }

    @Test func failedCallsNameTheirSubject() {
        let error = failure { () throws(SystemError) in _ = try Files.open("/nobody/has/this", .readOnly) }
        #expect(error == SystemError("open", "/nobody/has/this", .noEntry))
    }
}
