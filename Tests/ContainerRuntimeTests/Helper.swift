import Kernel
import Testing

/// A directory of its own for one test.
struct Folder {
    let path: String

    init() throws(SystemError) {
        let base = Processes.environment("TMPDIR") ?? "/tmp"
        var number = 0
        while true {
            // mkdir decides who has a name, so tests that run side by side cannot get the same.
            let candidate = "\(base)/runbox-plan-\(Processes.currentID)-\(number)"
            do throws(SystemError) {
                try Files.makeDirectory(candidate, mode: 0o700)
                path = candidate
                return
            } catch  where error.code == .exists {
                number += 1
            }
        }
    }

    func path(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ name: String, _ text: String = "", mode: UInt32 = 0o600) throws(SystemError) {
        try Files.write(Array(text.utf8), toNew: path(name), mode: mode)
    }

    func text(_ name: String) throws(SystemError) -> String {
        String(decoding: try Files.read(path(name)), as: UTF8.self)
    }

    func link(_ name: String, to target: String) throws(SystemError) {
        try Files.makeSymbolicLink(name, to: target, at: Files.open(path, [.path, .directory]))
    }

    func names(_ name: String = "") throws(SystemError) -> [String] { try Files.list(path(name)).sorted() }
}

/// Lends a directory that is removed however the body ends.
func withFolder(_ body: (Folder) throws -> Void) throws {
    let folder = try Folder()
    defer { try? Files.removeTree(folder.path) }  // what is left of a failed test is not the failure
    try body(folder)
}

// MARK: Errors

/// The description of the error that a body ends with; nil when it ends well.
func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}
