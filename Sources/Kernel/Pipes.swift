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
