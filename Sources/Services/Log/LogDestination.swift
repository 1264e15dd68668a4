internal import Kernel
internal import KernelTypes
package import Planning

/// Where a service's output goes, and how much is kept of it.
package struct LogDestination: Sendable, Equatable {
    package enum Target: Sendable, Equatable {
        /// A file in the CRI log format, by its absolute path.
        case file(String)
        /// The journal, by its native protocol.
        case journal
    }

    package var target: Target
    /// Size and number of files, and whether full ones are compressed.
    package var settings: LogSettings
    /// Where the journal listens; tests have one of their own.
    package var journalSocket = "/run/systemd/journal/socket"
    /// How many bytes the kernel keeps on their way to the journal; nil for as many as it does by itself.
    package var journalRoom: Int32?

    package init(_ target: Target, _ settings: LogSettings = LogSettings()) {
        self.target = target
        self.settings = settings
    }

    /// The path of a service's log where no other was named: the system's place for root, a user's for others.
    package static func usualPath(of name: String) -> String {
        if Credentials.effectiveUser == 0 { return "/var/log/runbox/\(name).log" }
        var folder = Processes.environment("XDG_STATE_HOME") ?? ""
        // A relative one is to be ignored, says the XDG Base Directory Specification.
        if !folder.isAbsolutePath { folder = "\(Processes.environment("HOME") ?? "/")/.local/state" }
        return "\(folder)/runbox/\(name).log"
    }
}

/// What the journal's entries say of the container.
package struct LogFields: Sendable {
    package let name: String
    /// Absolute.
    package let bundle: String

    package init(name: String, bundle: String) {
        self.name = name
        self.bundle = bundle
    }
}

/// The streams of a program that are logged.
package enum LogStream: Int, Sendable, CaseIterable {
    case stdout, stderr

    package var name: String { self == .stdout ? "stdout" : "stderr" }

    package init?(_ name: String) {
        switch name {
        case "stdout": self = .stdout
        case "stderr": self = .stderr
        default: return nil
        }
    }
}
