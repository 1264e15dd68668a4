internal import Kernel
internal import KernelTypes
internal import Planning

/// What the payload writes, on its way to where the settings want it.
struct PayloadOutput: ~Copyable {
    private let pipes: DescriptorTable
    private var relay: OutputRelay?
    private var log: ServiceLog?
    private var chunk = [UInt8](repeating: 0, count: Self.room)

    private static let room = 16 << 10
    private static let pipeRoom = 256 << 10

    init(_ launch: ServiceLaunch) throws(SystemError) {
        var pipes = DescriptorTable()
        for number in 1...2 {
            // Both ends: without a payload the pipe does not end.
            let pipe = try Files.open(launch.folder.streamPath(number), [.readWrite, .nonBlocking, .noFollow])
            // Where the kernel allows no more, the usual room has to do.
            try? Pipes.setRoom(Self.pipeRoom, of: pipe)
            pipes.append(pipe)
        }
        let log = try Self.openLog(launch)
        relay = launch.logTarget == nil ? OutputRelay() : nil
        self.pipes = pipes
        self.log = log
    }

    private static func openLog(_ launch: ServiceLaunch) throws(SystemError) -> ServiceLog? {
        guard let target = launch.logTarget else { return nil }
        return try ServiceLog(
            LogDestination(target, launch.settings.log),
            LogFields(name: launch.folder.name, bundle: launch.bundle), warn: launch.say)
    }

    var interests: [(number: Int32, events: PollEvents)] {
        var all: [(number: Int32, events: PollEvents)] = []
        for index in 0..<2 {
            let number = (try? pipes.with(index) { pipe throws(SystemError) in pipe.number }) ?? -1
            all.append((relay?.hasRoom(index) ?? true ? number : -1, .readable))
            all.append((relay?.hasOutput(index) ?? false ? Int32(index + 1) : -1, .writable))
        }
        return all
    }

    /// When something is to be done without an event, on the monotonic clock.
    var deadline: Int64 { min(relay?.deadline ?? .max, due) }

    private var due: Int64 {
        switch log {
        case .some(let log): log.due ?? .max
        case .none: .max
        }
    }

    /// - Parameter now: on the monotonic clock.
    mutating func handle(_ now: Int64) {
        for index in 0..<2 { _ = read(index, now) }
        if now >= due { log?.tick() }
    }

    /// What is there at last. It waits for nothing.
    mutating func drain(_ now: Int64) {
        for index in 0..<2 {
            // As much as a pipe holds.
            for _ in 0..<(Self.pipeRoom / Self.room + 1) where !read(index, now) { break }
        }
    }

    /// - Returns: whether there may be more.
    private mutating func read(_ index: Int, _ now: Int64) -> Bool {
        relay?.write(index, now)
        guard relay?.hasRoom(index) ?? true else { return true }
        var chunk = [UInt8]()
        swap(&chunk, &self.chunk)
        defer { swap(&chunk, &self.chunk) }
        let count =
            (try? pipes.with(index) { pipe throws(SystemError) in try Pipes.read(pipe, into: &chunk) ?? 0 }) ?? 0
        if count > 0 {
            relay?.take(chunk[..<count], index)
            log?.take(chunk[..<count], from: index == 0 ? .stdout : .stderr)
        }
        relay?.write(index, now)
        return count == chunk.count
    }

    /// A container has ended: a line that it has begun is one.
    mutating func endOfContainer(_ now: Int64) {
        drain(now)
        log?.endOfContainer()
    }

    /// Writes down what the supervisor has to say.
    mutating func note(_ text: String) { log?.note(text) }

    /// Whether a child that has ended was the log's.
    mutating func childEnded(_ pid: Int32, _ reason: ExitReason) { _ = log?.childEnded(pid, reason) }

    mutating func finish(_ now: Int64) {
        endOfContainer(now)
        log?.finish()
        passRest()
    }

    /// A reader that is slow gets all of it; one that takes nothing for long does not.
    private mutating func passRest() {
        while let relay, relay.hasOutput(0) || relay.hasOutput(1) {
            let writable = (0..<2).map {
                (number: relay.hasOutput($0) ? Int32($0 + 1) : -1, events: PollEvents.writable)
            }
            let ready = (try? Polling.wait(writable, timeout: Int32(OutputRelay.patience))) ?? []
            guard ready.contains(where: { !$0.isEmpty }) else { return }
            drain(MonotonicClock.milliseconds)
        }
    }
}
