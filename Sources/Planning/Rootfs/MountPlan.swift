internal import CgroupPlanning
internal import Errors
package import KernelTypes
internal import OCISpec

/// One mount, read from its options. Specification: config.md, "Mounts".
package struct MountPlan: Sendable {
    package enum Kind: Sendable, Equatable {
        /// An existing file or directory of the host shown at a second place.
        case bind(source: String, recursive: Bool)
        /// A new mount of a file system.
        case fileSystem(type: String, source: String?)
        /// The cgroup file system, whichever way the container may see it.
        case cgroup
        /// Other flags for what is mounted at the destination already.
        case remount(bind: Bool)
    }

    package let index: Int
    /// Absolute, without `.`, `..` and doubled slashes.
    package let destination: String
    package let kind: Kind
    /// For new file systems: flags of mount(2).
    package private(set) var flags: MountFlags = []
    /// For mounts by themselves: what is set and cleared, alone and with all below.
    package private(set) var set: MountAttributes = []
    package private(set) var clear: MountAttributes = []
    package private(set) var setRecursively: MountAttributes = []
    package private(set) var clearRecursively: MountAttributes = []
    package private(set) var propagation: [(kind: MountPropagation, recursive: Bool)] = []
    /// The file system's own options.
    package private(set) var data: [String] = []
    /// The SELinux label of the mounted root, where the file system takes none as an option.
    package private(set) var fileLabel: String?
    package private(set) var copyUp = false
    package private(set) var followSource = true
    package private(set) var followDestination = true
    /// A source that is a symbolic link is made again at the destination instead of being followed.
    package private(set) var copySymbolicLink = false
    /// What the options say of the ids of its files, and what that and the mappings of the mount and of the container
    /// come to.
    private(set) var idMapRequest: IDMapRequest?
    package private(set) var idMap: IDMapPlan?

    /// Flags that belong to a file system and not to one of its mounts.
    package static let fileSystemOptions: [(flag: MountFlags, name: String)] = [
        (.synchronous, "sync"), (.directorySync, "dirsync"), (.mandatoryLocks, "mand"), (.inodeVersion, "iversion"),
        (.lazyTime, "lazytime"),
    ]
    private static let ofFileSystem: MountFlags = [
        .synchronous, .directorySync, .mandatoryLocks, .inodeVersion, .lazyTime, .silent,
    ]

    package var isProc: Bool { kind.isFileSystem("proc") }
    package var isSysfs: Bool { kind.isFileSystem("sysfs") }
    package var isTmpfs: Bool { kind.isFileSystem("tmpfs") }
    /// Whether it shows a /dev that is made already: by a bind mount, or the kernel's one devtmpfs.
    var bringsDevices: Bool { destination == "/dev" && (isBind || kind.isFileSystem("devtmpfs")) }
    package var isBind: Bool { if case .bind = kind { true } else { false } }
    var isRemount: Bool { if case .remount = kind { true } else { false } }
    package var isReadOnly: Bool { flags.contains(.readOnly) }
    /// Whether it is left writable until what must lie in it is there: device nodes in /dev, what tmpcopyup copies. The
    /// ids of a tmpfs are mapped before it is filled.
    package var isFilled: Bool { copyUp || (destination == "/dev" && !bringsDevices) || (isTmpfs && idMap != nil) }

    init?(_ mount: Mount, index: Int, bundle: String, findings: inout Findings) {
        let field = "mounts[\(index)]"
        self.index = index
        destination = mount.destination.cleanedPath
        var options = OptionList()
        for (position, text) in (mount.options ?? []).enumerated() {
            options.read(text, field: "\(field).options[\(position)]", findings: &findings)
        }
        let isBind = options.bind != nil || mount.type == "bind"
        if options.remount {
            kind = .remount(bind: isBind)
        } else if isBind {
            guard let source = mount.source, !source.isEmpty else {
                findings.refuse("\(field).source", "a bind mount needs a source")
                return nil
            }
            let absolute = source.isAbsolutePath ? source : "\(bundle)/\(source)"
            kind = .bind(source: absolute, recursive: options.bind ?? true)
        } else if let type = mount.type, !type.isEmpty, type != "none" {
            kind = type == "cgroup" || type == "cgroup2" ? .cgroup : .fileSystem(type: type, source: mount.source)
        } else {
            findings.refuse("\(field).type", "a mount that is not a bind mount needs a file system type")
            return nil
        }
        apply(options)
        if !data.isEmpty, !isBind { warnOfSlips(options, field: field, findings: &findings) }
        if !data.isEmpty, isBind { refuseData(options, field: field, findings: &findings) }
        if isBind, !flags.isDisjoint(with: Self.ofFileSystem) {
            findings.warn(
                "\(field).options",
                "sync, dirsync, mand, iversion, lazytime and silent are settings of file systems and change nothing on a bind mount"
            )
        }
        if copyUp, !isTmpfs { findings.refuse("\(field).options", "tmpcopyup is for tmpfs only") }
    }

    private mutating func apply(_ options: OptionList) {
        flags = options.flags
        set = options.set
        clear = options.clear
        setRecursively = options.setRecursively
        clearRecursively = options.clearRecursively
        propagation = options.propagation
        data = options.data.map { $0.text }
        copyUp = options.copyUp
        followSource = options.followSource
        followDestination = options.followDestination
        copySymbolicLink = options.copySymbolicLink
        idMapRequest = options.idMap
    }

    /// Reads what is said of the ids of its files; the container's namespaces may have to say the rest.
    mutating func mapIDs(_ mount: Mount, namespaces: NamespacePlan, findings: inout Findings) {
        idMap = IDMapPlan(mount, request: idMapRequest, index: index, namespaces: namespaces, findings: &findings)
        guard idMap != nil else { return }
        let field =
            idMapRequest.map { "mounts[\(index)].options[\($0.position)]" } ?? "mounts[\(index)].uidMappings"
        switch kind {
        case .bind: break
        case .remount: findings.refuse(field, "ids are mapped when a mount is made, not by a remount")
        case .cgroup: findings.refuse(field, "the cgroup file system takes no idmapped mounts")
        case .fileSystem(let type, _):
            if IDMapPlan.unmappable.contains(type) {
                findings.refuse(field, "the file system \(type) takes no idmapped mounts")
            }
        }
    }

    /// Gives a new file system its context, unless the options say one. What a bind mount shows keeps the labels that
    /// it has.
    mutating func label(_ label: MountLabel) {
        guard case .fileSystem(let type, _) = kind else { return }
        if type == "mqueue" {
            fileLabel = label.label
        } else if MountLabel.isTaken(by: type), !data.contains(where: MountLabel.isOption) {
            data.append(label.option)
        }
    }

    /// A bind mount has no file system of its own that could know the option: it is a typing error, which must not
    /// leave a mount writable.
    private func refuseData(_ options: OptionList, field: String, findings: inout Findings) {
        for (text, position) in options.data {
            if text == "z" || text == "Z" {
                // Some engines, such as Buildah before 1.30, relabel the source and pass the word on all the same.
                findings.warn(
                    "\(field).options[\(position)]", "\"\(text)\" labels nothing: that is the engine's affair")
                continue
            }
            let near = MountOption.nearest(to: text)
            let hint = near.map { "; did you mean \"\($0)\"?" } ?? ""
            findings.refuse(
                "\(field).options[\(position)]",
                "bind mounts cannot have any filesystem-specific options, and \"\(text)\" is no other option\(hint)")
        }
    }

    /// An option for the file system that looks like one of the runtime's: the file system will most likely refuse it,
    /// and one that takes any would leave out what was meant.
    private func warnOfSlips(_ options: OptionList, field: String, findings: inout Findings) {
        for (text, position) in options.data where !text.containsByte("=") && !MountOption.ofFileSystems.contains(text)
        {
            guard let near = MountOption.nearest(to: text) else { continue }
            findings.warn(
                "\(field).options[\(position)]",
                "\"\(text)\" is no mount option and is passed to the file system; did you mean \"\(near)\"?")
        }
    }

    /// The sentence says which mount it was; engines take the kernel's bare ENOENT text for a missing program.
    package func named(_ error: SystemError) -> SystemError {
        if error.isRefusal { return .refused("mounts[\(index)] at \(destination): \(error)") }
        let subject = error.subject.isEmpty || error.subject == destination ? "" : " (\(error.subject))"
        return .failed("mounts[\(index)]", "at \(destination): \(error.operation)\(subject)", error.code)
    }

    /// The message about a bind mount's source that is not there.
    package static func missing(_ source: String, _ code: Errno) -> String {
        "\(source): \(code); a bind mount shows what exists: make it, or fix the path (a relative one counts from the bundle)"
    }
}

extension MountPlan.Kind {
    fileprivate func isFileSystem(_ name: String) -> Bool {
        if case .fileSystem(let type, _) = self { type == name } else { false }
    }
}

/// What the options of one mount add up to; a later one wins over an earlier one.
private struct OptionList {
    var bind: Bool?
    var remount = false
    var flags: MountFlags = []
    var set: MountAttributes = []
    var clear: MountAttributes = []
    var setRecursively: MountAttributes = []
    var clearRecursively: MountAttributes = []
    var propagation: [(kind: MountPropagation, recursive: Bool)] = []
    var data: [(text: String, position: Int)] = []
    var copyUp = false
    var followSource = true
    var followDestination = true
    var copySymbolicLink = false
    var idMap: IDMapRequest?
    private var position = 0

    mutating func read(_ text: String, field: String, findings: inout Findings) {
        defer { position += 1 }
        guard let option = MountOption(text) else {
            if !text.isEmpty { data.append((text, position)) }
            return
        }
        switch option {
        case .nothing: break
        case .set(let flag, let attribute):
            flags.formUnion(flag)
            set.formUnion(attribute)
            clear.subtract(attribute)
        case .clear(let flag, let attribute):
            flags.subtract(flag)
            set.subtract(attribute)
            clear.formUnion(attribute)
        case .setRecursively(let attribute):
            setRecursively.formUnion(attribute)
            clearRecursively.subtract(attribute)
        case .clearRecursively(let attribute):
            setRecursively.subtract(attribute)
            clearRecursively.formUnion(attribute)
        case .accessTime(let flag, let attribute, let recursive): readAccessTime(flag, attribute, recursive)
        case .propagation(let kind, let recursive): propagation.append((kind, recursive))
        // As flags of mount(2) add up: `bind` beside `rbind` takes nothing back.
        case .bind(let recursive): bind = recursive || bind == true
        case .remount: remount = true
        case .copyUp: copyUp = true
        case .sourceNoFollow: followSource = false
        case .destinationNoFollow: followDestination = false
        case .copySymbolicLink: copySymbolicLink = true
        case .idMap(let recursive):
            let sides = text.parts(by: "=", keepingEmpty: true, most: 2)
            idMap = IDMapRequest(recursive: recursive, text: sides.count == 2 ? sides[1] : nil, position: position)
        }
    }

    /// The options of the group exclude each other, so the whole group is cleared first (mount_setattr(2) demands it).
    private mutating func readAccessTime(_ flag: MountFlags, _ attribute: MountAttributes, _ recursive: Bool) {
        if recursive {
            setRecursively.subtract(.accessTimeMask)
            clearRecursively.formUnion(.accessTimeMask)
            setRecursively.formUnion(attribute)
        } else {
            flags.subtract([.noAccessTime, .relativeAccessTime, .strictAccessTime])
            flags.formUnion(flag)
            set.subtract(.accessTimeMask)
            clear.formUnion(.accessTimeMask)
            set.formUnion(attribute)
        }
    }
}
