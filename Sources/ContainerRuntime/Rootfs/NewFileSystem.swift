internal import Kernel
internal import KernelTypes
internal import Planning

/// A new file system, detached until it is complete: for the runtime's idmapped ones and the container's others alike.
struct NewFileSystem: ~Copyable {
    let mount: Descriptor
    /// It had to be made in its place at once.
    let isAttached: Bool

    private init(_ mount: consuming Descriptor, isAttached: Bool) {
        self.mount = mount
        self.isAttached = isAttached
    }

    /// What is already there, shown in the place of a new one.
    init(shown tree: consuming Descriptor) { self.init(tree, isAttached: false) }

    consuming func intoMount() -> Descriptor { mount }

    /// What a mount calls for, in the form of fsconfig(2) and of mount(2).
    struct Request {
        let type: String
        let source: String
        /// The file system's own options.
        let options: [String]
        let flags: MountFlags
        let attributes: MountAttributes

        /// - Parameter writable: it has to be filled first.
        init(_ mount: MountPlan, _ type: String, source: String?, options: [String], writable: Bool) {
            self.type = type
            self.source = source ?? type
            self.options = options
            flags = writable ? mount.flags.subtracting(.readOnly) : mount.flags
            attributes = writable ? mount.set.subtracting(.readOnly) : mount.set
        }

        private init(_ request: Request, options: [String]) {
            type = request.type
            source = request.source
            self.options = options
            flags = request.flags
            attributes = request.attributes
        }

        func without(_ option: String) -> Request { Request(self, options: options.filter { $0 != option }) }

        var text: String { options.joined(separator: ",") }

        /// The part of an error that says what was to be mounted.
        func subject(_ detail: String? = nil) -> String {
            "type \(type)" + (options.isEmpty ? "" : ", options \(text)") + (detail.map { "; \($0)" } ?? "")
        }

        /// Whether fsconfig(2) takes each of the options as it stands. Where a string holds several, or what only the
        /// file system knows how to part, mount(2) has to; so it has where something is too long for the other, or has
        /// no name there.
        var isPlain: Bool {
            if flags.contains(.inodeVersion) || flags.contains(.silent) || type.containsByte(".") { return false }
            return source.utf8.count <= Mounting.longestOption
                && options.allSatisfy {
                    $0.utf8.count <= Mounting.longestOption && !$0.begins(with: "=")
                        && (MountLabel.isOption($0) || !$0.containsByte(","))
                }
        }

        var parameters: [(key: String, value: String?)] {
            var parameters: [(key: String, value: String?)] = [("source", source)]
            for option in options {
                let sides = option.parts(by: "=", keepingEmpty: true, most: 2)
                let value = sides.count == 2 ? sides[1] : nil
                parameters.append((sides[0], MountLabel.isOption(option) ? value.map(MountLabel.unquoted) : value))
            }
            for (flag, name) in MountPlan.fileSystemOptions where flags.contains(flag) {
                parameters.append((name, nil))
            }
            // A device that cannot be written refuses to be mounted otherwise.
            if flags.contains(.readOnly) { parameters.append(("ro", nil)) }
            return parameters
        }
    }

    static func make(_ request: Request, on target: borrowing Descriptor) throws(SystemError) -> NewFileSystem {
        if request.isPlain {
            do throws(SystemError) {
                return NewFileSystem(try detached(request), isAttached: false)
            } catch {
                // A filter that is older than these calls.
                guard error.call == "fsopen", error.code == .noSystemCall || error.code == .notPermitted else {
                    throw worded(error, request)
                }
            }
        }
        try Mounting.mount(
            request.source, on: target.path, type: request.type, flags: request.flags,
            data: request.options.isEmpty ? nil : request.text, subject: request.subject())
        // What is now on top of this very descriptor, whatever its name has come to lead to.
        return NewFileSystem(try RootDirectory(target.duplicate()).topmost(), isAttached: true)
    }

    /// Mounted nowhere, or refused.
    static func makeDetached(_ request: Request) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try detached(request)
        } catch {
            throw worded(error, request)
        }
    }

    /// The same of a file system that another process has begun.
    static func makeDetached(_ request: Request, from context: borrowing Descriptor) throws(SystemError) -> Descriptor {
        do throws(SystemError) {
            return try Mounting.detachedFileSystem(
                request.type, from: context, options: request.parameters, attributes: request.attributes)
        } catch {
            throw worded(error, request)
        }
    }

    private static func detached(_ request: Request) throws(SystemError) -> Descriptor {
        try Mounting.detachedFileSystem(request.type, options: request.parameters, attributes: request.attributes)
    }

    private static func worded(_ error: SystemError, _ request: Request) -> SystemError {
        SystemError("mount", request.subject(error.subject.isEmpty ? nil : error.subject), error.code)
    }
}
