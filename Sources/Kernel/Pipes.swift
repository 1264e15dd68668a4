internal import CLinux
package import KernelTypes

/// Pipes; pipe(7).
package enum Pipes {
    /// Two connected ends; reading does not wait.
    /// - Parameter make: makes something of the reading and the writing end.
    package static func pair<Result: ~Copyable>(
        _ make: (consuming Descriptor, consuming Descriptor) -> Result
    ) throws(SystemError) -> Result {
        var ends: [Int32] = [-1, -1]
        _ = try check("pipe") { pipe2(&ends, O_CLOEXEC) }
        let reading = Descriptor(raw: ends[0])
        let writing = Descriptor(raw: ends[1])
        try Files.setNonBlocking(reading)
        return make(reading, writing)
    }

    /// Gives a pipe room for so many bytes. The kernel refuses more than /proc/sys/fs/pipe-max-size to ordinary users.
    /// fcntl(2), F_SETPIPE_SZ.
    package static func setRoom(_ bytes: Int, of pipe: borrowing Descriptor) throws(SystemError) {
        let raw = pipe.raw
        _ = try check("fcntl(F_SETPIPE_SZ)") { clinux_fcntl(raw, 1031, bytes) }
    }

    /// Reads what is there into a buffer, without waiting where the descriptor does not.
    /// - Returns: how many bytes; nil where there are none yet, 0 at the end.
    package static func read(
        _ descriptor: borrowing Descriptor, into buffer: inout [UInt8]
    ) throws(SystemError) -> Int? {
        let raw = descriptor.raw
        let room = buffer.count
        do throws(SystemError) {
            return try check("read") { CLinux.read(raw, &buffer, room) }
        } catch {
            if error.code == .tryAgain { return nil }
            throw error
        }
    }

    /// Writes to a standard stream what a pipe or a terminal takes without waiting: at most what a pipe that is ready
    /// takes at once; pipe(7), PIPE_BUF.
    /// - Returns: how many bytes it took.
    package static func writeReady(_ bytes: ArraySlice<UInt8>, toNumber number: Int32) throws(SystemError) -> Int {
        let portion = bytes.prefix(4096)
        guard try !Polling.wait([(number, .writable)], timeout: 0)[0].isEmpty else { return 0 }
        do throws(SystemError) {
            return try check("write") { portion.withUnsafeBytes { write(number, $0.baseAddress, $0.count) } }
        } catch {
            if error.code == .tryAgain { return 0 }
            throw error
        }
    }
}

/// Stream sockets that a process answers requests at; unix(7).
extension Sockets {
    /// Listens at a new name in a folder, for this user only; an older socket makes room. Accepting does not wait.
    package static func listenForStreams(_ name: String, in folder: String) throws(SystemError) -> Descriptor {
        let end = try make(.stream)
        let raw = end.raw
        // The mode that the file will have, unix(7).
        try Files.changeMode(of: end, mode: 0o600)
        try Files.setNonBlocking(end)
        let directory = try Files.open(folder, [.path, .directory])
        do throws(SystemError) {
            try Files.remove(name, at: directory)
        } catch {
            if error.code != .noEntry { throw error }
        }
        var (address, length) = unixAddress("\(directory.path)/\(name)")
        _ = try check("bind", "\(folder)/\(name)") { lend(&address) { system(Int(SYS_bind), Int(raw), $0, length) } }
        _ = try check("listen", "\(folder)/\(name)") { CLinux.listen(raw, 16) }
        return end
    }

    /// Sends what a peer takes at once, and nothing to one that has gone. send(2), MSG_DONTWAIT, MSG_NOSIGNAL.
    /// - Returns: false where the peer has no room now.
    @discardableResult
    package static func sendAvailable(_ bytes: [UInt8], on socket: borrowing Descriptor) -> Bool {
        let raw = socket.raw
        do throws(SystemError) {
            _ = try check("send") {
                bytes.withUnsafeBytes {
                    CLinux.send(raw, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
                }
            }
            return true
        } catch {
            return error.code != .tryAgain
        }
    }
}

extension Processes {
    /// The number of this process's parent.
    package static var parentID: Int32 { getppid() }

    /// Sends this process a signal when its parent ends. prctl(2), PR_SET_PDEATHSIG.
    package static func setParentDeathSignal(_ signal: Signal) throws(SystemError) {
        let number = UInt(signal.rawValue)
        _ = try check("prctl(PR_SET_PDEATHSIG)") { clinux_prctl(PR_SET_PDEATHSIG, number, 0, 0, 0) }
    }

    /// Kills all processes of a process group.
    package static func killGroup(_ leader: Int32) throws(SystemError) {
        _ = try check("kill", "process group \(leader)") { CLinux.kill(-leader, SIGKILL) }
    }
}
