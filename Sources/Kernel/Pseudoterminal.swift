internal import CLinux
package import KernelTypes

/// The settings of a terminal, kept to be restored.
package struct TerminalSettings: Sendable {
    let value: termios
}

/// A pseudoterminal pair; pty(7).
package struct Pseudoterminal: ~Copyable {
    /// The side that the runtime or the engine reads and writes.
    package let controller: Descriptor
    /// The side that is the payload's terminal.
    package let terminal: Descriptor

    // Macros that Swift does not import: TIOCSPTLCK _IOW('T', 0x31, int), TIOCGPTN _IOR('T', 0x30, unsigned int),
    // TIOCGPTPEER _IO('T', 0x41).
    private static let unlockRequest: UInt = 0x4004_5431
    private static let numberRequest: UInt = 0x8004_5430
    private static let peerRequest: UInt = 0x5441

    /// Makes a pair in the devpts instance whose `ptmx` is given.
    ///
    /// The terminal is opened through the controller (TIOCGPTPEER, Linux 4.13) and not by its name, which the container
    /// could have replaced (CVE-2025-52565).
    package init(controller: consuming Descriptor) throws(SystemError) {
        let raw = controller.raw
        var unlocked: Int32 = 0
        _ = try check("ioctl(TIOCSPTLCK)") { clinux_ioctl(raw, Self.unlockRequest, &unlocked) }
        let peer = try check("ioctl(TIOCGPTPEER)") {
            clinux_ioctl_value(raw, Self.peerRequest, UInt(O_RDWR | O_NOCTTY | O_CLOEXEC))
        }
        self.controller = controller
        terminal = Descriptor(raw: peer)
    }

    /// Gives up the terminal's side and keeps the controlling one.
    package consuming func intoController() -> Descriptor { controller }

    /// The number N of the terminal's name /dev/pts/N.
    func number() throws(SystemError) -> UInt32 {
        let raw = controller.raw
        var number: UInt32 = 0
        _ = try check("ioctl(TIOCGPTN)") { clinux_ioctl(raw, Self.numberRequest, &number) }
        return number
    }
}

package enum Terminals {
    package static func isTerminal(_ number: Int32) -> Bool { isatty(number) == 1 }

    package static func windowSize(of descriptor: borrowing Descriptor) throws(SystemError) -> WindowSize {
        let raw = descriptor.raw
        var size = winsize()
        _ = try check("ioctl(TIOCGWINSZ)") { clinux_ioctl(raw, UInt(TIOCGWINSZ), &size) }
        return WindowSize(rows: size.ws_row, columns: size.ws_col)
    }

    package static func setWindowSize(_ size: WindowSize, of descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        var value = winsize(ws_row: size.rows, ws_col: size.columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = try check("ioctl(TIOCSWINSZ)") { clinux_ioctl(raw, UInt(TIOCSWINSZ), &value) }
    }

    /// Makes the terminal the controlling one of this session.
    package static func takeControl(of descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        _ = try check("ioctl(TIOCSCTTY)") { clinux_ioctl_value(raw, UInt(TIOCSCTTY), 0) }
    }

    /// Turns off all processing of input, and returns the settings before. Output is processed as before.
    package static func makeInputRaw(_ descriptor: borrowing Descriptor) throws(SystemError) -> TerminalSettings {
        let raw = descriptor.raw
        var settings = termios()
        _ = try check("tcgetattr") { tcgetattr(raw, &settings) }
        let before = TerminalSettings(value: settings)
        let output = settings.c_oflag
        cfmakeraw(&settings)
        settings.c_oflag = output
        _ = try check("tcsetattr") { tcsetattr(raw, TCSANOW, &settings) }
        return before
    }

    /// Lets keys be read as they are pressed, without their being shown, and returns the settings before. The keys for
    /// signals and the processing of output stay.
    package static func takeKeys(_ descriptor: borrowing Descriptor) throws(SystemError) -> TerminalSettings {
        let raw = descriptor.raw
        var settings = termios()
        _ = try check("tcgetattr") { tcgetattr(raw, &settings) }
        let before = TerminalSettings(value: settings)
        settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
        _ = try check("tcsetattr") { tcsetattr(raw, TCSANOW, &settings) }
        return before
    }

    /// Lets a newline leave the terminal as one (ONLCR); termios(3).
    package static func keepNewlines(of descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        var settings = termios()
        _ = try check("tcgetattr") { tcgetattr(raw, &settings) }
        settings.c_oflag &= ~tcflag_t(ONLCR)
        _ = try check("tcsetattr") { tcsetattr(raw, TCSANOW, &settings) }
    }

    package static func restore(_ settings: TerminalSettings, of descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        var value = settings.value
        _ = try check("tcsetattr") { tcsetattr(raw, TCSANOW, &value) }
    }

    /// The character that means the end of the input on a terminal, and whether the terminal looks for it at all
    /// (ICANON); termios(3), VEOF.
    package static func endMark(
        of descriptor: borrowing Descriptor
    ) throws(SystemError) -> (character: UInt8, isCooked: Bool) {
        let raw = descriptor.raw
        var settings = termios()
        _ = try check("tcgetattr") { tcgetattr(raw, &settings) }
        let character = withUnsafeBytes(of: settings.c_cc) { $0[Int(VEOF)] }
        return (character, settings.c_lflag & tcflag_t(ICANON) != 0)
    }

    /// Reads what is there, at most `limit` bytes; nil where nothing is yet, empty at the end (a terminal whose last
    /// user is gone says EIO).
    package static func readAvailable(_ descriptor: borrowing Descriptor, limit: Int = 16384) throws(SystemError)
        -> [UInt8]?
    {
        let raw = descriptor.raw
        var bytes = [UInt8](repeating: 0, count: limit)
        do throws(SystemError) {
            let count = try check("read") { read(raw, &bytes, limit) }
            bytes.removeSubrange(count...)
            return bytes
        } catch {
            if error.code == .tryAgain { return nil }
            if error.code == .inputOutput { return [] }
            throw error
        }
    }

    /// Writes what fits now and returns how much that was.
    package static func writeAvailable(
        _ bytes: ArraySlice<UInt8>, to descriptor: borrowing Descriptor
    ) throws(SystemError) -> Int {
        let raw = descriptor.raw
        do throws(SystemError) {
            return try check("write") { bytes.withUnsafeBytes { write(raw, $0.baseAddress, $0.count) } }
        } catch {
            if error.code == .tryAgain { return 0 }
            throw error
        }
    }
}
