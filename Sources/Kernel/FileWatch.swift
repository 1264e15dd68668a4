internal import CLinux
package import KernelTypes

/// Waits for changes of a file and of the names in its folder. inotify(7)
package struct FileWatch: ~Copyable {
    private let events: Descriptor
    private var file: Int32?  // the number of its watch

    /// To be polled for.
    package var number: Int32 { events.number }

    /// - Parameter folder: whose names count: what comes into being there, goes, or is renamed.
    package init(folder: borrowing Descriptor) throws(SystemError) {
        let raw = try check("inotify_init") { inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK)) }
        let made = Descriptor(raw: raw)
        let path = folder.path
        let mask = UInt32(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR)
        _ = try check("inotify_add_watch") { inotify_add_watch(raw, path, mask) }
        events = made
    }

    /// Also waits for a file's content to change, instead of that of the file before.
    package mutating func watch(_ descriptor: borrowing Descriptor) throws(SystemError) {
        let raw = events.raw
        if let file { _ = inotify_rm_watch(raw, file) }  // gone already with a file that was deleted
        file = nil
        let path = descriptor.path
        file = try check("inotify_add_watch") { inotify_add_watch(raw, path, UInt32(IN_MODIFY | IN_ATTRIB)) }
    }

    /// Takes the news away: what has changed is looked at, not read off.
    package mutating func drain() {
        // Until there are none left, or none can be read at all.
        while let bytes = try? Terminals.readAvailable(events, limit: 4096), !bytes.isEmpty {}
    }
}
