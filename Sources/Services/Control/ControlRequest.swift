internal import KernelTypes

/// What a supervisor can be asked for: one line on its control socket, which it answers by another one.
package enum ControlRequest: Sendable, Equatable {
    /// To end the service; nil leaves the time to its settings.
    case stop(timeout: Int64?)
    case restart
    case reload
    case waitReady
    case waitHealthy

    /// Reads a line; nil when it is no request.
    package init?(_ line: String) {
        let words = line.parts(by: " ")
        switch (words.first, words.count) {
        case ("stop", 1): self = .stop(timeout: nil)
        case ("stop", 2):
            guard let time = Int64(words[1]), time >= 0 else { return nil }
            self = .stop(timeout: time)
        case ("restart", 1): self = .restart
        case ("reload", 1): self = .reload
        case ("wait", 2) where words[1] == "ready": self = .waitReady
        case ("wait", 2) where words[1] == "healthy": self = .waitHealthy
        default: return nil
        }
    }

    var line: String {
        switch self {
        case .stop(nil): "stop\n"
        case .stop(let timeout?): "stop \(timeout)\n"
        case .restart: "restart\n"
        case .reload: "reload\n"
        case .waitReady: "wait ready\n"
        case .waitHealthy: "wait healthy\n"
        }
    }
}

/// What a supervisor answers.
package enum ControlAnswer: Sendable, Equatable {
    case done
    case refused(String)

    var line: [UInt8] {
        switch self {
        case .done: Array("ok\n".utf8)
        case .refused(let reason): Array("error \(printable(reason))\n".utf8)
        }
    }

    /// nil when it is no answer.
    package init?(_ line: String) {
        if line == "ok" {
            self = .done
        } else if let reason = line.rest(after: "error ") {
            self = .refused(reason)
        } else {
            return nil
        }
    }
}
