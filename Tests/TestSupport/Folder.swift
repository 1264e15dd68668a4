package import Kernel
package import KernelTypes
package import Testing

/// A directory of its own for one test.
package struct Folder {
    package let path: String

    package init() throws(SystemError) {
        let base = Processes.environment("TMPDIR") ?? "/tmp"
        var number = 0
        while true {
            // mkdir decides who has a name, so tests that run side by side cannot get the same.
            let candidate = "\(base)/runbox-unit-\(Processes.currentID)-\(number)"
            do throws(SystemError) {
                try Files.makeDirectory(candidate, mode: 0o700)
                path = candidate
                return
            } catch  where error.code == .exists {
                number += 1
            }
        }
    }

    package func path(_ name: String) -> String { "\(path)/\(name)" }

    package func open(_ flags: OpenFlags = [.path, .directory]) throws(SystemError) -> Descriptor {
        try Files.open(path, flags)
    }

    package func write(_ name: String, _ text: String = "", mode: UInt32 = 0o600) throws(SystemError) {
        try Files.write(Array(text.utf8), toNew: path(name), mode: mode)
    }

    package func makeDirectory(_ name: String) throws(SystemError) {
        try Files.makeDirectories(path(name), mode: 0o700)
    }

    package func link(_ name: String, to target: String) throws(SystemError) {
        let slash = name.lastIndex(of: "/")
        let parent = try Files.open(path(slash.map { String(name[..<$0]) } ?? ""), [.path, .directory])
        try Files.makeSymbolicLink(
            String(name[(slash.map(name.index(after:)) ?? name.startIndex)...]), to: target, at: parent)
    }

    package func text(_ name: String) throws(SystemError) -> String {
        String(decoding: try Files.read(path(name)), as: UTF8.self)
    }

    /// Whether there is an entry of that name, be it a dangling link.
    package func has(_ name: String) -> Bool { kind(name) != nil }

    package func kind(_ name: String) -> FileKind? {
        try? Files.status(path(name), follow: false).kind  // nothing there
    }

    package func names(_ name: String = "") throws(SystemError) -> [String] { try Files.list(path(name)).sorted() }
}

/// Lends a directory that is removed however the body ends.
package func withFolder(_ body: (Folder) throws -> Void) throws {
    let folder = try Folder()
    defer { try? Files.removeTree(folder.path) }  // what is left of a failed test is not the failure
    try body(folder)
}

/// Two directories: a container's root, and beside it what must stay out of its reach.
package func withRoot(_ body: (_ inside: Folder, _ whole: Folder) throws -> Void) throws {
    try withFolder { whole in
        try whole.makeDirectory("root")
        try whole.makeDirectory("host")
        try whole.write("host/secret", "secret")
        try body(Folder(at: whole.path("root")), whole)
    }
}

extension Folder {
    package init(at path: String) { self.path = path }
}

/// The error that a body ends with; nil when it ends well.
package func failure(_ body: () throws(SystemError) -> Void) -> SystemError? {
    do throws(SystemError) {
        try body()
        return nil
    } catch {
        return error
    }
}

/// What `#require` does, for what cannot be copied.
package func unwrap(_ descriptor: consuming Descriptor?) throws(SystemError) -> Descriptor {
    guard let descriptor else { throw SystemError("unwrap", "", .badDescriptor) }
    return descriptor
}

/// Whether the other end of a socket is closed. A closed descriptor's number may be in use again at once, so only its
/// peer can tell for sure.
package func isHungUp(_ end: borrowing Descriptor, within milliseconds: Int32 = 0) throws(SystemError) -> Bool {
    try Polling.wait([(end.number, .hungUp)], timeout: milliseconds)[0].contains(.hungUp)
}

// MARK: What the host must have

/// Without it a test is skipped, and the log says why.
extension Trait where Self == ConditionTrait {
    package static var needsX8664: Self {
        .enabled(
            if: SeccompArchitectureToken.native.rawValue == 0xc000_003e, "needs x86-64, whose system calls it speaks of"
        )
    }

    package static var needsDeviceNodes: Self {
        .enabled(if: hasDeviceNodes, "needs device nodes that can be made and opened in the temporary folder")
    }
}

private let hasDeviceNodes: Bool = {
    guard let folder = try? Folder() else { return false }
    defer { try? Files.removeTree(folder.path) }
    do {
        try Files.makeNode("null", at: folder.open(), kind: .characterDevice, mode: 0o666, major: 1, minor: 3)
        _ = try Files.open(folder.path("null"), .writeOnly)
        return true
    } catch {
        return false
    }
}()

/// The description of the error that a body ends with; nil when it ends well.
package func failure(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return "\(error)"
    }
}
