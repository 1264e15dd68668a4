import Errors
import Kernel
import OCISpec
import TestSupport
import Testing

@testable import ContainerRuntime

private let text = """
    {
      "ociVersion": "1.2.0",
      "root": {"path": "rootfs"},
      "process": {
        "cwd": "/",
        "user": {"uid": 0, "gid": 0}, "args": ["sh"]
      },
      "mounts": [{"destination": "/a"}, {"destination": "/b"}],
      "unknown": 1
    }
    """

@Suite struct ContainerBundleTests {
    @Test func findingsHaveTheirPlaceInTheFile() throws {
        try withFolder { folder throws in
            try folder.write("config.json", text)
            let bundle = try ContainerBundle(folder.path)
            #expect(bundle.path == folder.path)
            #expect(
                bundle.placed([Finding(.error, "process.user.uid", "no")])[0].description
                    == "config.json:6:21: process.user.uid: no")
            // What is not there has the place of what it would be in.
            #expect(
                bundle.placed([Finding(.error, "process.env[3]", "no")])[0].description
                    == "config.json:4:14: process.env[3]: no")
            #expect(
                bundle.placed([Finding(.error, "linux.seccomp", "no")])[0].description
                    == "config.json:1:1: linux.seccomp: no")
        }
    }

    @Test func findingsComeInTheOrderOfTheFile() throws {
        try withFolder { folder throws in
            try folder.write("config.json", text)
            let bundle = try ContainerBundle(folder.path)
            let fields = [
                "mounts[1]", "process.user", "mounts[0]", "root.path", "process.args", "mounts[0]", "linux.x",
            ]
            let lines = bundle.placed(fields.enumerated().map { Finding(.error, $1, "\($0)") }).map(\.description)
            #expect(
                lines == [
                    "config.json:1:1: linux.x: 6", "config.json:3:20: root.path: 3",
                    "config.json:6:13: process.user: 1",
                    "config.json:6:43: process.args: 4", "config.json:8:14: mounts[0]: 2",
                    "config.json:8:14: mounts[0]: 5", "config.json:8:37: mounts[1]: 0",
                ])
            #expect(bundle.placed([]) == [])
        }
    }

    @Test func aConfigurationNeedsNoFile() throws {
        let bundle = try ContainerBundle("/a/./bundle", configuration: Array(text.utf8))
        #expect(bundle.path == "/a/bundle" && bundle.warnings.count == 1)
        let failure = failure {
            _ = try ContainerBundle(
                "/a", configuration: Array("{\"root\": {\"path\": 1}, \"ociVersion\": \"1.3.0\"}".utf8))
        }
        #expect(failure?.hasPrefix("config.json:1:19: root.path: ") == true, "\(failure ?? "")")
    }

    @Test func whatIsOddIsAWarning() throws {
        try withFolder { folder throws in
            try folder.write("config.json", text)
            let warnings = try ContainerBundle(folder.path).warnings
            #expect(warnings.count == 1)
            #expect(warnings.first?.description.hasPrefix("config.json:9:3: unknown: ") == true)
        }
    }

    @Test func theFileMayHaveAnotherName() throws {
        try withFolder { folder throws in
            try folder.write("other.json", text)
            #expect(try ContainerBundle(folder.path, config: "other.json").file == "other.json")
            #expect(try ContainerBundle(folder.path, config: folder.path("other.json")).spec.root?.path == "rootfs")
            let error = failure { _ = try ContainerBundle(folder.path) }
            #expect(error == "JSON specification file config.json not found in \(folder.path); runbox spec writes one")
        }
    }

    @Test func thePathIsCleaned() throws {
        try withFolder { folder throws in
            try folder.write("config.json", text)
            #expect(try ContainerBundle("\(folder.path)/./x/..//").path == folder.path)
        }
    }

    @Test(arguments: [
        ("{", "config.json:1:2"), (#"{"ociVersion":"1.0.0"}"#, "config.json:1:1: missing required field \"root\""),
        ("", "config.json:1:1"),
    ])
    func mistakesAreErrors(text: String, start: String) throws {
        try withFolder { folder throws in
            try folder.write("config.json", text)
            do throws(RuntimeError) {
                _ = try ContainerBundle(folder.path)
                Issue.record("a bundle was read")
            } catch {
                guard case .configuration(let findings) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(findings.count == 1)
                #expect(findings.first?.description.hasPrefix(start) == true, "\(findings)")
            }
        }
    }

    @Test func aFolderIsNoConfiguration() throws {
        try withFolder { folder throws in
            try Files.makeDirectory(folder.path("config.json"), mode: 0o700)
            let error = failure { _ = try ContainerBundle(folder.path) }
            #expect(error == "read \(folder.path)/config.json: is a directory")
        }
    }
}
