internal import Errors
package import Kernel
package import KernelTypes
internal import OCISpec
internal import Planning

/// Why the kernel does not run a program, in a sentence that names the true cause and what to do about it.
package struct ProgramFault: Equatable, Sendable {
    /// What execve(2) answers.
    package let code: Errno
    let reason: String
    let remedy: String

    /// One sentence, which begins with the text that engines look for in the error of a container's program.
    var words: String { "\(code.standardDescription): \(reason); \(remedy)" }

    /// The same without that text, by which an engine would take a hook for the program.
    package var hookWords: String { "\(code): \(reason); \(remedy)" }

    /// As a shell has it: 127 for what is not there, be it the program or what it needs to begin; 126 for what cannot
    /// be executed.
    static func exitStatus(_ code: Errno) -> Int32 { code == .noEntry || code == .notDirectory ? 127 : 126 }
}

/// Whose permissions count when a program is looked at.
package struct ProgramUser: Sendable {
    var user: UInt32
    var group: UInt32
    var groups: [UInt32]
    /// CAP_DAC_OVERRIDE: may execute what any user may.
    var overrides: Bool
    /// What messages call the user; differs from `user` where that is the host's number.
    var name: UInt32

    package init(_ process: ProcessPlan, _ capabilities: ProcessCapabilities) {
        user = process.user
        name = process.user
        group = process.group
        groups = process.additionalGroups
        overrides = process.user == 0 && capabilities.effective.contains(.overrideAccess)
    }

    /// The runtime itself, whose hooks are executed with all of its powers.
    package static var runtime: ProgramUser {
        let user = Credentials.effectiveUser
        return ProgramUser(
            user: user, group: Credentials.effectiveGroup, groups: [], overrides: user == 0, name: user)
    }

    private init(user: UInt32, group: UInt32, groups: [UInt32], overrides: Bool, name: UInt32) {
        self.user = user
        self.group = group
        self.groups = groups
        self.overrides = overrides
        self.name = name
    }

    /// The same user as the host counts; the container's numbers where they are not mapped.
    package func mapped(by namespaces: NamespacePlan) -> ProgramUser {
        guard namespaces.new.contains(.user) else { return self }
        func host(_ id: UInt32, _ mappings: [IDMapping]) -> UInt32 { NamespacePlan.hostID(of: id, in: mappings) ?? id }
        var result = self
        result.user = host(user, namespaces.uidMappings)
        result.group = host(group, namespaces.gidMappings)
        result.groups = groups.map { host($0, namespaces.gidMappings) }
        return result
    }

    package func mayExecute(_ status: FileStatus) -> Bool {
        if overrides { return status.permissions & 0o111 != 0 }
        if status.owner == user { return status.permissions & 0o100 != 0 }
        if status.group == group || groups.contains(status.group) { return status.permissions & 0o010 != 0 }
        return status.permissions & 0o001 != 0
    }
}

/// Looks at a program as the kernel does when it executes it: the file, its `#!` line or ELF header, and what that
/// names.
///
/// The same check serves the container's process after a failed execve and `runbox check` from outside. Nothing here
/// refuses a program: the kernel may know formats by binfmt_misc that only it can judge.
package struct ProgramInspection {
    /// Opens a path as the container sees it. A refusal (``SystemError/refused(_:)``) means that it cannot be known
    /// from here.
    let open: (String, OpenFlags) throws(SystemError) -> Descriptor
    let user: ProgramUser
    /// The field that names the program, for remedies.
    var field = "process.args[0]"
    /// Where the program is to be found, for messages.
    var place = "in the container"
    /// Whether the kernel has a handler of its own for files that begin like this (binfmt_misc).
    package var isHandled: ([UInt8]) -> Bool = { _ in false }
    /// Whether the mount that the path opened last lies on forbids execution.
    package var forbidsExecution: (FileSystemStatus) -> Bool = { $0.forbidsExecution }

    package init(
        open: @escaping (String, OpenFlags) throws(SystemError) -> Descriptor, user: ProgramUser
    ) {
        self.open = open
        self.user = user
    }

    /// Inspects programs in the root of this process.
    package static func here(_ user: ProgramUser) -> ProgramInspection {
        ProgramInspection(open: { path, flags throws(SystemError) in try Files.open(path, flags) }, user: user)
    }

    /// What speaks against a program; nil when nothing does, or it cannot be known.
    package func fault(of path: String) -> ProgramFault? { fault(of: path, depth: 0) }

    /// Scripts may be interpreted by scripts; the kernel follows four (fs/exec.c, exec_binprm).
    private func fault(of path: String, depth: Int) -> ProgramFault? {
        let handle: Descriptor
        do throws(SystemError) {
            handle = try open(path, .path)
        } catch {
            return error.isRefusal ? nil : absence(of: path, error.code)
        }
        if let fault = obstacle(path, handle) { return fault }
        // A file that may be executed but not read keeps its secret.
        guard let file = try? open(path, [.readOnly, .nonBlocking, .noControllingTerminal]),
            let head = try? Files.read(file, at: 0, count: 1024), !isHandled(head)
        else { return nil }
        switch ProgramHead(head) {
        case .script(let interpreter, _): return scriptFault(interpreter, depth)
        case .elf(let elf): return elfFault(elf, file, head)
        case .webAssembly:
            return ProgramFault(
                code: .execFormat, reason: "it is a WebAssembly module, which the kernel cannot run",
                remedy: "name a WebAssembly runtime in \(field) and the module behind it")
        case .portableExecutable:
            return ProgramFault(
                code: .execFormat, reason: "it is a program for Windows", remedy: "use one that is built for Linux")
        case .empty:
            return ProgramFault(
                code: .execFormat, reason: "the file is empty", remedy: "see how it was made")
        case .other:
            return ProgramFault(
                code: .execFormat, reason: "it is neither an ELF program nor a script with a \"#!\" line",
                remedy: "for a shell script, put \"#!/bin/sh\" into its first line")
        }
    }

    // MARK: The file

    private func absence(of path: String, _ code: Errno) -> ProgramFault? {
        switch code {
        case .noEntry:
            if let link = try? open(path, [.path, .noFollow]),
                (try? Files.status(of: link).kind) == .symbolicLink, let target = try? Files.readLink("", at: link)
            {
                return ProgramFault(
                    code: code, reason: "it is a symbolic link to \(target), which is not \(place)",
                    remedy: "fix the link, or add what it points to")
            }
            return ProgramFault(
                code: code, reason: "it is not \(place)",
                remedy: "see \(field)\(place == "on the host" ? "" : ", root.path and the mounts")")
        case .notDirectory:
            return ProgramFault(
                code: code, reason: "a part of the path is a file", remedy: "see \(field)")
        case .symbolicLinkLoop:
            return ProgramFault(
                code: code, reason: "its symbolic links lead in a circle", remedy: "fix them")
        case .accessDenied:
            return ProgramFault(
                code: code, reason: "uid \(user.name) may not search a folder on the way to it",
                remedy: "give that folder x permission (chmod a+x), or change the user")
        default: return nil
        }
    }

    private func obstacle(_ path: String, _ handle: borrowing Descriptor) -> ProgramFault? {
        guard let status = try? Files.status(of: handle) else { return nil }  // an open handle always has one
        if status.kind == .directory {
            // What execve(2) says, too: by those words engines give their users the exit status 126.
            return ProgramFault(
                code: .isDirectory, reason: "\(Errno.accessDenied): not a program",
                remedy: "name a file in \(field)")
        }
        if status.kind != .regular {
            return ProgramFault(
                code: .accessDenied, reason: "it is no regular file", remedy: "name a program in \(field)")
        }
        if status.permissions & 0o111 == 0 {
            return ProgramFault(
                code: .accessDenied,
                reason: "the file has no x permission (its mode is \(Self.octal(status.permissions)))",
                remedy: "chmod +x it")
        }
        if !user.mayExecute(status) {
            return ProgramFault(
                code: .accessDenied,
                reason: "uid \(user.name) may not execute it (its mode is \(Self.octal(status.permissions)))",
                remedy: "chmod a+x it, or change the user")
        }
        if let fileSystem = try? Files.fileSystem(of: handle), forbidsExecution(fileSystem) {
            return ProgramFault(
                code: .accessDenied, reason: "it lies on a file system that is mounted noexec",
                remedy: "take \"noexec\" out of the options of the mount that holds it")
        }
        return nil
    }

    private static func octal(_ permissions: UInt32) -> String {
        let digits = String(permissions, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    // MARK: What it names

    private func scriptFault(_ interpreter: String, _ depth: Int) -> ProgramFault? {
        if interpreter.isEmpty {
            return ProgramFault(
                code: .execFormat, reason: "its \"#!\" line names no interpreter",
                remedy: "put one there, as in \"#!/bin/sh\"")
        }
        guard depth < 5, let cause = fault(of: interpreter, depth: depth + 1) else { return nil }
        if cause.code == .noEntry, interpreter.utf8.last == UInt8(ascii: "\r") {
            return ProgramFault(
                code: cause.code,
                reason:
                    "its \"#!\" line ends in a carriage return (CRLF), so the kernel looks for \"\(interpreter.dropLast())\\r\"",
                remedy: "save it with Unix line ends (sed -i 's/\\r$//')")
        }
        if cause.code == .noEntry || cause.code == .notDirectory {
            return ProgramFault(
                code: cause.code, reason: "its interpreter \(interpreter), named by its \"#!\" line, is not \(place)",
                remedy: "install it there, or change the line")
        }
        return ProgramFault(
            code: cause.code,
            reason: "its interpreter \(interpreter), named by its \"#!\" line, cannot be executed: \(cause.reason)",
            remedy: cause.remedy)
    }

    private func elfFault(_ elf: ELFHead, _ file: borrowing Descriptor, _ head: [UInt8]) -> ProgramFault? {
        guard elf.isNative else {
            return ProgramFault(
                code: .execFormat, reason: "it is for \(elf.architecture), this host is \(ELFHead.native)",
                remedy: "use an image for \(ELFHead.native), or register an emulator (qemu-user with binfmt_misc)")
        }
        guard elf.type == 2 || elf.type == 3 else {
            let kind = elf.type == 1 ? "an object file that was not linked" : "no program (ELF type \(elf.type))"
            return ProgramFault(code: .execFormat, reason: "it is \(kind)", remedy: "name a program in \(field)")
        }
        let size = elf.headers.size * min(elf.headers.count, 256)
        let table = bytes(of: file, head, at: elf.headers.offset, count: size)
        if table.count < size || size == 0 {
            return ProgramFault(
                code: .execFormat, reason: "the file is cut off", remedy: "copy it there again")
        }
        guard let place = elf.interpreter(inTable: table), (2...4096).contains(place.count) else { return nil }
        let text = bytes(of: file, head, at: place.offset, count: place.count)
        let loader = String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        guard !loader.isEmpty else { return nil }
        return loaderFault(loader)
    }

    private func loaderFault(_ loader: String) -> ProgramFault? {
        let handle: Descriptor
        do throws(SystemError) {
            handle = try open(loader, .path)
        } catch {
            guard error.code == .noEntry || error.code == .notDirectory else { return nil }
            let library = loader.ends(with: ".so.1") && loader.begins(with: "/lib/ld-musl") ? "musl" : "glibc"
            let known =
                loader.begins(with: "/lib/ld-musl") || loader.begins(with: "/lib64/ld-linux")
                || loader.begins(with: "/lib/ld-linux")
            return ProgramFault(
                code: error.code, reason: "its loader \(loader) (the ELF interpreter) is not \(place)",
                remedy:
                    "add the C library it was built for\(known ? " (\(library))" : "") there, or link the program statically"
            )
        }
        guard let cause = obstacle(loader, handle) else { return nil }
        return ProgramFault(
            code: cause.code, reason: "its loader \(loader) (the ELF interpreter) cannot be executed: \(cause.reason)",
            remedy: cause.remedy)
    }

    /// A part of the file, from what was read of it where that is enough.
    private func bytes(
        of file: borrowing Descriptor, _ head: [UInt8], at offset: Int, count: Int
    ) -> [UInt8] {
        guard offset >= 0, count >= 0 else { return [] }
        if offset <= head.count, count <= head.count - offset { return Array(head[offset..<(offset + count)]) }
        // What cannot be read is not there.
        return (try? Files.read(file, at: offset, count: count)) ?? []
    }
}
