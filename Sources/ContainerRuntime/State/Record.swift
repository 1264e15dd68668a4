internal import CgroupPlanning
internal import JSON
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// What is kept of a container between two calls of the runtime: `state.json` in its state folder.
package struct Record: Sendable, Equatable {
    var id: String
    var ociVersion: String
    var bundle: String
    var rootfs: String
    /// When it was made, RFC 3339 in UTC.
    var created: String
    var owner: UInt32
    /// The init as the host counts it; 0 while it is being made.
    var pid: Int32
    /// With the number, names one process for good.
    var startTime: UInt64
    /// Whether the set-up is finished.
    var isReady: Bool
    var hasProcess: Bool
    /// Whether config.json, of which a copy lies beside, has hooks for the time after `create`.
    var hasLaterHooks: Bool
    /// Whether the container shares a pid namespace, so that its init's death does not end the others.
    var sharesProcesses: Bool
    /// The name of its processes' session keyring; nil where they are in the caller's.
    var keyring: String?
    var cgroup: CgroupRecord
    var annotations: [KeyValue]
    /// nil for most containers, which have nothing to do with resctrl.
    var resctrl: ResctrlRecord?
    /// The agent that takes the listener of a seccomp filter that notifies; nil with every other.
    var seccompListener: SeccompListener?
    /// nil for every container with a mount namespace.
    var hostMounts: HostMounts?
    /// When it was last saved, or the checkpoint was that it is made of; nil for most. RFC 3339 in UTC, as the next.
    var checkpointed: String?
    /// When it was made of a checkpoint.
    var restored: String?

    static let fileName = "state.json"
    static let configName = "config.json"

    func json() -> String {
        var writer = Writer()
        writer.object { object in
            object.member("version", 1)
            object.member("id", id)
            object.member("ociVersion", ociVersion)
            object.member("bundle", bundle)
            object.member("rootfs", rootfs)
            object.member("created", created)
            object.member("owner", owner)
            object.member("pid", pid)
            object.member("startTime", startTime)
            object.member("ready", isReady)
            object.member("process", hasProcess)
            object.member("laterHooks", hasLaterHooks)
            object.member("sharesProcesses", sharesProcesses)
            if let keyring { object.member("keyring", keyring) } else { object.member("keyring", false) }
            object.key("cgroup")
            object.object { cgroup in
                cgroup.member("manager", self.cgroup.mode.rawValue)
                cgroup.member("root", self.cgroup.root)
                cgroup.member("path", self.cgroup.path)
                cgroup.member("made", self.cgroup.created)
                if self.cgroup.inode != 0 { cgroup.member("inode", self.cgroup.inode) }
                if let scope = self.cgroup.scope {
                    cgroup.member("unit", scope.unit)
                    cgroup.member("inode", scope.inode)
                    cgroup.member("began", UInt64(scope.began))
                    if let subgroup = scope.subgroup { cgroup.member("subgroup", subgroup) }
                }
            }
            if let resctrl {
                object.key("resctrl")
                object.object { group in
                    group.member("group", resctrl.group)
                    group.member("removed", resctrl.isRemoved)
                    if let monitor = resctrl.monitor { group.member("monitor", monitor) }
                }
            }
            if let seccompListener {
                object.key("seccompListener")
                object.object { listener in
                    listener.member("path", seccompListener.path)
                    if let metadata = seccompListener.metadata { listener.member("metadata", metadata) }
                    if !seccompListener.isAsked { listener.member("asked", false) }
                }
            }
            if let hostMounts {
                object.key("hostMounts")
                object.array { places in
                    for place in hostMounts.places { places.string(place.text) }
                }
            }
            if let checkpointed { object.member("checkpointed", checkpointed) }
            if let restored { object.member("restored", restored) }
            object.key("annotations")
            object.object { map in
                for annotation in annotations { map.member(annotation.key, annotation.value) }
            }
        }
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    /// Reads what ``json()`` wrote; nil when it is something else.
    init?(_ bytes: [UInt8]) {
        guard let document = try? Document(bytes) else { return nil }  // half a file is no record
        let reader = RecordReader(document: document, object: document.root)
        guard let id = reader.string("id"), let ociVersion = reader.string("ociVersion"),
            let bundle = reader.string("bundle"), let rootfs = reader.string("rootfs"),
            let created = reader.string("created"), let owner = reader.number("owner"),
            let pid = reader.number("pid"), let startTime = reader.number("startTime"),
            let isReady = reader.boolean("ready"), let hasProcess = reader.boolean("process"),
            let hasLaterHooks = reader.boolean("laterHooks"), let shares = reader.boolean("sharesProcesses"),
            let cgroup = reader.object("cgroup"), let mode = cgroup.string("manager").flatMap(CgroupManagerKind.init),
            let root = cgroup.string("root"), let path = cgroup.string("path"), let made = cgroup.strings("made"),
            let annotations = reader.map("annotations")
        else { return nil }
        self.id = id
        self.ociVersion = ociVersion
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        self.owner = UInt32(clamping: owner)
        self.pid = Int32(clamping: pid)
        self.startTime = startTime
        self.isReady = isReady
        self.hasProcess = hasProcess
        self.hasLaterHooks = hasLaterHooks
        sharesProcesses = shares
        // Earlier records have no name, and say at most whether there is one.
        keyring =
            reader.string("keyring") ?? (reader.boolean("keyring") == false ? nil : SessionKeyring.oldName(of: id))
        var scope: ScopeRecord?
        if mode == .systemd {
            guard let unit = cgroup.string("unit"), let inode = cgroup.number("inode") else { return nil }
            let began = cgroup.number("began").map { Int64(clamping: $0) }
            scope = ScopeRecord(unit: unit, subgroup: cgroup.string("subgroup"), inode: inode, began: began ?? 0)
        }
        self.cgroup = CgroupRecord(
            mode: mode, root: root, path: path, created: made,
            inode: mode == .cgroupfs ? cgroup.number("inode") ?? 0 : 0, scope: scope)
        self.annotations = annotations
        if let listener = reader.object("seccompListener"), let path = listener.string("path") {
            seccompListener = SeccompListener(
                path: path, metadata: listener.string("metadata"),
                isAsked: listener.boolean("asked") ?? true)
        }
        hostMounts = reader.strings("hostMounts").map { HostMounts(places: $0.compactMap(HostMounts.Place.init)) }
        checkpointed = reader.string("checkpointed")
        restored = reader.string("restored")
        guard let resctrl = reader.object("resctrl") else { return }
        guard let group = resctrl.string("group"), let isRemoved = resctrl.boolean("removed") else { return nil }
        self.resctrl = ResctrlRecord(group: group, isRemoved: isRemoved, monitor: resctrl.string("monitor"))
    }
}

extension Record {
    /// The record of a container that is about to be made.
    init(_ plan: LaunchPlan, owner: UInt32) {
        id = plan.id
        ociVersion = plan.ociVersion
        bundle = plan.bundle
        rootfs = plan.rootfs.path
        created = Timestamp.now()
        self.owner = owner
        pid = 0
        startTime = 0
        isReady = false
        hasProcess = plan.process != nil
        hasLaterHooks = HookTiming.allCases.contains { $0.isLater && !$0.hooks(of: plan.hooks).isEmpty }
        sharesProcesses = !plan.namespaces.new.contains(.pid)
        keyring = plan.keyring
        cgroup = plan.cgroup.expectedRecord
        annotations = plan.annotations
        seccompListener = plan.seccomp?.listener
    }
}

extension Record {
    /// The state as the specification and hooks know it.
    func state(_ status: ContainerStatus) -> State {
        State(
            ociVersion: ociVersion, id: id, status: status, pid: status == .stopped ? 0 : Int(pid), bundle: bundle,
            annotations: annotations.isEmpty ? nil : annotations)
    }
}

/// Typed access to one object of a JSON document.
struct RecordReader {
    let document: Document
    let object: NodeIndex

    private func value(_ name: StaticString) -> NodeIndex? { document.member(name, of: object) }
    func string(_ name: StaticString) -> String? { value(name).flatMap(document.string) }
    func boolean(_ name: StaticString) -> Bool? { value(name).flatMap(document.boolean) }
    /// What is not a number counts as not there.
    func number(_ name: StaticString) -> UInt64? { value(name).flatMap { try? document.unsigned($0) } }
    func object(_ name: StaticString) -> RecordReader? {
        value(name).map { RecordReader(document: document, object: $0) }
    }

    func strings(_ name: StaticString) -> [String]? {
        guard let node = value(name) else { return nil }
        let texts = document.elements(of: node).map(document.string)
        return texts.contains(nil) ? nil : texts.compactMap { $0 }
    }

    func map(_ name: StaticString) -> [KeyValue]? {
        guard let node = value(name) else { return nil }
        var result: [KeyValue] = []
        for (key, value) in document.members(of: node) {
            guard let key = document.string(key), let value = document.string(value) else { return nil }
            result.append(KeyValue(key: key, value: value))
        }
        return result
    }
}
