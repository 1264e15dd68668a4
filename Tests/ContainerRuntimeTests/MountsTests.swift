import Testing

@testable import ContainerRuntime

@Suite struct MountsTests {
    @Test(arguments: [
        ("/a/b", "/a", "b"), ("/a", "/", "a"), ("/a/b/c", "/a/b", "c"), ("a", "/", "a"),
    ])
    func pathsAreSplitAtTheLastSlash(path: String, folder: String, name: String) {
        #expect(split(path) == (folder, name))
    }
}
