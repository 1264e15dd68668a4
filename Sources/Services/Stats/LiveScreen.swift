package import Kernel
package import KernelTypes

/// A terminal that shows one picture after the other in the same place, and is afterwards as it was.
package struct LiveScreen: ~Copyable {
    /// Why showing has paused.
    package enum Event: Equatable {
        /// The time for the next picture has come.
        case due
        /// The picture is to be drawn anew: the window has another size, or is back.
        case redraw
        case quit
    }

    private let signals: Descriptor
    private let keys: Descriptor?
    private let settings: TerminalSettings?

    /// The other screen, without a cursor.
    private static let enter = "\u{1b}[?1049h\u{1b}[?25l"
    private static let leave = "\u{1b}[?25h\u{1b}[?1049l"

    /// Takes the terminal of the standard output, and keys where the standard input is one.
    package static func begin() throws(SystemError) -> LiveScreen {
        try Signals.blockAll()
        let signals = try Signals.descriptor()
        guard Terminals.isTerminal(0) else {
            try Files.write(enter, toNumber: 1)
            return LiveScreen(signals, nil, nil)
        }
        let keys = try Descriptor.duplicate(of: 0)
        let settings = try Terminals.takeKeys(keys)
        try Files.write(enter, toNumber: 1)
        return LiveScreen(signals, keys, settings)
    }

    private init(_ signals: consuming Descriptor, _ keys: consuming Descriptor?, _ settings: TerminalSettings?) {
        self.signals = signals
        self.keys = keys
        self.settings = settings
    }

    /// Rows and columns.
    package var size: WindowSize {
        guard let output = try? Descriptor.duplicate(of: 1), let size = try? Terminals.windowSize(of: output),
            size.rows > 0, size.columns > 0
        else { return WindowSize(rows: 24, columns: 80) }
        return size
    }

    /// Shows lines from the upper left corner on. Each replaces what stood there, so that nothing flickers, and the
    /// terminal shows all of them at once where it can (mode 2026).
    package func show(_ lines: [String]) throws(SystemError) {
        let rows = Int(size.rows)
        var text = "\u{1b}[?2026h\u{1b}[H"
        for (index, line) in lines.prefix(rows).enumerated() {
            text += (index == 0 ? "" : "\r\n") + line + "\u{1b}[0m\u{1b}[K"
        }
        text += "\u{1b}[J\u{1b}[?2026l"
        try Files.write(text, toNumber: 1)
    }

    /// Waits for the next picture's time.
    package func wait(_ deadline: Deadline) throws(SystemError) -> Event {
        while true {
            if deadline.hasPassed { return .due }
            let ready = try Polling.wait(
                [(signals.number, .readable), (keyNumber, .readable), (1, [])], timeout: deadline.pollTimeout)
            if !ready[2].isEmpty { return .quit }
            if !ready[1].isEmpty, isQuit() { return .quit }
            while let signal = try Signals.next(in: signals) {
                if let event = try handle(signal) { return event }
            }
        }
    }

    private var keyNumber: Int32 {
        switch keys {
        case .some(let keys): keys.number
        case .none: -1
        }
    }

    private func handle(_ signal: Signal) throws(SystemError) -> Event? {
        switch signal {
        case .windowChanged: return .redraw
        case .terminalStop:
            try end()
            try Processes.kill(Processes.currentID, .stop)
            try beginAgain()
            return .redraw
        default: return signal.endsProcess ? .quit : nil
        }
    }

    private func beginAgain() throws(SystemError) {
        switch keys {
        case .some(let keys): _ = try Terminals.takeKeys(keys)
        case .none: break
        }
        try Files.write(Self.enter, toNumber: 1)
    }

    /// Whether somebody has pressed q, or what ends a program that gets its keys unchanged.
    private func isQuit() -> Bool {
        switch keys {
        case .some(let keys):
            // No more keys come from a terminal that is gone.
            guard let typed = try? Terminals.readAvailable(keys, limit: 256) else { return true }
            return typed.isEmpty || typed.contains { [UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4].contains($0) }
        case .none: return false
        }
    }

    /// Gives the terminal back.
    package func end() throws(SystemError) {
        switch keys {
        case .some(let keys): if let settings { try Terminals.restore(settings, of: keys) }
        case .none: break
        }
        try Files.write(Self.leave, toNumber: 1)
    }
}
