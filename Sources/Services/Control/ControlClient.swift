internal import ContainerRuntime
package import Errors
internal import Kernel
internal import KernelTypes

/// Asks a supervisor for something.
package enum ControlClient {
    /// - Parameter timeout: milliseconds; nil waits for ever.
    /// - Throws: ``RuntimeError/timedOut(reason:)``; ``RuntimeError/status(reason:)`` with what the supervisor refuses.
    package static func ask(
        _ folder: ServiceFolder, _ request: ControlRequest, timeout: Int64? = nil
    ) throws(RuntimeError) {
        let name = folder.name
        guard folder.isSupervised else {
            throw .status(reason: "service \(name) is not running: it has no supervisor; runbox run starts one")
        }
        let deadline = Deadline(milliseconds: timeout)
        let supervisor = folder.read()?.supervisor
        let answer = try operation("ask the supervisor of \(name)") { () throws(SystemError) in
            try exchange(folder, request, deadline)
        }
        switch answer {
        case .done?:
            if case .stop = request, let supervisor { waitForEnd(of: supervisor) }
        case .refused(let reason)?: throw .status(reason: reason)
        case nil:
            guard deadline.hasPassed else {
                throw .failed(reason: "the supervisor of \(name) has ended without an answer")
            }
            throw .timedOut(reason: "service \(name): \(request.expectation) within \(timeout ?? 0) ms")
        }
    }

    /// It has answered, and only leaves: whoever asked for its end finds it gone.
    private static func waitForEnd(of supervisor: SupervisedProcess) {
        guard let process = try? Processes.open(supervisor.pid),
            (try? Processes.startTime(supervisor.pid)) == supervisor.startTime
        else { return }
        _ = try? Polling.wait([(process.number, .readable)], timeout: 1000)
    }

    /// - Returns: nil where there was none in time, or the supervisor has gone.
    private static func exchange(
        _ folder: ServiceFolder, _ request: ControlRequest, _ deadline: Deadline
    ) throws(SystemError) -> ControlAnswer? {
        // By a descriptor of its folder where the path is too long for an address.
        let connection = try Sockets.connect(folder.controlPath, .stream, timeout: 10)
        try Sockets.sendAll(Array(request.line.utf8), on: connection)
        try Files.setNonBlocking(connection)
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let ready = try Polling.wait([(connection.number, .readable)], timeout: deadline.pollTimeout)
            if ready[0].isEmpty {
                if deadline.hasPassed { return nil }
                continue
            }
            guard let count = try Pipes.read(connection, into: &buffer) else { continue }
            text += buffer.prefix(count)
            if let end = text.firstIndex(of: UInt8(ascii: "\n")) {
                return ControlAnswer(String(decoding: text[..<end], as: UTF8.self))
            }
            if count == 0 { return nil }
        }
    }
}

extension ControlRequest {
    /// What has not happened after a time-out.
    fileprivate var expectation: String {
        switch self {
        case .stop: "it has not stopped"
        case .restart: "it has not been restarted"
        case .reload: "it has not been told"
        case .waitReady: "it has not become ready"
        case .waitHealthy: "it has not become healthy"
        }
    }
}
