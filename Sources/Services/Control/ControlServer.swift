internal import Kernel
internal import KernelTypes

/// The control socket of a supervisor and those who have asked it for something.
struct ControlServer: ~Copyable {
    private let socket: Descriptor
    /// Connections by their place; a place is empty when its connection has been answered.
    private var connections = DescriptorTable()
    private var waiting: [Waiting] = []

    private struct Waiting {
        var text: [UInt8] = []
        /// nil until its line is whole.
        var request: ControlRequest?
        var isOpen = true
    }

    /// Nobody needs more, and descriptors are not without end.
    private static let most = 64
    private static let longest = 128

    init(_ folder: ServiceFolder) throws(SystemError) {
        socket = try Sockets.listen(ServiceFolder.controlName, in: folder.path, .stream, most: 16, replaces: true)
    }

    /// A new process must not keep callers waiting for one that answers nothing.
    func closeInChild() { socket.closeInChild() }

    /// What to wait for: the socket, then the connections.
    var interests: [(number: Int32, events: PollEvents)] {
        var all: [(number: Int32, events: PollEvents)] = [(socket.number, .readable)]
        for index in waiting.indices {
            // Of one that waits for its answer, only that it hangs up is of interest.
            let events: PollEvents = waiting[index].request == nil ? .readable : []
            all.append((number(index), events))
        }
        return all
    }

    private func number(_ index: Int) -> Int32 {
        (try? connections.with(index) { descriptor throws(SystemError) in descriptor.number }) ?? -1
    }

    /// Takes in what has come.
    /// - Parameter ready: for ``interests``.
    /// - Returns: new requests, with the places that their answers belong to.
    mutating func handle(_ ready: ArraySlice<PollEvents>) -> [(place: Int, request: ControlRequest)] {
        var requests: [(place: Int, request: ControlRequest)] = []
        for (index, events) in ready.dropFirst().enumerated() where !events.isEmpty && index < waiting.count {
            if waiting[index].request != nil {
                close(index)
            } else if let request = read(index) {
                requests.append((index, request))
            }
        }
        if ready.first?.isEmpty == false { accept() }
        tidy()
        return requests
    }

    private mutating func accept() {
        // EAGAIN where the caller has left already; without descriptors there is nothing to do but to go on.
        while waiting.count < Self.most, let connection = try? Sockets.accept(on: socket) {
            guard (try? Files.setNonBlocking(connection)) != nil else { continue }
            connections.append(connection)
            waiting.append(Waiting())
        }
    }

    private mutating func read(_ index: Int) -> ControlRequest? {
        var buffer = [UInt8](repeating: 0, count: Self.longest)
        let read: Int?
        do throws(SystemError) {
            read = try connections.with(index) { connection throws(SystemError) in
                try Pipes.read(connection, into: &buffer)
            }
        } catch {
            close(index)
            return nil
        }
        guard let count = read else { return nil }
        waiting[index].text += buffer.prefix(count)
        guard let end = waiting[index].text.firstIndex(of: UInt8(ascii: "\n")) else {
            if count == 0 || waiting[index].text.count > Self.longest { close(index) }
            return nil
        }
        let line = String(decoding: waiting[index].text[..<end], as: UTF8.self)
        guard let request = ControlRequest(line) else {
            answer(index, .refused("\"\(line)\" is no request"))
            return nil
        }
        waiting[index].request = request
        return request
    }

    mutating func answer(_ place: Int, _ answer: ControlAnswer) {
        guard waiting.indices.contains(place), waiting[place].isOpen else { return }
        _ = try? connections.with(place) { connection throws(SystemError) in
            Sockets.sendAvailable(answer.line, on: connection)
        }
        close(place)
    }

    /// Answers all who have asked for something like that.
    mutating func answer(_ answer: ControlAnswer, where isMeant: (ControlRequest) -> Bool) {
        for index in waiting.indices {
            guard let request = waiting[index].request, waiting[index].isOpen, isMeant(request) else { continue }
            self.answer(index, answer)
        }
        tidy()
    }

    private mutating func close(_ index: Int) {
        waiting[index].isOpen = false
        _ = connections.take(index)
    }

    /// Takes empty places away from the end: those in front keep theirs as long as somebody waits behind them.
    private mutating func tidy() {
        guard waiting.allSatisfy({ !$0.isOpen }) else { return }
        waiting = []
        connections = DescriptorTable()
    }
}
