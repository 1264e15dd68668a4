internal import CgroupPlanning
internal import KernelTypes
import OCISpec
internal import Planning

/// What a plan promises of its configuration. Worked out from the text of the configuration once more, by rules as
/// plain as they come, and not by the planner's own tables.
enum PlanPromises {
    static func check(_ facts: PlanFacts, _ spec: Spec, _ options: LaunchOptions, _ findings: inout FuzzResult) {
        checkNamespaces(facts, spec, &findings)
        checkRoot(facts, spec, &findings)
        checkMounts(facts, spec, &findings)
        checkDevices(facts, spec, &findings)
        checkProgram(facts, spec.process, &findings)
        checkCapabilities(facts.capabilities, spec.process?.capabilities, &findings)
        findings.expect(facts.noNewPrivileges == (spec.process?.noNewPrivileges ?? false), "noNewPrivileges is kept")
        findings.expect(facts.hasTerminal == (spec.process?.terminal ?? false), "a terminal where one is asked for")
        let named = { (text: String?) in text.flatMap { $0.isEmpty ? nil : $0 } }
        findings.expectOfClean(
            facts.profile == named(spec.process?.apparmorProfile) && facts.label == named(spec.process?.selinuxLabel),
            "profile and label are kept")
        checkFilter(facts.filter, spec.linux?.seccomp, &findings)
        checkSystem(facts, spec, &findings)
        checkCgroup(facts, spec, options, &findings)
        findings.expect(facts.hooks == spec.hooks, "the hooks are kept")
        findings.expectOfClean(facts.hasResctrl == (spec.linux?.intelRdt != nil), "resctrl where it is asked for")
        findings.expect(
            facts.hasMemoryPolicy == (spec.linux?.memoryPolicy != nil), "a memory policy where one is asked for")
        let devices = (spec.linux?.netDevices ?? []).map(\.hostName)
        findings.expectOfClean(facts.netDevices == devices, "the network interfaces are those that are asked for")
        checkAnnotations(facts, spec, &findings)
        for (field, _) in facts.errors + facts.warnings {
            findings.expect(field.first?.isLetter == true, "every finding names its field")
        }
    }

    private static func checkAnnotations(_ facts: PlanFacts, _ spec: Spec, _ findings: inout FuzzResult) {
        let value = { (key: String) in spec.annotations?.last { $0.key == "run.oci.\(key)" }?.value }
        findings.expect(
            facts.keepsGroups == (value("keep_original_groups") == "1"), "the caller's groups where asked for")
        findings.expect(!facts.hasOtherFilter, "no other filter than the configuration's")
        findings.expectOfClean(
            facts.delegatedCgroup == value("delegate-cgroup"), "a cgroup within the cgroup where one is asked for")
    }

    // MARK: Isolation

    static func checkNamespaces(_ facts: PlanFacts, _ spec: Spec, _ findings: inout FuzzResult) {
        let flags: [NamespaceType: NamespaceFlags] = [
            .pid: .pid, .network: .network, .mount: .mount, .ipc: .ipc, .uts: .uts, .user: .user, .cgroup: .cgroup,
            .time: .time,
        ]
        let all = spec.linux?.namespaces ?? []
        let new = all.filter { $0.path == nil }.reduce(NamespaceFlags()) { $0.union(flags[$1.type] ?? []) }
        findings.expect(
            facts.newNamespaces == new, "new namespaces are those of the configuration, no more and no fewer")
        findings.expect(
            facts.joinedNamespaces.map(\.path) == all.compactMap(\.path),
            "namespaces are joined by the paths of the configuration")
        findings.expect(facts.uidMappings == spec.linux?.uidMappings ?? [], "user mappings are kept")
        findings.expect(facts.gidMappings == spec.linux?.gidMappings ?? [], "group mappings are kept")
    }

    private static func checkRoot(_ facts: PlanFacts, _ spec: Spec, _ findings: inout FuzzResult) {
        // On the host's own mounts it has no effect, which is a warning.
        let isOwn = spec.linux?.namespaces?.contains { $0.type == .mount } ?? false
        findings.expect(
            facts.isRootReadOnly == (isOwn && spec.root?.readonly ?? false), "a read-only root stays so")
        findings.expectOfClean(isClean(facts.root) && facts.root != "/", "the root is a folder of its own")
        findings.expect(areKept(facts.maskedPaths, spec.linux?.maskedPaths), "every masked path is kept once")
        findings.expect(areKept(facts.readOnlyPaths, spec.linux?.readonlyPaths), "every read-only path is kept once")
    }

    private static func areKept(_ paths: [String], _ written: [String]?) -> Bool {
        let kept = Set(paths)
        return kept.count == paths.count && paths.allSatisfy(isClean)
            && kept == Set((written ?? []).map { $0.cleanedPath })
    }

    private static func checkMounts(_ facts: PlanFacts, _ spec: Spec, _ findings: inout FuzzResult) {
        let mounts = spec.mounts ?? []
        findings.expectOfClean(facts.mounts.count == mounts.count, "every mount is planned")
        for plan in facts.mounts {
            guard mounts.indices.contains(plan.index) else {
                findings.expect(false, "no mount without an entry")
                continue
            }
            let mount = mounts[plan.index]
            let words = mount.options ?? []
            findings.expect(isClean(plan.destination), "a destination has no way out: \(plan.destination)")
            let isBind = mount.type == "bind" || words.contains("bind") || words.contains("rbind")
            let source = isBind && !words.contains("remount") ? mount.source : nil
            findings.expect(
                plan.source == source.map { $0.first == "/" ? $0 : "/bundle/\($0)" },
                "the source of a bind mount is its own")
            findings.expect(plan.isRemount == words.contains("remount"), "a remount where one is asked for")
            // The label of all mounts is an option of each.
            let label = spec.linux?.mountLabel.map { "context=\"\($0)\"" }
            findings.expect(
                plan.data.allSatisfy { words.contains($0) || $0 == label },
                "no option of a file system without its word")
            let asksMapping = !(mount.uidMappings ?? []).isEmpty || words.contains("idmap")
            findings.expect(
                !plan.isIDMapped || asksMapping || mount.gidMappings != nil, "ids are mapped where asked for")
            findings.expectOfClean(plan.isIDMapped == asksMapping, "ids that are to be mapped are")
            checkOptions(plan, words, &findings)
        }
    }

    /// Of two options that undo each other, the last one counts.
    private static func checkOptions(_ plan: PlanFacts.Mount, _ words: [String], _ findings: inout FuzzResult) {
        let pairs: [(on: String, off: String, attribute: MountAttributes, flag: MountFlags)] = [
            ("ro", "rw", .readOnly, .readOnly), ("nosuid", "suid", .noSetID, .noSetID),
            ("nodev", "dev", .noDevices, .noDevices),
            ("noexec", "exec", .noExecute, .noExecute),
            ("nosymfollow", "symfollow", .noSymbolicLinks, .noSymbolicLinks),
        ]
        for pair in pairs {
            let isOn = words.last { $0 == pair.on || $0 == pair.off } == pair.on
            findings.expect(
                plan.set.contains(pair.attribute) == isOn && plan.flags.contains(pair.flag) == isOn,
                "the option \(pair.on) is kept")
            let isOnBelow = words.last { $0 == "r\(pair.on)" || $0 == "r\(pair.off)" } == "r\(pair.on)"
            findings.expect(plan.setRecursively.contains(pair.attribute) == isOnBelow, "the option r\(pair.on) is kept")
        }
        let kinds: [String: MountPropagation] = ["private": .private, "rshared": .shared, "rslave": .slave]
        findings.expect(
            plan.propagation == words.compactMap { kinds[$0] }, "propagation as the words say, in their order")
    }

    private static func checkDevices(_ facts: PlanFacts, _ spec: Spec, _ findings: inout FuzzResult) {
        let asked = Set((spec.linux?.devices ?? []).map { clean($0.path) })
        let usual: Set = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"]
        for device in facts.devices {
            findings.expect(
                (device.isDefault ? usual : asked).contains(device.path),
                "no device that the configuration does not ask for: \(device.path)")
        }
        findings.expect(Set(facts.devices.map(\.path)).count == facts.devices.count, "a device once")
        findings.expectOfClean(asked.isSubset(of: facts.devices.map(\.path)), "every device is planned")
    }

    // MARK: The process

    static func checkProgram(_ facts: PlanFacts, _ process: Process?, _ findings: inout FuzzResult) {
        findings.expect((facts.program != nil) == (process != nil), "a process where one is asked for")
        guard let plan = facts.program, let process else { return }
        findings.expect(plan.arguments == process.args ?? [], "the arguments are kept")
        findings.expect(plan.directory == process.cwd, "the working directory is kept")
        findings.expect(plan.user == process.user.uid && plan.group == process.user.gid, "user and group are kept")
        findings.expect(plan.additionalGroups == process.user.additionalGids ?? [], "the groups are kept")
        findings.expect(plan.creationMask == process.user.umask ?? 0o022, "the file mode mask is kept")
        let limits = (process.rlimits ?? []).map { "\($0.type.rawValue) \($0.soft) \($0.hard)" }
        findings.expect(plan.limits == limits, "the limits are kept")
        findings.expect(plan.oomScoreAdjustment == process.oomScoreAdj, "oomScoreAdj is kept")
        findings.expect(plan.hasScheduling == (process.scheduler != nil), "a scheduler where one is asked for")
        findings.expect(plan.hasIOPriority == (process.ioPriority != nil), "an I/O priority where one is asked for")
        var variables: [String: String] = [:]
        for entry in process.env ?? [] { variables[String(entry.prefix { $0 != "=" })] = entry }
        findings.expectOfClean(
            Set(plan.environment) == Set(variables.values), "of every variable the last value, and no other")
    }

    static func checkCapabilities(
        _ plan: ProcessCapabilities, _ sets: OCISpec.Capabilities?, _ findings: inout FuzzResult
    ) {
        func check(_ set: CapabilitySet, _ names: [String]?, _ kind: String) {
            let known = Set(KernelTypes.Capabilities.names(of: KernelTypes.Capabilities.known))
            let wanted = Set(names ?? []).intersection(known)
            findings.expect(
                Set(KernelTypes.Capabilities.names(of: set)) == wanted,
                "the \(kind) capabilities are those that are named")
        }
        check(plan.bounding, sets?.bounding, "bounding")
        check(plan.effective, sets?.effective, "effective")
        check(plan.inheritable, sets?.inheritable, "inheritable")
        check(plan.permitted, sets?.permitted, "permitted")
        check(plan.ambient, sets?.ambient, "ambient")
    }

    // MARK: Confinement

    static func checkFilter(_ plan: PlanFacts.Filter?, _ seccomp: Seccomp?, _ findings: inout FuzzResult) {
        findings.expect((plan != nil) == (seccomp != nil), "a filter where one is asked for")
        guard let plan, let seccomp else { return }
        findings.expect(
            isVerdict(plan.defaultVerdict, seccomp.defaultAction, seccomp.defaultErrnoRet), "the default action is kept"
        )
        let rules = seccomp.syscalls ?? []
        for rule in plan.rules {
            findings.expect(
                rules.contains { $0.names == rule.names && isVerdict(rule.verdict, $0.action, $0.errnoRet) },
                "no rule of the filter without its entry")
        }
        for rule in rules where !isVerdict(plan.defaultVerdict, rule.action, rule.errnoRet) {
            findings.expect(
                plan.rules.contains { $0.names == rule.names && isVerdict($0.verdict, rule.action, rule.errnoRet) },
                "every rule that says another thing than the default is planned")
        }
        let asks = seccomp.defaultAction == .notify || rules.contains { $0.action == .notify }
        findings.expect(plan.notifies == asks, "an agent is asked where an action says so")
    }

    private static func isVerdict(_ verdict: SeccompVerdict, _ action: SeccompAction, _ errno: UInt32?) -> Bool {
        switch action {
        case .kill, .killThread: verdict == .killThread
        case .killProcess: verdict == .killProcess
        case .trap: verdict == .trap
        case .errno: verdict == .errno(UInt16(errno ?? 1))
        case .trace: verdict == .trace(UInt16(errno ?? 1))
        case .allow: verdict == .allow
        case .log: verdict == .log
        case .notify: verdict == .notify
        }
    }

    private static func checkSystem(_ facts: PlanFacts, _ spec: Spec, _ findings: inout FuzzResult) {
        findings.expect(facts.hostname == spec.hostname && facts.domainname == spec.domainname, "the names are kept")
        let wanted = (spec.linux?.sysctl ?? []).map { "\($0.key)=\($0.value)" }
        findings.expect(
            facts.sysctls.map { "\($0.key)=\($0.value)" } == wanted,
            "the kernel parameters are those of the configuration")
        // Without a namespace of its own, the host would be renamed.
        let types = (spec.linux?.namespaces ?? []).map(\.type)
        findings.expectOfClean(spec.hostname == nil || types.contains(.uts), "no host name without its namespace")
        // Mounts of its own are taken away again; the host's are not changed, and nothing is hidden on it.
        let changesHost =
            facts.mounts.contains { $0.isRemount } || !facts.maskedPaths.isEmpty || !facts.readOnlyPaths.isEmpty
        findings.expectOfClean(!changesHost || types.contains(.mount), "no mount of the host is changed")
        for (key, _) in facts.sysctls {
            let own: NamespaceType = key.first == "n" ? .network : .ipc
            findings.expectOfClean(types.contains(own) && key != "kernel.panic", "no parameter of the host: \(key)")
        }
    }

    private static func checkCgroup(
        _ facts: PlanFacts, _ spec: Spec, _ options: LaunchOptions, _ findings: inout FuzzResult
    ) {
        if options.cgroupManager == .disabled {
            findings.expect(facts.cgroup == nil && !facts.limitsDevices, "no cgroup where none is wanted")
            findings.expectOfClean(facts.settings.isEmpty, "no limit is lost with the cgroup")
        } else if let cgroup = facts.cgroup {
            findings.expect(
                !cgroup.components.isEmpty && isClean(cgroup.description), "the cgroup lies below the tree's root")
        }
        let resources = spec.linux?.resources
        let asked: [String: Bool] = [
            "memory": resources?.memory != nil, "cpu": resources?.cpu != nil, "pids": resources?.pids != nil,
            "blockIO": resources?.blockIO != nil, "hugepageLimits": resources?.hugepageLimits != nil,
            "rdma": resources?.rdma != nil, "unified": resources?.unified != nil,
        ]
        for setting in facts.settings {
            let words = setting.field.split { !$0.isLetter && !$0.isNumber }.map(String.init)
            let section = words.count > 2 ? words[2] : ""
            findings.expect(asked[section] == true, "no cgroup setting without its field: \(setting.field)")
            findings.expect(
                !setting.file.contains("/"), "a setting is a file of the container's own cgroup: \(setting.file)")
        }
        if let limit = resources?.memory?.limit {
            let value = limit < 0 ? "max" : "\(limit)"
            findings.expectOfClean(
                facts.settings.contains { $0.file == "memory.max" && $0.value == value }, "the memory limit is planned")
        }
        let hasRules = resources?.devices?.isEmpty == false
        findings.expectOfClean(
            facts.limitsDevices == (hasRules && facts.cgroup != nil), "device rules where they are asked for")
    }

    // MARK: Paths

    private static func isClean(_ path: String) -> Bool { clean(path) == path }

    /// Absolute, without empty parts and dots.
    static func clean(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            if part == ".." { _ = parts.popLast() } else if part != "." { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}
