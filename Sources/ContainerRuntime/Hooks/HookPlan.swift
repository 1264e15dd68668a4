internal import OCISpec

/// When a hook is called. Specification: config.md, "POSIX-platform Hooks".
enum HookTiming: String, Sendable, CaseIterable {
    case prestart, createRuntime, createContainer, startContainer, poststart, poststop

    func hooks(of hooks: Hooks?) -> [Hook] {
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
