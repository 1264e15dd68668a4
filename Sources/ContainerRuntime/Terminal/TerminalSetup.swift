internal import Kernel
internal import KernelTypes
internal import Planning

/// Gives the payload its terminal, inside the container.
enum TerminalSetup {
    /// Makes a pseudoterminal in the container's devpts, shows it as /dev/console and makes it the standard streams;
    /// ``takeControl()`` is to follow.
    /// - Returns: the controlling side, for the runtime or the engine.
    /// - Parameter console: whether a mount at /dev/console stays the container's own.
    static func setUp(_ plan: TerminalPlan, owner: UInt32, console: Bool) throws(SystemError) -> Descriptor {
        let root = RootDirectory(try Files.open("/", [.path, .directory]))
        let pair = try Pseudoterminal(controller: try openMultiplexer(in: root))
        if let size = plan.size { try Terminals.setWindowSize(size, of: pair.controller) }
        try Files.changeOwner(of: pair.terminal, owner: owner, group: Files.status(of: pair.terminal).group)
        if console { try showAsConsole(pair.terminal, in: root) }
        for number in 0...2 as ClosedRange<Int32> { try pair.terminal.copy(to: number) }
        return pair.intoController()
    }

    /// Makes the terminal that is the standard input the one of this process's session, which it leads.
    static func takeControl() throws(SystemError) { try Terminals.takeControl(of: Descriptor.duplicate(of: 0)) }

    private static func openMultiplexer(in root: borrowing RootDirectory) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            let multiplexer = try root.open("/dev/pts/ptmx", [.readWrite, .noControllingTerminal])
            let status = try Files.status(of: multiplexer)
            guard status.kind == .characterDevice, status.deviceMajor == 5, status.deviceMinor == 2 else {
                throw .refused("/dev/pts/ptmx in the container is not the terminal multiplexer")
            }
            return multiplexer
        } catch  where error.code == .noEntry {
            throw .refused("a terminal needs a devpts mount at /dev/pts; add one to mounts")
        }
    }

    private static func showAsConsole(
        _ terminal: borrowing Descriptor, in root: borrowing RootDirectory
    ) throws(SystemError) {
        let place = try root.openMountPoint("/dev/console", file: true, follow: false)
        guard try Files.status(of: place).kind != .symbolicLink else {
            throw .refused("/dev/console in the root file system must not be a link")
        }
        try Mounting.attach(
            Mounting.cloneTree(of: terminal, recursive: false), on: place, subject: "/dev/console")
    }
}
