internal import Kernel
package import KernelTypes
internal import Planning

/// The payload's standard streams where it has no terminal: those of the runtime.
package enum StandardStreams {
    /// Opens a closed stream on /dev/null, so that no file of the runtime's own takes its number.
    package static func ensureOpen() throws(SystemError) {
        for number in 0...2 as ClosedRange<Int32> where !InheritedDescriptors.isOpen(number) {
            try Files.open("/dev/null", .readWrite).copy(to: number)
        }
    }

    /// Puts /dev/null in the place of a standard input that is a terminal, for a payload that this process does not
    /// stay with: whoever types goes on to do so for the caller's shell, and with two readers each gets half of it.
    package static func leaveKeyboard() throws(SystemError) {
        guard Terminals.isTerminal(0) else { return }
        try Files.open("/dev/null", .readOnly).copy(to: 0)
    }

    /// Puts descriptors of the caller in the place of this process's streams. Each is copied before the first is
    /// replaced, because the caller may name one of 0 to 2 for another of them.
    static func replace(by options: StandardStreamOptions) throws(SystemError) {
        var copies = DescriptorTable()
        for number in options.all {
            if let number { copies.append(try Descriptor.duplicate(of: number)) } else { copies.appendNothing() }
        }
        for target in 0..<copies.count where copies.has(target) {
            try copies.with(target) { copy throws(SystemError) in try copy.copy(to: Int32(target)) }
        }
    }

    /// Streams that are the host's null device become the container's; pipes, sockets and log files belong to the
    /// payload's user, who may want to open /dev/stdout. A device is the host's, and a terminal is another user's.
    static func handOver(to user: UInt32, group: UInt32) throws(SystemError) {
        for number in 0...2 as ClosedRange<Int32> {
            let status = try Files.status(ofNumber: number)
            if status.kind == .characterDevice, status.deviceMajor == 1, status.deviceMinor == 3 {
                try reopenNull(number)
            } else if status.owner != user || status.group != group, try isGiven(number, status.kind, to: user) {
                // Best effort, as in runc and crun: pipes of another user namespace or files on a read-only mount stay
                // as they are.
                try? Files.changeOwner(ofNumber: number, owner: user, group: group)
            }
        }
    }

    /// The owner of a file may open it for writing: one that the caller lets the container only read stays the
    /// caller's.
    private static func isGiven(_ number: Int32, _ kind: FileKind, to user: UInt32) throws(SystemError) -> Bool {
        switch kind {
        case .fifo, .socket: true
        // The host's root can open it as it is, and the file may be a person's.
        case .regular where user == 0 && !Credentials.isInUserNamespace: false
        case .regular: try Files.isWritable(number: number)
        case .directory, .symbolicLink, .characterDevice, .blockDevice, .unknown: false
        }
    }

    private static func reopenNull(_ number: Int32) throws(SystemError) {
        let null: Descriptor
        do throws(SystemError) {
            null = try Files.open("/dev/null", .readWrite)
        } catch {
            return  // a container without a null device keeps the host's
        }
        let status = try Files.status(of: null)
        guard status.kind == .characterDevice, status.deviceMajor == 1, status.deviceMinor == 3 else { return }
        try null.copy(to: number)
    }
}
