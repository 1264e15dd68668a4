internal import KernelTypes
internal import OCISpec
internal import Planning

/// The flags of `run` and `spec` that keep a service running; each has the name of its annotation.
enum ServiceFlags {
    static let all: [Flag] = [
        flag(.restart, "POLICY", choices: "no on-failure always", "start it anew: no, on-failure[:N] or always"),
        flag(.restartDelay, "MIN[..MAX]", "how long before a restart, doubled each time (default: 100ms..1m)"),
        flag(.restartReset, "TIME", "so long a run sets the delay back (default: 10s)"),
        flag(.startLimit, "N/TIME", "give up after so many starts in that time"),
        flag(.noRestartCodes, "CODES", "exit codes that never restart it, as in 2,64-78"),
        flag(.healthCommand, "COMMAND", "is run in the container to see whether it is well: a line for sh, or JSON"),
        flag(.healthInterval, "TIME", "how often (default: 30s)"),
        flag(.healthTimeout, "TIME", "how long a check may take (default: 5s)"),
        flag(.healthRetries, "N", "so many failures in a row make it unhealthy (default: 3)"),
        flag(.healthStartPeriod, "TIME", "failures do not count until then (default: 0s)"),
        flag(.healthAction, "ACTION", choices: "none restart stop", "what to do when it is unhealthy (default: none)"),
        flag(.ready, "WHEN", choices: "start notify healthy", "when it is ready (default: healthy with a check)"),
        flag(.watchdog, "TIME", "end it by SIGABRT when it has not sent WATCHDOG=1 for so long"),
        flag(.log, "TARGET", choices: "file journal inherit", "where its output goes (default: file if detached)"),
        flag(.logPath, "FILE", "the log file"),
        flag(.logSize, "SIZE", "how large a log file grows (default: 10m)"),
        flag(.logFiles, "N", "how many log files there are at most (default: 5)"),
        flag(.logCompress, nil, "compress log files that are full"),
        flag(.stopSignal, "SIGNAL", "what asks it to end, instead of the image's own or TERM"),
        flag(.stopTimeout, "TIME", "how long it may take to end (default: 10s)"),
        flag(.reloadSignal, "SIGNAL", "what runbox reload sends (default: HUP)"),
        flag(.listen, "ADDRESS", "open [NAME=]tcp:ADDRESS:PORT, udp:ADDRESS:PORT or unix:PATH and hand it in"),
        flag(.onDemand, nil, "start it at the first connection"),
        flag(.idle, "TIME", "let it sleep when there was no connection for so long"),
        flag(.leftover, "ACTION", choices: "adopt end", "what to do with one whose supervisor was killed"),
    ]

    private static func flag(
        _ setting: ServiceSetting, _ value: String?, choices: String? = nil, _ help: String
    ) -> Flag {
        Flag(setting.rawValue, value: value, choices: choices, repeats: setting.isList, help)
    }

    /// What the flags say, each with a value that means something.
    static func choices(_ parsed: ParsedArguments) throws(UsageError) -> [ServiceChoice] {
        var choices: [ServiceChoice] = []
        for setting in ServiceSetting.allCases {
            let name = setting.rawValue
            for text in setting.isList ? parsed.values(name) : parsed.value(name).map({ [$0] }) ?? [] {
                var settings = ServiceSettings()
                guard settings.set(setting, text, folder: "/") else {
                    throw UsageError(
                        reason: "invalid value \"\(printable(text))\" for flag --\(name): \(setting.expected)")
                }
                choices.append(ServiceChoice(setting, text))
            }
        }
        return choices
    }

    /// The annotations that stand for them. Several values of one stand behind each other.
    static func annotations(_ parsed: ParsedArguments) throws(UsageError) -> [KeyValue] {
        var annotations: [KeyValue] = []
        for choice in try choices(parsed) {
            let key = choice.setting.annotation
            if let index = annotations.firstIndex(where: { $0.key == key }) {
                annotations[index].value += " \(choice.text)"
            } else {
                annotations.append(KeyValue(key: key, value: choice.text))
            }
        }
        return annotations
    }
}
