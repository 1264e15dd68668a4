import Testing

/// All tests of the built program, one after the other: each looks at the host around it.
@Suite(.serialized, .leavesNothing)
struct AllTests {}

/// Gives each test its sandbox, and searches the host for leftovers after it.
struct LeavesNothing: SuiteTrait, TestTrait, TestScoping {
    let isRecursive = true

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let sandbox = try Sandbox()
        defer { sandbox.remove() }
        // Also after a test that threw: its containers would stay on the host.
        defer {
            sandbox.close()
            sandbox.expectNothingLeft(location: test.sourceLocation)
            Leftovers.sweep(sandbox)
        }
        try await Sandbox.$ambient.withValue(sandbox) { try await function() }
    }
}

extension Trait where Self == LeavesNothing {
    static var leavesNothing: Self { Self() }
}
