internal import CLinux
package import KernelTypes

/// The pages of this process that hold code and constants of its program.
///
/// What a process has run once stays mapped as long as it lives. One that has done much at first and then waits for
/// days gives them back: they are in the page cache, and what is needed again is mapped again.
package struct CodePages: Sendable {
    struct Range: Sendable, Equatable {
        let start: UInt
        let length: Int
    }

    fileprivate let ranges: [Range]

    /// Finds them; none where they cannot be found.
    package init() {
        ranges = Self.parse((try? Files.readText("/proc/self/maps")) ?? "")
    }

    /// Lines of proc_pid_maps(5): `START-END PERMISSIONS OFFSET DEVICE INODE PATH`. Code, and the constants in front of
    /// it, with which the file begins. Others may have been written to before they became read-only, and would be lost.
    static func parse(_ text: String) -> [Range] {
        text.parts(by: "\n").compactMap { line in
            let fields = line.parts(by: " ")
            guard fields.count >= 5, fields[4] != "0" else { return nil }
            let isConstant = fields[1] == "r--p" && UInt(fields[2], radix: 16) == 0
            let ends = fields[0].parts(by: "-").map { UInt($0, radix: 16) }
            guard fields[1] == "r-xp" || isConstant, ends.count == 2, let start = ends[0], let end = ends[1],
                start < end
            else { return nil }
            return Range(start: start, length: Int(end - start))
        }
    }
}

extension Polling {
    /// Waits as ``wait(_:timeout:)``, and gives the pages of code back where there is something to wait for.
    /// madvise(2), MADV_DONTNEED: of a file's pages it loses nothing.
    package static func wait(
        _ waiting: [(number: Int32, events: PollEvents)], timeout: Int32, giving code: CodePages
    ) throws(SystemError) -> [PollEvents] {
        let ready = try wait(waiting, timeout: 0)
        guard timeout != 0, ready.allSatisfy({ $0.isEmpty }) else { return ready }
        var entries = waiting.map { pollfd(fd: $0.number, events: $0.events.rawValue, revents: 0) }
        let count = UInt(entries.count)
        let pages = code.ranges.map { clinux_pages(start: $0.start, length: UInt($0.length)) }
        _ = try check("poll") { clinux_poll_giving_back(&entries, count, timeout, pages, Int32(pages.count)) }
        return entries.map { PollEvents(rawValue: $0.revents) }
    }
}
