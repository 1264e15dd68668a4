import Errors
import Kernel
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct ProgramTests {
    private func path(_ folder: Folder) throws -> String {
        for name in ["empty", "first", "second", "first/folder"] {
            try Files.makeDirectory(folder.path(name), mode: 0o755)
        }
        for (name, mode) in [
            ("first/plain", 0o644), ("first/both", 0o644), ("second/both", 0o755), ("second/ok", 0o755),
            ("second/folder", 0o755),
        ] {
            try folder.write(name, "", mode: UInt32(mode))
        }
        return ["empty", "no-such", "first", "second"].map(folder.path).joined(separator: ":")
    }

    @Test(arguments: [("ok", "second/ok"), ("both", "second/both"), ("folder", "second/folder")])
    func aNameIsSearchedOnThePath(name: String, found: String) throws {
        try withFolder { folder throws in
            let search = try path(folder)
            #expect(try Program(name, searching: search).path == folder.path(found))
        }
    }

    @Test(
        arguments: [
            ("missing", "exec: \"missing\": executable file not found in $PATH", 127),
            ("plain", "exec: \"plain\": permission denied", 126),
            ("", "exec: \"\": executable file not found in $PATH", 127),
        ] as [(String, String, Int32)])
    func aMissingProgramHasTheWordsThatEnginesExpect(name: String, words: String, status: Int32) throws {
        try withFolder { folder throws in
            let search = try path(folder)
            var caught: StepFailure?
            do throws(StepFailure) {
                _ = try Program(name, searching: search)
            } catch {
                caught = error
            }
            #expect(caught?.message(remedy: nil).hasPrefix("unable to start container process: \(words)") == true)
            #expect(caught?.exitStatus == status)
        }
    }

    @Test(
        arguments: [
            ("first/plain", "permission denied", 126), ("first", "is a directory", 126),
            ("no-such", "no such file or directory", 127), ("second/ok/x", "not a directory", 127),
        ] as [(String, String, Int32)])
    func aPathIsTakenAsItIs(name: String, words: String, status: Int32) throws {
        try withFolder { folder throws in
            let search = try path(folder)
            let full = folder.path(name)
            var caught: StepFailure?
            do throws(StepFailure) {
                _ = try Program(full, searching: search)
            } catch {
                caught = error
            }
            #expect(
                caught?.message(remedy: nil).hasPrefix(
                    "unable to start container process: exec: \"\(full)\": \(words): ") == true)
            #expect(caught?.exitStatus == status)
            #expect(try Program(folder.path("second/ok"), searching: nil).path == folder.path("second/ok"))
        }
    }
}
