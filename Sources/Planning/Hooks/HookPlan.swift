package import Errors
package import OCISpec

/// When a hook is called. Specification: config.md, "POSIX-platform Hooks".
package enum HookTiming: String, Sendable, CaseIterable {
    case prestart, createRuntime, createContainer, startContainer, poststart, poststop

    /// The step that runs them, for messages.
    package var step: Step {
        switch self {
        case .prestart, .createRuntime, .poststop: .runtimeHooks
        case .createContainer: .createContainerHooks
        case .startContainer: .startContainerHooks
        case .poststart: .poststartHooks
        }
    }

    /// Whether it is called after `create`, when the bundle may have changed: the container's record says whether there
    /// are such hooks.
    package var isLater: Bool {
        switch self {
        case .prestart, .createRuntime, .createContainer, .startContainer: false
        case .poststart, .poststop: true
        }
    }

    package func hooks(of hooks: Hooks?) -> [Hook] {
        switch self {
        case .prestart: hooks?.prestart ?? []
        case .createRuntime: hooks?.createRuntime ?? []
        case .createContainer: hooks?.createContainer ?? []
        case .startContainer: hooks?.startContainer ?? []
        case .poststart: hooks?.poststart ?? []
        case .poststop: hooks?.poststop ?? []
        }
    }
}
