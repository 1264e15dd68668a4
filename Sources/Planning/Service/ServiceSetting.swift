/// What a service can be told, by an annotation of its configuration or by a flag of the same name.
package enum ServiceSetting: String, Sendable, CaseIterable {
    case restart
    case restartDelay = "restart-delay"
    case restartReset = "restart-reset"
    case startLimit = "start-limit"
    case noRestartCodes = "no-restart-codes"
    case healthCommand = "health-cmd"
    case healthInterval = "health-interval"
    case healthTimeout = "health-timeout"
    case healthRetries = "health-retries"
    case healthStartPeriod = "health-start-period"
    case healthAction = "health-action"
    case ready
    case watchdog
    case log
    case logPath = "log-path"
    case logSize = "log-size"
    case logFiles = "log-files"
    case logCompress = "log-compress"
    case stopSignal = "stop-signal"
    case stopTimeout = "stop-timeout"
    case reloadSignal = "reload-signal"
    case listen
    case onDemand = "on-demand"
    case idle
    case leftover

    /// What the names of all their annotations begin with.
    package static let prefix = AnnotationName.service

    /// The annotation's name.
    package var annotation: String { Self.prefix + rawValue }

    /// A setting that is on or off.
    package var isSwitch: Bool { self == .logCompress || self == .onDemand }

    /// One with several values: they stand behind each other in its annotation, and its flag may be repeated.
    package var isList: Bool { self == .listen }

    /// What is needed as its value, for a message.
    package var expected: String {
        switch self {
        case .restart: "no, on-failure, on-failure:N or always"
        case .restartDelay: "a time such as 100ms, or the shortest and the longest as in 100ms..1m"
        case .startLimit: "a number of starts and a time, as in 5/10s"
        case .noRestartCodes: "exit codes from 0 to 255, as in 2,64-78"
        case .healthCommand: "a command for /bin/sh, or a JSON array with a program and its arguments"
        case .healthAction: "none, restart or stop"
        case .ready: "start, notify or healthy"
        case .log: "file, journal or inherit"
        case .logPath: "a path"
        case .logSize: "a size from 4k on, such as 10m"
        case .logFiles, .healthRetries: "a number from 1 to 1000"
        case .logCompress, .onDemand: "true or false"
        case .stopSignal, .reloadSignal: "a signal such as INT"
        case .listen:
            "tcp:PORT, tcp:ADDRESS:PORT (a number; [::1] for version 6), udp: the same, or unix:PATH, with NAME= before it or not"
        case .leftover: "adopt or end"
        case .restartReset, .healthStartPeriod, .stopTimeout: "a time such as 10s or 1m30s"
        case .healthInterval, .healthTimeout, .watchdog, .idle: "a time of at least 1ms, such as 10s or 1m30s"
        }
    }
}

/// A setting as a flag of the command line gives it.
package struct ServiceChoice: Sendable, Equatable {
    package let setting: ServiceSetting
    package let text: String

    package init(_ setting: ServiceSetting, _ text: String) {
        self.setting = setting
        self.text = text
    }
}
