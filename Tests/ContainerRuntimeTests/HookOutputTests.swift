import OCISpec
import Testing

@testable import ContainerRuntime

@Suite struct HookOutputTests {
    @Test func aRelativeFileIsBelowTheBundle() {
        let output = HookOutput([KeyValue(key: "run.oci.hooks.stdout", value: "log")], bundle: "/bundle")
        #expect(output == .files(output: "/bundle/log", errors: nil))
        #expect(HookOutput([], bundle: "/bundle") == .kept)
        let absolute = HookOutput([KeyValue(key: "run.oci.hooks.stderr", value: "/log")], bundle: "/bundle")
        #expect(absolute == .files(output: nil, errors: "/log"))
    }
}
