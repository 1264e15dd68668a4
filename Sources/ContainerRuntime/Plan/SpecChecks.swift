internal import OCISpec

/// Rules between sections that belong to no single slice. Each is a function of the list below, so that none is forgotten.
enum SpecChecks {
    static func run(_ spec: Spec, mode: LaunchMode, findings: inout PlanFindings) {
        for check in [checkProcess, refuseUnsupported, checkHooks] as [Check] { check(spec, mode, &findings) }
    }

    private typealias Check = @Sendable (Spec, LaunchMode, inout PlanFindings) -> Void

    /// `create` may do without a process, `start` may not (runtime.md, "Start"); `run` is both.
    @Sendable private static func checkProcess(_ spec: Spec, _ mode: LaunchMode, _ findings: inout PlanFindings) {
        if spec.process == nil, mode == .run { findings.refuse("process", "process property must not be empty") }
    }

    /// Fields of the specification that this version cannot apply.
    @Sendable private static func refuseUnsupported(_ spec: Spec, _ mode: LaunchMode, _ findings: inout PlanFindings) {
        let asked: [(field: String, present: Bool)] = [
            ("process.apparmorProfile", spec.process?.apparmorProfile?.isEmpty == false),
            ("process.selinuxLabel", spec.process?.selinuxLabel?.isEmpty == false),
            ("process.execCPUAffinity", spec.process?.execCPUAffinity != nil),
            ("linux.mountLabel", spec.linux?.mountLabel?.isEmpty == false),
            ("linux.timeOffsets", spec.linux?.timeOffsets != nil),
            ("linux.netDevices", spec.linux?.netDevices?.isEmpty == false),
            ("linux.intelRdt", spec.linux?.intelRdt != nil),
            ("linux.memoryPolicy", spec.linux?.memoryPolicy != nil),
        ]
        for entry in asked where entry.present { findings.refuseUnsupported(entry.field) }
    }

    /// Hooks of the runtime's own name spaces must be there before anything is made; the others are looked up when the container exists.
    @Sendable private static func checkHooks(_ spec: Spec, _ mode: LaunchMode, _ findings: inout PlanFindings) {
        for timing in HookTiming.allCases {
            for (index, hook) in timing.hooks(of: spec.hooks).enumerated() where !hook.path.hasPrefix("/") {
                findings.refuse(
                    "hooks.\(timing.rawValue)[\(index)].path", "must be an absolute path, is \"\(hook.path)\"")
            }
        }
    }
}
