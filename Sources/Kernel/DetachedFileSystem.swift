internal import CLinux
package import KernelTypes

extension Mounting {
    /// The longest key and value that fsconfig(2) takes, without their NUL.
    package static let longestOption = 255

    /// A new file system, not mounted yet: reachable by the descriptor only. fsopen(2), fsconfig(2), fsmount(2).
    ///
    /// The descriptor means the mount also when it is attached later.
    /// - Throws: where an option or the whole was refused, what the kernel wrote of it into the context's log, if
    ///   anything, as the subject.
    package static func detachedFileSystem(
        _ type: String, options: [(key: String, value: String?)] = [], attributes: MountAttributes = []
    ) throws(SystemError) -> Descriptor {
        try detachedFileSystem(type, from: openFileSystem(type), options: options, attributes: attributes)
    }

    /// Begins a new file system: what it becomes is said to the context that is returned. fsopen(2).
    package static func openFileSystem(_ type: String) throws(SystemError) -> Descriptor {
        Descriptor(
            raw: Int32(
                try check("fsopen", type) {
                    lend(type) { system(Int(SYS_fsopen), $0, Int(FSOPEN_CLOEXEC)) }
                }))
    }

    /// Makes the mount of a file system that was begun, here or by another process.
    package static func detachedFileSystem(
        _ type: String, from context: borrowing Descriptor, options: [(key: String, value: String?)],
        attributes: MountAttributes
    ) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            for option in options { try configure(context, option.key, option.value) }
            return try mount(context, attributes)
        } catch {
            throw error.about(log(of: context) ?? "\(type) \(error.subject)")
        }
    }

    private static func configure(
        _ context: borrowing Descriptor, _ key: String, _ value: String?
    ) throws(SystemError) {
        let raw = context.raw
        let command = Int((value == nil ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING).rawValue)
        _ = try check("fsconfig", key) {
            lend(key, value) { system(Int(SYS_fsconfig), Int(raw), command, $0, $1, 0) }
        }
    }

    private static func mount(
        _ context: borrowing Descriptor, _ attributes: MountAttributes
    ) throws(SystemError) -> Descriptor {
        let raw = context.raw
        _ = try check("fsconfig") {
            system(Int(SYS_fsconfig), Int(raw), Int(FSCONFIG_CMD_CREATE.rawValue), 0, 0, 0)
        }
        let mounted = try check("fsmount") {
            system(Int(SYS_fsmount), Int(raw), Int(FSMOUNT_CLOEXEC), Int(attributes.rawValue))
        }
        return Descriptor(raw: Int32(mounted))
    }

    /// The first error that the kernel has written into a context's log: one message for each read, its first letter
    /// the kind. nil without any.
    private static func log(of context: borrowing Descriptor) -> String? {
        let raw = context.raw
        var bytes = [UInt8](repeating: 0, count: 1024)
        while true {
            let count = bytes.withUnsafeMutableBytes { read(raw, $0.baseAddress, $0.count) }
            guard count > 2 else { return nil }
            guard bytes[0] == UInt8(ascii: "e") else { continue }
            let message = bytes[2..<count].prefix { $0 != UInt8(ascii: "\n") }
            return String(decoding: message, as: UTF8.self)
        }
    }
}
