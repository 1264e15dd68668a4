internal import Cgroups
internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec
internal import Planning

/// What shows only by a look at the host: sources, hooks, programs, controllers. Nothing is changed; what may not be
/// looked at is passed over.
struct HostCheck {
    private let plan: LaunchPlan
    private let seccomp: [UInt8]

    /// - Parameter seccomp: the section's text.
    init(_ plan: LaunchPlan, seccomp: [UInt8]) {
        self.plan = plan
        self.seccomp = seccomp
    }

    func run(_ findings: inout Findings) {
        checkControllers(&findings)
        checkSources(&findings)
        let filter = checkFilter(&findings)
        let tree = openRoot(&findings)
        checkHooks(tree, &findings)
        guard let tree, let process = plan.process else { return }
        checkOwner(&findings)
        checkDirectory(process, tree, &findings)
        ProgramCheck(plan, process, tree, filter: filter).run(&findings)
    }

    // MARK: cgroup

    private func checkControllers(_ findings: inout Findings) {
        if let scope = plan.cgroup.scope {
            do throws(CgroupError) {
                try scope.reach()
            } catch {
                findings.refuse("linux.cgroupsPath", error.descriptionWithoutField)
            }
        } else if plan.cgroup.path == nil {
            return
        }
        for error in plan.cgroup.host.obstacles(to: plan.cgroup.resources) {
            findings.refuse(error.field ?? "linux.cgroupsPath", error.descriptionWithoutField)
        }
    }

    // MARK: Files

    private func checkSources(_ findings: inout Findings) {
        for mount in plan.rootfs.mounts {
            guard case .bind(let source, _) = mount.kind else { continue }
            do throws(SystemError) {
                _ = try Files.status(source, follow: mount.followSource && !mount.copySymbolicLink)
            } catch {
                let field = "mounts[\(mount.index)].source"
                if error.isMissing {
                    if isShownByMounts(mount, source) { continue }
                    findings.refuse(field, MountPlan.missing(source, error.code))
                } else {
                    findings.warn(field, "\(source) cannot be looked at: \(error.code)")
                }
            }
        }
    }

    /// Whether a source that is not there will be, once the mounts before it are.
    private func isShownByMounts(_ mount: MountPlan, _ source: String) -> Bool {
        var late = LateSources(plan.rootfs)
        guard late.takes(mount, source), let root = try? Files.open(plan.rootfs.path, [.path, .directory]) else {
            return false
        }
        let earlier = plan.rootfs.mounts.filter { $0.index < mount.index }
        if earlier.contains(where: { $0.destination.begins(with: late.found.cleanedPath + "/") }) { return true }
        let tree = OverlaidTree(root)
        cover(tree, with: earlier)
        do throws(SystemError) {
            _ = try tree.open(late.found, .path)
            return true
        } catch {
            // On a mount of which nothing is known.
            return error.isRefusal
        }
    }

    /// Nothing is known of what an earlier mount may show.
    private func cover(_ tree: OverlaidTree, with mounts: [MountPlan]) {
        for (index, mount) in mounts.enumerated() {
            switch mount.kind {
            case .bind(let source, _):
                var late = LateSources(plan.rootfs)
                let isLate = late.takes(mount, source)
                tree.cover(mount.destination, with: isLate ? nil : source, tag: index)
            case .fileSystem, .cgroup: tree.cover(mount.destination, with: nil, tag: index)
            case .remount: break
            }
        }
    }

    private func openRoot(_ findings: inout Findings) -> OverlaidTree? {
        let path = plan.rootfs.path
        do throws(SystemError) {
            let tree = OverlaidTree(try RootPreparation.open(path))
            // A root that is refused anyway is not looked into.
            if path == "/" { return nil }
            cover(tree, with: plan.rootfs.mounts)
            return tree
        } catch {
            guard !path.isEmpty, path != "/" else { return nil }
            switch error.code {
            case .noError: findings.refuse("root.path", error.operation.rest(after: "root.path: ") ?? error.operation)
            case .noEntry: findings.refuse("root.path", "\(path): \(error.code) (\(Remedy.rootPath))")
            default: findings.warn("root.path", "\(path) cannot be looked at: \(error.code)")
            }
            return nil
        }
    }

    /// Files of an owner whom the container does not map have no owner there, and its root has no privileges
    /// over them.
    private func checkOwner(_ findings: inout Findings) {
        guard plan.namespaces.new.contains(.user), let status = try? Files.status(plan.rootfs.path) else { return }
        let isMapped = plan.namespaces.uidMappings.contains {
            status.owner >= $0.hostID && UInt64(status.owner) < UInt64($0.hostID) + UInt64($0.size)
        }
        if !isMapped {
            findings.warn(
                "root.path",
                "belongs to uid \(status.owner) of the host, whom linux.uidMappings does not map: it has no owner in the container, whose root may not change it; chown it to a mapped one"
            )
        }
    }

    private func checkDirectory(_ process: ProcessPlan, _ tree: OverlaidTree, _ findings: inout Findings) {
        // One that is missing is made.
        guard let found = try? tree.open(process.directory, .path), let status = try? Files.status(of: found),
            status.kind != .directory
        else { return }
        findings.refuse("process.cwd", ProcessSetup.words(process.directory, .notDirectory))
    }

    // MARK: Hooks

    private func checkHooks(_ tree: OverlaidTree?, _ findings: inout Findings) {
        for timing in HookTiming.allCases {
            let runner = HookRunner(
                timing, plan.hooks, directory: nil, output: HookOutput(plan.annotations, bundle: plan.bundle))
            for (index, hook) in runner.hooks.enumerated() where hook.path.isAbsolutePath {
                guard let view = timing == .startContainer ? container(tree) : ProgramInspection.here(.runtime),
                    let fault = runner.inspection(of: index, view).fault(of: hook.path)
                else { continue }
                let field = "hooks.\(timing.rawValue)[\(index)].path"
                let words = HookRunner.cannotExecute(timing, index, hook.path, fault.hookWords)
                if timing == .poststop { findings.warn(field, words) } else { findings.refuse(field, words) }
            }
        }
    }

    private func container(_ tree: OverlaidTree?) -> ProgramInspection? {
        guard let tree, let process = plan.process else { return nil }
        return ProgramCheck(plan, process, tree, filter: nil).inspection
    }

    // MARK: seccomp

    /// The compiled profile, if there is one that can be compiled.
    private func checkFilter(_ findings: inout Findings) -> SeccompProgram? {
        guard let profile = plan.seccomp, findings.errors.allSatisfy({ !$0.field.begins(with: "linux.seccomp") }) else {
            return nil
        }
        do throws(SystemError) {
            let program = try SeccompCompiler(plan: profile, text: seccomp, cache: "").compile()
            if plan.process != nil, let obstacle = SeccompPreflight.obstacle(to: program) {
                findings.refuse("linux.seccomp", obstacle)
            }
            return program
        } catch {
            findings.refuse("linux.seccomp", error.description)
            return nil
        }
    }
}
