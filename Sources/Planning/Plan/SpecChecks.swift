internal import Errors
internal import KernelTypes
internal import OCISpec

/// Rules between sections that belong to no single one. Each is a function of the list below, so that none is
/// forgotten.
enum SpecChecks {
    static func run(_ spec: Spec, mode: LaunchMode, findings: inout Findings) {
        checkProcess(spec, mode, &findings)
        checkHooks(spec, &findings)
        // For `exec` alone, but a mistake in it should not wait for the first one.
        _ = CPUAffinityPlan(spec.process?.execCPUAffinity, findings: &findings)
        SeccompListener.checkPlugins(spec.annotations ?? [], findings: &findings)
    }

    /// `create` may do without a process, `start` may not (runtime.md, "Start"); `run` is both.
    private static func checkProcess(_ spec: Spec, _ mode: LaunchMode, _ findings: inout Findings) {
        if spec.process == nil, mode == .run { findings.refuse("process", "process property must not be empty") }
    }

    /// Hooks of the runtime's own namespaces must be there before anything is made; the others are looked up when the
    /// container exists.
    private static func checkHooks(_ spec: Spec, _ findings: inout Findings) {
        for timing in HookTiming.allCases {
            for (index, hook) in timing.hooks(of: spec.hooks).enumerated() where !hook.path.isAbsolutePath {
                findings.refuse(
                    "hooks.\(timing.rawValue)[\(index)].path", "must be an absolute path, is \"\(hook.path)\"")
            }
        }
    }
}
