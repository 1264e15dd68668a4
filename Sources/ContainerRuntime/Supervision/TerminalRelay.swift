internal import Kernel

/// Copies between the runtime's own terminal and the payload's.
struct TerminalRelay: ~Copyable {
    private let controller: Descriptor
    private let input: Descriptor
    private let output: Descriptor
    /// Of the runtime's terminal, to be restored; nil where its input is none.
    private let settings: TerminalSettings?
    private var isInputOpen = true
    private var isControllerOpen = true
    /// What the payload has not taken yet.
    private var pending: ArraySlice<UInt8> = []

    private init(
        controller: consuming Descriptor, input: consuming Descriptor, output: consuming Descriptor,
        settings: TerminalSettings?
    ) {
        self.controller = controller
        self.input = input
        self.output = output
        self.settings = settings
    }

    /// Puts the runtime's terminal into raw mode and gives the payload's its size.
    static func begin(_ controller: consuming Descriptor) throws(SystemError) -> TerminalRelay {
        try Files.setNonBlocking(controller)
        let input = try Descriptor.duplicate(of: 0)
        let output = try Descriptor.duplicate(of: 1)
        let settings = Terminals.isTerminal(0) ? try Terminals.makeRaw(input) : nil
        let relay = TerminalRelay(controller: controller, input: input, output: output, settings: settings)
        try relay.copyWindowSize()
        return relay
    }

    /// Gives the payload's terminal the size of the runtime's, if it has one.
    func copyWindowSize() throws(SystemError) {
        guard Terminals.isTerminal(0) else { return }
        let size = try Terminals.windowSize(of: input)
        if size.rows != 0 || size.columns != 0 { try Terminals.setWindowSize(size, of: controller) }
    }

    /// What to wait for: the payload's output always, input only while the last of it is taken.
    var interests: [(number: Int32, events: PollEvents)] {
        var events: PollEvents = .readable
        if !pending.isEmpty { events.insert(.writable) }
        return [
            (isControllerOpen ? controller.number : -1, events),
            (isInputOpen && pending.isEmpty ? input.number : -1, .readable),
        ]
    }

    mutating func handle(_ ready: ArraySlice<PollEvents>) throws(SystemError) {
        guard let fromController = ready.first, let fromInput = ready.last else { return }
        if !fromController.isEmpty { try copyOutput() }
        if !fromInput.isEmpty {
            guard let bytes = try Terminals.readAvailable(input) else { return }
            isInputOpen = !bytes.isEmpty
            pending = bytes[...]
        }
        if !pending.isEmpty, isControllerOpen {
            pending = pending.dropFirst(try Terminals.writeAvailable(pending, to: controller))
        }
    }

    private mutating func copyOutput() throws(SystemError) {
        guard let bytes = try Terminals.readAvailable(controller) else { return }
        if bytes.isEmpty { isControllerOpen = false }
        try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in try Files.write(buffer, to: output) }
    }

    /// What the payload wrote before it ended.
    mutating func drain() throws(SystemError) {
        while isControllerOpen {
            guard let bytes = try Terminals.readAvailable(controller) else { return }
            if bytes.isEmpty { return }
            try bytes.withUnsafeBytesThrowing { buffer throws(SystemError) in try Files.write(buffer, to: output) }
        }
    }

    /// Restores the runtime's terminal.
    func end() {
        // A terminal that hung up cannot be restored, and need not be.
        if let settings { try? Terminals.restore(settings, of: input) }
    }
}
