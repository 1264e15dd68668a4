internal import CLinux
package import KernelTypes

/// Files that a person or an engine has named for the runtime to write, such as `--pid-file`. What is there already,
/// and is more than a file, stays what it is.
extension Files {
    /// Puts a text where a path leads: a new file, or one instead of the regular file that is there, whole or not at
    /// all. Devices, FIFOs and sockets are written to. Symbolic links stay, and what they lead to is written.
    /// - Parameter timeout: milliseconds to wait for a reader of a FIFO, and for one that reads too slowly.
    package static func deliver(
        _ text: String, to path: String, mode: UInt32, timeout: Int64 = 10_000
    ) throws(SystemError) {
        let deadline = Deadline(milliseconds: timeout)
        switch try place(path) {
        case .file: try replace(path, with: text, mode: mode)
        case .standing:
            try write(text, to: openStanding(path, [.noFollow], mode: 0, deadline), subject: path, deadline)
        case .link:
            // The kernel follows it, and refuses one that another user has put into a folder such as /tmp;
            // proc_sys_fs(5), protected_symlinks.
            let file = try openStanding(path, .create, mode: mode, deadline)
            if try status(of: file).kind == .regular { try truncate(file, subject: path) }
            try write(text, to: file, subject: path, deadline)
        case .openFile:
            try write(text, to: openStanding(path, .append, mode: 0, deadline), subject: path, deadline)
        case .descriptor(let number):
            guard InheritedDescriptors.isOpen(number) else { throw SystemError("write", path, .badDescriptor) }
            try write(text, to: Descriptor.duplicate(of: number), subject: path, deadline)
        }
    }

    /// Opens a file that messages are appended to. A FIFO without a reader is an error, because opening it would wait
    /// for ever.
    package static func openForAppending(_ path: String, mode: UInt32) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            let file = try open(path, [.writeOnly, .create, .append, .nonBlocking, .noControllingTerminal], mode: mode)
            try setBlocking(file)
            return file
        } catch  where error.code == .noDeviceOrAddress && (try? status(path))?.kind == .fifo {
            throw .refused("open \(path): no process has opened this FIFO for reading")
        }
    }

    /// Lets reads and writes wait again.
    private static func setBlocking(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = descriptor.raw
        let flags = try check("fcntl(F_GETFL)") { clinux_fcntl(raw, F_GETFL, 0) }
        _ = try check("fcntl(F_SETFL)") { clinux_fcntl(raw, F_SETFL, Int(flags & ~O_NONBLOCK)) }
    }

    /// What is at a path.
    private enum Place {
        /// A regular file, or nothing yet.
        case file
        /// What is no file that could be replaced: a device, a FIFO, a socket, a directory.
        case standing
        /// A link to a name.
        case link
        /// A link to what some process has open, and may have written to.
        case openFile
        /// A link to one of this process's own descriptors, as /dev/stdout is: opened anew, it would have a position of
        /// its own.
        case descriptor(Int32)
    }

    private static func place(_ path: String) throws(SystemError) -> Place {
        do throws(SystemError) {
            switch try status(path, follow: false).kind {
            case .regular: return .file
            case .symbolicLink: return try place(ofLink: path)
            case .blockDevice: throw .refused("write \(path): it is a block device, and what is on it would be lost")
            default: return .standing
            }
        } catch  where error.code == .noEntry {
            return .file
        }
    }

    /// The links of procfs lead to open files and not to names, whatever they say.
    private static func place(ofLink path: String) throws(SystemError) -> Place {
        var place = path
        for _ in 0..<40 {
            let (folder, name) = place.splitAtLastSlash ?? (folder: ".", name: place)
            let directory = folder.isEmpty ? "/" : folder
            if try fileSystem(directory).isProc {
                // The kernel's judgement of the links on the way, as of others.
                _ = try open(path, .path)
                guard try resolved(directory) == "/proc/\(getpid())/fd", let number = Int32(name) else {
                    return .openFile
                }
                return .descriptor(number)
            }
            let target = try readLink(place)
            place = target.isAbsolutePath ? target : "\(directory)/\(target)"
            guard let kind = try? status(place, follow: false).kind else { return .link }  // it leads nowhere yet
            if kind == .blockDevice {
                throw .refused("write \(path): it leads to a block device, and what is on it would be lost")
            }
            if kind != .symbolicLink { return .link }
        }
        throw SystemError("open", path, .symbolicLinkLoop)
    }

    /// A path without links. realpath(3)
    private static func resolved(_ path: String) throws(SystemError) -> String {
        guard let text = realpath(path, nil) else { throw SystemError("open", path, .current) }
        defer { free(text) }
        return String(cString: text)
    }

    /// Opens without waiting for more than a FIFO's reader, which may be about to come.
    private static func openStanding(
        _ path: String, _ flags: OpenFlags, mode: UInt32, _ deadline: Deadline
    ) throws(SystemError) -> Descriptor {
        while true {
            do throws(SystemError) {
                return try open(
                    path, flags.union([.writeOnly, .nonBlocking, .noControllingTerminal]), mode: mode)
            } catch  where error.code == .noDeviceOrAddress {
                guard (try? status(path))?.kind == .fifo else { throw error }
                if deadline.hasPassed { throw .refused("write \(path): no process has opened this FIFO for reading") }
                MonotonicClock.sleep(milliseconds: 10)
            }
        }
    }

    private static func truncate(_ file: borrowing Descriptor, subject: String) throws(SystemError) {
        let raw = file.raw
        _ = try check("truncate", subject) { ftruncate(raw, 0) }
    }

    private static func write(
        _ text: String, to file: borrowing Descriptor, subject: String, _ deadline: Deadline
    ) throws(SystemError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard try !Polling.wait([(file.number, .writable)], timeout: deadline.pollTimeout)[0].isEmpty else {
                throw SystemError("write", subject, .timedOut)
            }
            do throws(SystemError) {
                rest = rest.dropFirst(try Terminals.writeAvailable(rest, to: file))
            } catch {
                throw SystemError("write", subject, error.code)
            }
        }
    }
}
