internal import Errors
package import KernelTypes
internal import OCISpec

/// How a container is kept running: all settings of a service. Times are milliseconds.
package struct ServiceSettings: Sendable, Equatable {
    package private(set) var restart = RestartPolicy.no
    package private(set) var restartDelay = RestartDelay()
    /// After so much time of running, the delay is the shortest again.
    package private(set) var restartReset: Int64 = 10_000
    package private(set) var startLimit: StartLimit?
    package private(set) var noRestartCodes = ExitCodes()
    package private(set) var health: HealthSettings?
    package private(set) var watchdog: Int64?
    package private(set) var log = LogSettings()
    /// nil for the one of the configuration, else SIGTERM.
    package private(set) var stopSignal: Signal?
    package private(set) var stopTimeout: Int64 = 10_000
    package private(set) var reloadSignal = Signal.hangUp
    package private(set) var listen: [ListenAddress] = []
    package private(set) var startsOnDemand = false
    package private(set) var idle: Int64?
    package private(set) var leftover = LeftoverAction.adopt
    private var askedReady: ReadyWhen?

    /// What makes the service ready.
    package var ready: ReadyWhen { askedReady ?? (health == nil ? .start : .healthy) }

    package init() {}

    /// Takes over one setting.
    /// - Parameter folder: where relative paths begin.
    /// - Returns: whether the text is such a value.
    package mutating func set(_ setting: ServiceSetting, _ text: String, folder: String) -> Bool {
        if text.utf8.contains(0) { return false }
        switch setting {
        case .restart: return Self.put(RestartPolicy(text), &restart)
        case .restartDelay: return Self.put(RestartDelay(text), &restartDelay)
        case .restartReset: return Self.put(ServiceNumber.milliseconds(text), &restartReset)
        case .startLimit: return Self.putOptional(StartLimit(text), &startLimit)
        case .noRestartCodes: return Self.put(ExitCodes(text), &noRestartCodes)
        case .healthCommand: return setHealthCommand(text)
        case .healthInterval, .healthTimeout, .healthRetries, .healthStartPeriod, .healthAction:
            return setHealth(setting, text)
        case .ready: return Self.putOptional(ReadyWhen(rawValue: text), &askedReady)
        case .watchdog: return Self.putOptional(Self.span(text), &watchdog)
        case .log, .logPath, .logSize, .logFiles, .logCompress: return setLog(setting, text, folder)
        case .stopSignal: return Self.putOptional(Self.signal(text), &stopSignal)
        case .stopTimeout: return Self.put(ServiceNumber.milliseconds(text), &stopTimeout)
        case .reloadSignal: return Self.put(Self.signal(text), &reloadSignal)
        case .listen: return addListen(text, folder)
        case .onDemand: return Self.put(Self.boolean(text), &startsOnDemand)
        case .idle: return Self.putOptional(Self.span(text), &idle)
        case .leftover: return Self.put(LeftoverAction(rawValue: text), &leftover)
        }
    }

    /// Forgets the sockets, for those of the command line to take their place.
    mutating func forgetSockets() { listen = [] }

    private mutating func setHealthCommand(_ text: String) -> Bool {
        // `[ -f /x ]` is a command of the shell, but needs the blank.
        let isList = text.begins(with: "[\"") || text == "[]"
        let words = text.begins(with: "[") ? WordList.read(text) : nil
        guard text.utf8.contains(where: { $0 > 0x20 }), !isList || words != nil, words?.isEmpty != true,
            words?.first != ""
        else { return false }
        var settings = health ?? HealthSettings(command: [])
        settings.command = words ?? ["/bin/sh", "-c", text]
        health = settings
        return true
    }

    private mutating func setHealth(_ setting: ServiceSetting, _ text: String) -> Bool {
        var settings = health ?? HealthSettings(command: [])
        defer { health = settings }
        switch setting {
        case .healthInterval: return Self.put(Self.span(text), &settings.interval)
        case .healthTimeout: return Self.put(Self.span(text), &settings.timeout)
        case .healthRetries: return Self.put(ServiceNumber.read(text, 1...1000), &settings.retries)
        case .healthStartPeriod: return Self.put(ServiceNumber.milliseconds(text), &settings.startPeriod)
        default: return Self.put(HealthAction(rawValue: text), &settings.action)
        }
    }

    private mutating func setLog(_ setting: ServiceSetting, _ text: String, _ folder: String) -> Bool {
        switch setting {
        case .log: return Self.putOptional(LogTarget(rawValue: text), &log.target)
        case .logPath:
            if text.isEmpty || text.ends(with: "/") { return false }
            log.path = text.isAbsolutePath ? text.cleanedPath : "\(folder)/\(text)".cleanedPath
            return true
        case .logSize:
            guard let bytes = SizeText.bytes(text), bytes >= 4096 else { return false }
            log.size = bytes
            return true
        case .logFiles: return Self.put(ServiceNumber.read(text, 1...1000), &log.files)
        default: return Self.put(Self.boolean(text), &log.compresses)
        }
    }

    /// An annotation has several with blanks between them.
    private mutating func addListen(_ text: String, _ folder: String) -> Bool {
        let words = text.parts(by: " ")
        for word in words {
            guard let address = ListenAddress(word, folder: folder) else { return false }
            listen.append(address)
        }
        return !words.isEmpty
    }

    private static func put<Value>(_ value: Value?, _ place: inout Value) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private static func putOptional<Value>(_ value: Value?, _ place: inout Value?) -> Bool {
        guard let value else { return false }
        place = value
        return true
    }

    private static func span(_ text: String) -> Int64? {
        ServiceNumber.milliseconds(text).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func signal(_ text: String) -> Signal? { Signal(text).flatMap { $0 == .null ? nil : $0 } }

    private static func boolean(_ text: String) -> Bool? {
        switch text {
        case "true", "1", "yes": true
        case "false", "0", "no": false
        default: nil
        }
    }
}
