package import Errors
internal import KernelTypes
package import OCISpec

/// Settings of a service as a configuration and the command line have them together.
package enum ServicePlan {
    /// Whether a configuration has any of a service.
    package static func isService(_ spec: Spec) -> Bool {
        spec.annotations?.contains { $0.key.begins(with: ServiceSetting.prefix) } == true
    }

    /// Reads all settings.
    /// - Parameters:
    ///   - choices: those of flags, which count instead of the annotations of their names.
    ///   - folder: where relative paths of flags begin.
    /// - Returns: nil where there are none: the container is no service.
    package static func read(
        _ spec: Spec, choices: [ServiceChoice], bundle: String, folder: String, findings: inout Findings
    ) -> ServiceSettings? {
        guard isService(spec) || !choices.isEmpty else { return nil }
        var reading = Reading()
        for annotation in spec.annotations ?? [] {
            guard let name = annotation.key.rest(after: ServiceSetting.prefix) else { continue }
            let field = AnnotationPlan.field(annotation.key)
            guard let setting = ServiceSetting(rawValue: name) else {
                warnUnknown(name, field, &findings)
                continue
            }
            reading.take(setting, annotation.value, field, bundle, &findings)
        }
        if choices.contains(where: { $0.setting == .listen }) { reading.settings.forgetSockets() }
        for choice in choices {
            reading.take(choice.setting, choice.text, "--\(choice.setting.rawValue)", folder, &findings)
        }
        reading.check(spec, &findings)
        return reading.settings
    }

    /// Settings with mistakes are mistakes of the configuration. Who calls `create` keeps the container running, or
    /// does not.
    static func check(
        _ spec: Spec, choices: [ServiceChoice], bundle: String, folder: String, isRun: Bool,
        findings: inout Findings
    ) {
        if isRun {
            _ = read(spec, choices: choices, bundle: bundle, folder: folder, findings: &findings)
            return
        }
        guard let annotation = spec.annotations?.first(where: { $0.key.begins(with: ServiceSetting.prefix) }) else {
            return
        }
        findings.warn(
            AnnotationPlan.field(annotation.key),
            "settings of a service have no effect with create: runbox run is what keeps one running (ignored)")
    }

    private static func warnUnknown(_ name: String, _ field: String, _ findings: inout Findings) {
        let near = Spelling.nearest(to: name, in: ServiceSetting.allCases.map { $0.rawValue })
        let advice = near.map { "; did you mean \(ServiceSetting.prefix)\($0)?" } ?? ""
        findings.warn(field, "means nothing to runbox\(advice) (ignored)")
    }

    /// What was read so far, and from where.
    private struct Reading {
        var settings = ServiceSettings()
        private var fields: [(setting: ServiceSetting, field: String)] = []

        mutating func take(
            _ setting: ServiceSetting, _ text: String, _ field: String, _ folder: String, _ findings: inout Findings
        ) {
            fields.append((setting, field))
            guard !settings.set(setting, text, folder: folder) else { return }
            findings.refuse(field, "invalid value \"\(printable(text))\": \(setting.expected)")
        }

        /// The last one counts; nil where it was not given.
        private func field(_ setting: ServiceSetting) -> String? { fields.last { $0.setting == setting }?.field }

        func check(_ spec: Spec, _ findings: inout Findings) {
            if spec.process?.terminal == true {
                findings.refuse(
                    "process.terminal",
                    "a service has no terminal; set it to false, as runbox spec --no-terminal does, or leave its settings out"
                )
            }
            needCommand(&findings)
            if settings.startsOnDemand, settings.listen.isEmpty, let field = field(.onDemand) {
                findings.refuse(
                    field, "there is no socket to wait at; --listen or \(ServiceSetting.listen.annotation) names one")
            }
            if let field = field(.idle), !settings.startsOnDemand {
                findings.refuse(field, "only what is started on demand can go to sleep; --on-demand does that")
            }
            warnWithoutEffect(&findings)
        }

        private func needCommand(_ findings: inout Findings) {
            guard field(.healthCommand) == nil else { return }
            let others: [ServiceSetting] = [
                .healthInterval, .healthTimeout, .healthRetries, .healthStartPeriod, .healthAction,
            ]
            for setting in others {
                guard let field = field(setting) else { continue }
                findings.refuse(
                    field,
                    "there is no health check; --health-cmd or \(ServiceSetting.healthCommand.annotation) names one")
            }
            if settings.ready == .healthy, let field = field(.ready) {
                findings.refuse(
                    field,
                    "there is no health check; --health-cmd or \(ServiceSetting.healthCommand.annotation) names one")
            }
        }

        private func warnWithoutEffect(_ findings: inout Findings) {
            if settings.restart == .no, settings.health?.action != .restart, !settings.startsOnDemand {
                for setting in [ServiceSetting.restartDelay, .restartReset, .startLimit, .noRestartCodes] {
                    guard let field = field(setting) else { continue }
                    findings.warn(field, "has no effect: nothing restarts this service; --restart does that")
                }
            }
            guard let target = settings.log.target, target != .file else { return }
            for setting in [ServiceSetting.logPath, .logSize, .logFiles, .logCompress] {
                guard let field = field(setting) else { continue }
                findings.warn(field, "has no effect: the log goes to no file, but is \(target.rawValue)")
            }
        }
    }
}
