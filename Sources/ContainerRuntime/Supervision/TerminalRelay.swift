internal import Kernel
internal import KernelTypes

/// Copies between the runtime's own terminal and the payload's.
struct TerminalRelay: ~Copyable {
    private let controller: Descriptor
    private let input: Descriptor
    private let output: Descriptor
    /// Of the runtime's terminal, to be restored; nil where its input is none.
    private let settings: TerminalSettings?
    /// Whether there is still a side to read from or write to. A side that fails is given up; the container runs on.
    private var isInputOpen = true
    private var isOutputOpen = true
    private var isControllerOpen = true
    /// Why the output could not be written; nil as long as it can.
    private(set) var outputFailure: Errno?
    /// Whether the last byte of the input ended a line, or there was none yet.
    private var isLineEnded = true
    /// What the payload has not taken yet.
    private var pendingInput: ArraySlice<UInt8> = []
    /// What the runtime's own output has not taken yet (it may be a pipe that does not wait).
    private var pendingOutput: ArraySlice<UInt8> = []

    private init(
        controller: consuming Descriptor, input: consuming Descriptor, output: consuming Descriptor,
        settings: TerminalSettings?
    ) {
        self.controller = controller
        self.input = input
        self.output = output
        self.settings = settings
    }

    /// Puts the input of the runtime's terminal into raw mode. What fails of that is done without: the payload runs
    /// already.
    /// - Returns: nil where there is nothing to relay.
    static func begin(_ controller: consuming Descriptor?) throws(SystemError) -> TerminalRelay? {
        guard let controller else { return nil }
        let input = try Descriptor.duplicate(of: 0)
        let output = try Descriptor.duplicate(of: 1)
        try? Files.setNonBlocking(controller)
        let settings = Terminals.isTerminal(0) ? try? Terminals.makeInputRaw(input) : nil
        return TerminalRelay(controller: controller, input: input, output: output, settings: settings)
    }

    /// Makes the payload's terminal what the payload must find from the beginning: in the size of the runtime's, and
    /// without newlines that become two characters. The runtime's output is what the payload writes then, also in a
    /// pipe or a file, and a terminal behind it does with newlines what it is set to do.
    static func prepare(_ controller: borrowing Descriptor) {
        // A terminal without a size, or with other newlines, is one all the same.
        try? copyWindowSize(to: controller)
        try? Terminals.keepNewlines(of: controller)
    }

    /// Gives the payload's terminal the size of the runtime's, if it has one.
    func copyWindowSize() throws(SystemError) { try Self.copyWindowSize(to: controller) }

    private static func copyWindowSize(to controller: borrowing Descriptor) throws(SystemError) {
        guard Terminals.isTerminal(0) else { return }
        let size = try Terminals.windowSize(of: Descriptor.duplicate(of: 0))
        if size.rows != 0 || size.columns != 0 { try Terminals.setWindowSize(size, of: controller) }
    }

    /// What to wait for. A side is read only when what it said before has been taken.
    var interests: [(number: Int32, events: PollEvents)] {
        var events: PollEvents = pendingOutput.isEmpty ? .readable : []
        if !pendingInput.isEmpty { events.insert(.writable) }
        return [
            (isControllerOpen && !events.isEmpty ? controller.number : -1, events),
            (isInputOpen && pendingInput.isEmpty ? input.number : -1, .readable),
            (pendingOutput.isEmpty ? -1 : output.number, .writable),
        ]
    }

    /// Moves what can be moved.
    mutating func handle(_ ready: ArraySlice<PollEvents>) {
        let ready = Array(ready)
        guard ready.count == 3 else { return }
        if !ready[1].isEmpty { readInput() }
        if !pendingInput.isEmpty { writeInput() }
        if !ready[0].isDisjoint(with: [.readable, .hungUp, .failed]), pendingOutput.isEmpty { readController() }
        if !pendingOutput.isEmpty { writeOutput() }
    }

    private mutating func readInput() {
        do throws(SystemError) {
            guard let bytes = try Terminals.readAvailable(input) else { return }
            isInputOpen = !bytes.isEmpty
            pendingInput = bytes.isEmpty ? endOfInput : bytes[...]
            if let last = bytes.last { isLineEnded = last == UInt8(ascii: "\n") }
        } catch {
            isInputOpen = false
        }
    }

    /// A terminal has no end that could be passed on, but a character that means it: what a person would type, as
    /// script(1) does. Behind an unfinished line it sends the line, and only once more it is the end.
    private var endOfInput: ArraySlice<UInt8> {
        guard let mark = try? Terminals.endMark(of: controller) else { return [] }  // the payload's side is closed
        return isLineEnded || !mark.isCooked ? [mark.character] : [mark.character, mark.character]
    }

    private mutating func writeInput() {
        do throws(SystemError) {
            pendingInput = pendingInput.dropFirst(try Terminals.writeAvailable(pendingInput, to: controller))
        } catch {
            pendingInput = []
        }
    }

    private mutating func readController() {
        do throws(SystemError) {
            guard let bytes = try Terminals.readAvailable(controller) else { return }
            isControllerOpen = !bytes.isEmpty
            if isOutputOpen { pendingOutput = bytes[...] }
        } catch {
            isControllerOpen = false
            outputFailure = error.code
        }
    }

    /// What a pipe takes at once where it takes anything (PIPE_BUF). The output is the caller's and may wait, and a
    /// process that waits in a write handles no signals.
    private static let portion = 4096

    private mutating func writeOutput() {
        do throws(SystemError) {
            while !pendingOutput.isEmpty, try !Polling.wait([(output.number, .writable)], timeout: 0)[0].isEmpty {
                let count = try Terminals.writeAvailable(pendingOutput.prefix(Self.portion), to: output)
                if count == 0 { return }
                pendingOutput = pendingOutput.dropFirst(count)
            }
        } catch {
            isOutputOpen = false
            pendingOutput = []
            // A reader that has left wants no more of it.
            if error.code != .brokenPipe { outputFailure = error.code }
        }
    }

    /// How long a terminal may be silent that another process still holds, once the payload has ended, and how long all
    /// of these pauses may be together; in milliseconds.
    private static let silence: Int64 = 300
    private static let timeout: Int64 = 1000
    /// The most that is taken from others then, in bytes. What the payload itself has left in the kernel is a quarter
    /// of this at most.
    private static let remainder = 64 << 10

    /// What the payload wrote before it ended.
    ///
    /// The kernel passes it on in its own time, so only the terminal's hang-up says that nothing will come any more.
    /// That follows at once where no process holds the terminal; a process that the payload has left behind may hold it
    /// for ever, and write.
    /// - Parameter signals: one that ends processes ends this, too: a reader of the output may let it wait for ever.
    mutating func drain(signals: borrowing Descriptor) {
        var (paused, taken): (Int64, Int) = (0, 0)
        while true {
            guard writeAll(signals) else { return }
            guard isControllerOpen, taken < Self.remainder else { return }
            readController()
            taken += pendingOutput.count
            guard isControllerOpen, pendingOutput.isEmpty else { continue }
            let began = MonotonicClock.milliseconds
            let ready = pause(
                for: (controller.number, .readable), atMost: min(Self.silence, Self.timeout - paused), signals)
            guard ready else { return }
            paused += MonotonicClock.milliseconds - began
        }
    }

    /// Waits until all that was read is written.
    /// - Returns: false where a signal ended that.
    private mutating func writeAll(_ signals: borrowing Descriptor) -> Bool {
        writeOutput()
        while !pendingOutput.isEmpty {
            guard pause(for: (output.number, .writable), atMost: nil, signals) else { return false }
            writeOutput()
        }
        return true
    }

    /// - Returns: whether the descriptor became ready; false after a time, or a signal that ends processes.
    private mutating func pause(
        for entry: (number: Int32, events: PollEvents), atMost limit: Int64?, _ signals: borrowing Descriptor
    ) -> Bool {
        let deadline = Deadline(milliseconds: limit)
        while true {
            let ready: [PollEvents]
            do throws(SystemError) {
                ready = try Polling.wait([entry, (signals.number, .readable)], timeout: deadline.pollTimeout)
            } catch {
                // What is still there cannot be waited for.
                outputFailure = error.code
                return false
            }
            if !ready[0].isEmpty { return true }
            while !ready[1].isEmpty, let signal = try? Signals.next(in: signals) {
                if signal.endsProcess { return false }
            }
            if deadline.hasPassed { return false }
        }
    }

    /// Restores the runtime's terminal.
    /// - Returns: why it could not be.
    func end() -> Errno? {
        guard let settings else { return nil }
        do throws(SystemError) {
            try Terminals.restore(settings, of: input)
            return nil
        } catch {
            return error.code
        }
    }
}
