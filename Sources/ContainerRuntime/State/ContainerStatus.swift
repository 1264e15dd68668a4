internal import Errors
internal import OCISpec

extension ContainerStatus {
    /// Whether a signal reaches the process.
    var allowsKill: Bool { self != .stopped }
    /// Whether `delete` removes it without `--force`. A created one is killed: its payload has not begun.
    var allowsDelete: Bool { self == .stopped || self == .created }
    /// Whether there is a process.
    var hasProcess: Bool { self != .stopped }
}

/// What needs a container in a certain status.
enum ContainerOperation {
    case start, pause, resume, update, statistics
    case exec(ignorePaused: Bool)
}

extension ContainerStatus {
    /// Refuses an operation that the status does not allow, with the text that engines look for.
    func check(_ operation: ContainerOperation, of id: String) throws(RuntimeError) {
        if let reason = refusal(of: operation, id) { throw .status(reason: reason) }
    }

    private func refusal(of operation: ContainerOperation, _ id: String) -> String? {
        let unfinished = "container not running: \(id) is still being created"
        return switch (operation, self) {
        case (.start, .created): nil
        case (.start, .running): "cannot start an already running container"
        case (.start, .paused): "cannot start a container in the paused state; runbox resume \(id) ends that"
        case (.start, .stopped): "cannot start a container that has stopped"
        case (.start, .creating): "cannot start a container that is still being created"
        case (.exec, .created), (.exec, .running), (.exec(ignorePaused: true), .paused): nil
        case (.exec, .paused): "cannot exec in a paused container (use --ignore-paused to override)"
        case (.exec, .stopped): "cannot exec in a stopped container"
        case (.exec, .creating): "cannot exec in a container that is still being created"
        case (.pause, .created), (.pause, .running): nil
        case (.pause, .paused): "container not running: \(id) is paused already"
        case (.pause, .stopped): "container not running: \(id) has ended"
        case (.resume, .paused): nil
        case (.resume, _): "container not paused: \(id) is \(rawValue)"
        case (.update, .created), (.update, .running), (.update, .paused): nil
        case (.update, .stopped): "container not running: \(id) has ended, and its limits with it"
        case (.pause, .creating), (.update, .creating): unfinished
        case (.statistics, .created), (.statistics, .running), (.statistics, .paused): nil
        case (.statistics, .creating): "container with id \(id) is not running: it is still being created"
        case (.statistics, .stopped): "container with id \(id) is not running"
        }
    }
}
