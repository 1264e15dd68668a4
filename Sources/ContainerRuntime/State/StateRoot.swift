package import Kernel
package import KernelTypes

/// Opens the folder of all containers' folders, unless another user could have put it, or what is in it, there.
///
/// What is read below it decides which processes are killed, which cgroups are removed and which hooks are run, all
/// with the rights of the caller. So the whole path is gone down by descriptor, and what is on it must be such that
/// only the caller and root can exchange it. From then on the path names the same folder for good.
package enum StateRoot {
    /// What others must not be able to do in a folder, which decides on the words for it.
    package enum Purpose: Sendable {
        /// To put forged state there.
        case state
        /// To put another file into the place of a log.
        case log
    }

    /// - Parameters:
    ///   - make: whether what is missing is made.
    ///   - purpose: what it is for.
    /// - Returns: nil where there is no such folder.
    package static func open(
        _ path: String, make: Bool = false, for purpose: Purpose = .state
    ) throws(SystemError) -> Descriptor? {
        let path = path.isAbsolutePath ? path : "\(try Files.currentDirectory())/\(path)"
        var names = Array(path.parts(by: "/").reversed())
        var directory = try Files.open("/", [.path, .directory])
        var place = Place(path: "", status: try Files.status(of: directory), purpose: purpose)
        var links = 0
        while let name = names.popLast() {
            if name == "." { continue }
            try place.checkAbove()
            let status: FileStatus
            do throws(SystemError) {
                status = try Files.status(name, at: directory)
            } catch {
                guard error.code == .noEntry else { throw error }
                guard make else { return nil }
                try makeFolder(name, at: directory, mode: purpose == .log ? 0o755 : 0o711)
                names.append(name)
                continue
            }
            if status.kind == .symbolicLink {
                links += 1
                try place.checkLink(name, status, count: links)
                let target = try Files.readLink(name, at: directory)
                names += target.parts(by: "/").reversed()
                guard target.isAbsolutePath else { continue }
                directory = try Files.open("/", [.path, .directory])
                place = Place(path: "", status: try Files.status(of: directory), purpose: purpose)
                continue
            }
            directory = try Files.open(name, at: directory, [.path, .directory, .noFollow])
            place = Place(
                path: "\(place.path)/\(name)", status: try Files.status(of: directory), purpose: purpose)
        }
        try place.checkOwn()
        return directory
    }

    private static func makeFolder(
        _ name: String, at directory: borrowing Descriptor, mode: UInt32
    ) throws(SystemError) {
        do throws(SystemError) {
            try Files.makeDirectory(name, at: directory, mode: mode)
        } catch {
            // Another process made it first.
            guard error.code == .exists else { throw error }
        }
    }

    /// A container's folder must be the caller's as the root is.
    static func check(_ folder: borrowing Descriptor, path: String) throws(SystemError) {
        try Place(path: path, status: try Files.status(of: folder)).checkOwn()
    }

    /// A folder on the way, and what the kernel says of it.
    struct Place {
        let path: String
        let status: FileStatus
        var user = Credentials.effectiveUser
        var purpose = Purpose.state

        private var name: String { path.isEmpty ? "/" : path }
        private var mayBeWrittenByGroup: Bool { status.permissions & 0o020 != 0 }
        private var mayBeWrittenByOthers: Bool { status.permissions & 0o002 != 0 }
        private var isSticky: Bool { status.permissions & 0o1000 != 0 }

        /// In the state root and below, others must be able to add nothing either.
        func checkOwn() throws(SystemError) {
            guard status.owner == user || status.owner == 0 else { throw foreign(name, status.owner) }
            // Of a log, the user's own group may be trusted as above it: there is nothing in it that is obeyed.
            if purpose == .log, !mayBeWrittenByOthers, belongsToLogDaemon || status.group == status.owner { return }
            if mayBeWrittenByGroup || mayBeWrittenByOthers { throw open(mayBeWrittenByOthers ? "everybody" : group) }
        }

        /// In folders above it, others must not be able to exchange what leads to it. What is in a folder with the
        /// sticky bit only its own owner can, who is looked at next.
        func checkAbove() throws(SystemError) {
            guard Self.isTrusted(status.owner, user) else { throw foreign(name, status.owner) }
            if isSticky || belongsToLogDaemon { return }
            if mayBeWrittenByOthers { throw open("everybody") }
            // The group with the owner's own number is private: root's, and those that useradd(8) makes.
            if mayBeWrittenByGroup, status.group != status.owner { throw open(group) }
        }

        func checkLink(_ link: String, _ status: FileStatus, count: Int) throws(SystemError) {
            guard count <= 40 else { throw SystemError("open", "\(path)/\(link)", .symbolicLinkLoop) }
            guard Self.isTrusted(status.owner, user) else { throw foreign("\(path)/\(link)", status.owner) }
        }

        /// Ubuntu gives /var/log to the group of its syslog daemon, which may write any log as it is.
        private var belongsToLogDaemon: Bool {
            purpose == .log && path == "/var/log" && status.owner == 0 && !mayBeWrittenByOthers
        }

        private var group: String { "group \(status.group)" }

        /// In a user namespace, the host's root and all others who have no number there look alike (user_namespaces(7),
        /// "Unmapped user and group IDs"): folders above are given the benefit of the doubt.
        private static func isTrusted(_ owner: UInt32, _ user: UInt32) -> Bool {
            owner == user || owner == 0 || (owner == unmapped && Credentials.isInUserNamespace)
        }

        private static let unmapped: UInt32 = 65534

        private func foreign(_ name: String, _ owner: UInt32) -> SystemError {
            if purpose == .log {
                return .refused(
                    "\(name) belongs to user \(owner), who could put another file in the log's place; name a folder of your own with --log-path"
                )
            }
            return .refused(
                "\(name) belongs to user \(owner), who could put forged state there; run runbox as that user, or name a folder of your own with --root"
            )
        }

        private func open(_ who: String) -> SystemError {
            if purpose == .log {
                return .refused(
                    "\(name) can be written by \(who), who could put another file in the log's place; chmod go-w \(name), or name another folder with --log-path"
                )
            }
            return .refused(
                "\(name) can be written by \(who), who could put forged state there; chmod go-w \(name), or name another folder with --root"
            )
        }
    }
}
