import CgroupPlanning
import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func launch(
    _ text: String, mode: LaunchMode = .run, options: LaunchOptions = LaunchOptions(), on machine: Host = host
) throws -> (plan: LaunchPlan, findings: Findings) {
    let spec = try spec(text)
    return plan {
        LaunchPlan(spec, id: "box", bundle: "/bundles/box", options: options, mode: mode, host: machine, findings: &$0)
    }
}

/// A configuration with these members besides the root.
private func with(_ members: String) -> String {
    #"{"ociVersion":"1.2.0","root":{"path":"rootfs"}\#(members.isEmpty ? "" : ",")\#(members)}"#
}

private func withProcess(_ members: String) -> String {
    let more = members.isEmpty ? "" : ",\(members)"
    return with(#""process":{"cwd":"/","user":{"uid":0,"gid":0},"args":["sh"]\#(more)}"#)
}

private func withLinux(_ members: String) -> String {
    with(#""process":{"cwd":"/","user":{"uid":0,"gid":0},"args":["sh"]},"linux":{\#(members)}"#)
}

@Suite struct LaunchPlanTests {
    private static let whole = """
        {
          "ociVersion": "1.2.0",
          "root": {"path": "rootfs", "readonly": true},
          "hostname": "box",
          "process": {
            "cwd": "/srv", "args": ["sleep", "1"], "env": ["PATH=/bin", "PATH=/usr/bin"],
            "user": {"uid": 3, "gid": 4, "additionalGids": [5]}, "noNewPrivileges": true,
            "capabilities": {"bounding": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
            "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}]
          },
          "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/data", "source": "data", "options": ["rbind", "ro"]}
          ],
          "hooks": {"poststop": [{"path": "/bin/true"}]},
          "annotations": {"a": "1", "b": "2"},
          "linux": {
            "namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "uts"}, {"type": "network", "path": "/n"}],
            "sysctl": {"net.ipv4.ip_forward": "1"},
            "maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"],
            "cgroupsPath": "/group/box",
            "resources": {"pids": {"limit": 5}, "devices": [{"allow": false, "access": "rwm"}]},
            "seccomp": {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]},
            "personality": {"domain": "LINUX32"}
          }
        }
        """

    @Test func aConfigurationBecomesAPlan() throws {
        let (plan, findings) = try launch(Self.whole)
        #expect(findings.errorLines == [])
        #expect(findings.warningLines == [])
        #expect((plan.id, plan.bundle, plan.ociVersion, plan.mode) == ("box", "/bundles/box", "1.2.0", .run))
        #expect(plan.annotations.map { "\($0.key)=\($0.value)" } == ["a=1", "b=2"])
        #expect(plan.rootfs.path == "/bundles/box/rootfs")
        #expect(plan.rootfs.readOnly)
        #expect(
            plan.rootfs.mounts.map(\.kind) == [
                .fileSystem(type: "proc", source: "proc"), .bind(source: "/bundles/box/data", recursive: true),
            ])
        #expect(plan.namespaces.new == [.mount, .pid, .uts])
        #expect(plan.namespaces.joined.map(\.type) == [.network])
        #expect(plan.process?.environment == ["PATH=/usr/bin"])
        #expect(plan.process?.limits.map(\.name) == ["RLIMIT_NOFILE"])
        #expect(plan.capabilities.permitted.rawValue == 1 << 5)
        #expect(plan.noNewPrivileges)
        #expect(plan.system.hostname == "box")
        #expect(plan.system.sysctls.map(\.path) == ["net/ipv4/ip_forward"])
        #expect(plan.system.personality == 8)
        #expect(plan.seccomp?.rules.count == 1)
        #expect(plan.terminal == nil)
        #expect(plan.hooks?.poststop?.count == 1)
        #expect(plan.cgroup.path?.description == "/group/box")
        #expect(plan.cgroup.directory == "/sys/fs/cgroup/group/box")
        #expect(plan.cgroup.resources.settings.map(\.file) == ["pids.max"])
        #expect(plan.cgroup.deviceRules != nil)
    }

    /// With systemd the path is a unit's name, and where the cgroup is shows when it is there.
    @Test func aScopeIsPlanned() throws {
        var options = LaunchOptions()
        options.cgroupManager = .systemd
        let text = withLinux(#""cgroupsPath": "a-b.slice:pre:name""#)
        let (plan, findings) = try launch(text, options: options)
        #expect(findings.errorLines == [])
        #expect(plan.cgroup.path == nil && plan.cgroup.directory == nil)
        #expect(plan.cgroup.scope?.name.unit == "pre-name.scope" && plan.cgroup.scope?.isUser == false)
        let record = plan.cgroup.scope?.expectedRecord(root: "/sys/fs/cgroup")
        #expect(
            record?.mode == .systemd && record?.path == "/a.slice/a-b.slice/pre-name.scope" && record?.created == [])
        #expect(record?.scope == ScopeRecord(unit: "pre-name.scope", subgroup: nil, inode: 0))
        var user = host
        user.hasOwnSystemd = true
        let own = try launch(withLinux(""), options: options, on: user).plan.cgroup.scope
        #expect(own?.name.slice == "user.slice" && own?.name.unit == "runbox-box.scope" && own?.isUser == true)
        #expect(try launch(Self.whole, options: options).findings.errorLines.count == 1, "a path is no unit")
    }

    // MARK: Mistakes

    /// All that is wrong is shown in one go, each by its field.
    @Test func allMistakesAreFound() throws {
        let text = """
            {
              "ociVersion": "1.2.0", "root": {"path": "/"}, "hostname": "box",
              "process": {
                "terminal": true, "cwd": "/", "args": ["a"], "env": ["X"], "user": {"uid": 0, "gid": 0},
                "apparmorProfile": "p", "capabilities": {"effective": ["CAP_Z_Z_Z"]},
                "scheduler": {"policy": "SCHED_FIFO"}
              },
              "mounts": [{"destination": "/x"}],
              "linux": {
                "namespaces": [{"type": "pid"}], "uidMappings": [{"containerID": 0, "hostID": 0, "size": 1}],
                "sysctl": {"vm.swappiness": "1"}, "rootfsPropagation": "private",
                "resources": {"memory": {"swap": 5}},
                "seccomp": {"defaultAction": "SCMP_ACT_NOTIFY"}, "mountLabel": "l"
              }
            }
            """
        let (_, findings) = try launch(text, mode: .create)
        #expect(
            Set(findings.errors.map(\.field)) == [
                "root.path", "hostname", "process.terminal", "process.env[0]", "process.apparmorProfile",
                "process.scheduler.priority", "mounts[0].type", "linux.uidMappings", "linux.sysctl[\"vm.swappiness\"]",
                "linux.resources.memory.swap", "linux.seccomp.defaultAction",
                "linux.mountLabel",
            ])
        #expect(findings.warnings.map(\.field) == ["linux.rootfsPropagation", "process.capabilities.effective[0]"])
    }

    // MARK: SpecChecks

    @Test(arguments: [
        withProcess(#""apparmorProfile":"","selinuxLabel":"""#), withLinux(#""mountLabel":"","netDevices":{}"#),
        withProcess(""), withLinux(""),
    ])
    func emptySectionsAreNoMistake(text: String) throws {
        #expect(try launch(text).findings.errorLines == [])
    }

    @Test func onlyCreateDoesWithoutAProcess() throws {
        let created = try launch(with(""), mode: .create)
        #expect(created.findings.errorLines == [])
        #expect(created.plan.process == nil)
        #expect(created.plan.capabilities == ProcessCapabilities())
        #expect(try launch(with("")).findings.errorLines == ["process: process property must not be empty"])
    }

    @Test(arguments: HookTiming.allCases)
    func hooksHaveAbsolutePaths(timing: HookTiming) {
        let list = [Hook(path: "/bin/true"), Hook(path: "bin/false")]
        var hooks = Hooks()
        switch timing {
        case .prestart: hooks.prestart = list
        case .createRuntime: hooks.createRuntime = list
        case .createContainer: hooks.createContainer = list
        case .startContainer: hooks.startContainer = list
        case .poststart: hooks.poststart = list
        case .poststop: hooks.poststop = list
        }
        let spec = Spec(ociVersion: "1.2.0", process: process(), root: Root(path: "r"), hooks: hooks)
        let (_, findings) = plan { SpecChecks.run(spec, mode: .run, findings: &$0) }
        #expect(findings.errorLines == ["hooks.\(timing.rawValue)[1].path: must be an absolute path, is \"bin/false\""])
    }

    // MARK: cgroup

    /// Engines of the time before 1.3 write 0 for no limit; from then on it is the limit 0. No limit needs no
    /// controller.
    @Test(arguments: [
        ("1.0.2-dev", 0, "max", 0), ("1.2.1", 0, "max", 0), ("1.3.0", 0, "0", 1), ("1.0.0", -1, "max", 0),
        ("1.0.0", 7, "7", 1),
    ])
    func aPidsLimitOfZeroDependsOnTheVersion(version: String, limit: Int, value: String, controllers: Int) throws {
        let text = withLinux(#""resources":{"pids":{"limit":\#(limit)}}"#)
            .split(separator: "1.2.0").joined(separator: version)
        let resources = try launch(text).plan.cgroup.resources
        #expect(resources.settings.map(\.value) == [value])
        #expect(resources.controllers.count == controllers)
    }

    private static func options(_ manager: CgroupManagerKind) -> LaunchOptions {
        var options = LaunchOptions()
        options.cgroupManager = manager
        return options
    }

    @Test(arguments: [
        (#""cgroupsPath":"/a/b""#, "/a/b"), (#""cgroupsPath":"a/b""#, "/user.slice/a/b"), ("", "/user.slice/box"),
        (#""cgroupsPath":"""#, "/user.slice/box"), (#""cgroupsPath":"/a/../b""#, "/b"),
    ])
    func aCgroupsPathLeadsToOneCgroup(member: String, path: String) throws {
        let (plan, findings) = try launch(withLinux(member))
        #expect(findings.errorLines == [])
        #expect(plan.cgroup.path?.description == path)
    }

    /// A runtime that systemd has started, and a limit or none.
    @Test(arguments: [
        ("", false, "/x/web.service/box", false, false),
        (#""cgroupsPath":"a/b""#, false, "/x/web.service/a/b", false, false),
        (#""cgroupsPath":"/a/b""#, false, "/a/b", false, false), (limit, true, "/x/web.service/box", true, false),
        (limit, false, "/x/box", false, true), (#""cgroupsPath":"/a","# + limit, false, "/a", false, false),
        ("", true, "/x/web.service/box", false, false),
    ])
    func aServicesContainersStayInItsCgroup(member: String, delegated: Bool, path: String, clears: Bool, warns: Bool)
        throws
    {
        let service = OwnService(path: "/x/web.service", isDelegated: delegated)
        let machine = Host(
            effectiveUser: 0, effectiveGroup: 0,
            cgroups: CgroupHost(root: "/sys/fs/cgroup", ownPath: service.path, ownService: service))
        let plan = try launch(withLinux(member), on: machine).plan
        #expect(plan.cgroup.path?.description == path)
        #expect((plan.cgroup.clearedService != nil) == clears)
        #expect((plan.cgroup.notice != nil) == warns)
        if warns { #expect(plan.cgroup.notice?.contains("outside of web.service") == true) }
        let scope = try launch(withLinux(""), options: Self.options(.systemd), on: machine).plan
        #expect(scope.cgroup.notice?.contains("leave --systemd-cgroup out") == true)
        let named = try launch(withLinux(#""cgroupsPath":"a.slice:b:c""#), options: Self.options(.systemd), on: machine)
        #expect(named.plan.cgroup.notice == nil)
    }

    private static let limit = #""resources":{"pids":{"limit":5}}"#

    @Test func aCgroupNeedsAName() throws {
        #expect(try launch(withLinux(#""cgroupsPath":"/""#)).findings.errors.map(\.field) == ["linux.cgroupsPath"])
    }

    @Test func withoutACgroupNothingIsLimited() throws {
        let (plan, findings) = try launch(
            withLinux(#""resources":{"devices":[{"allow":false,"access":"rwm"}]}"#), options: Self.options(.disabled))
        #expect(findings.errorLines == [])
        #expect(
            findings.warningLines == [
                "linux.resources.devices: not applied: --cgroup-manager=disabled leaves no cgroup to apply it to"
            ])
        #expect(plan.cgroup.path == nil)
        #expect(plan.cgroup.directory == nil)
        #expect(plan.cgroup.deviceRules == nil)
    }

    /// A limit that is silently not there would be worse than no container.
    @Test func withoutACgroupLimitsAreRefused() throws {
        let (_, findings) = try launch(
            withLinux(#""resources":{"pids":{"limit":5},"memory":{"limit":1000000}}"#), options: Self.options(.disabled)
        )
        let reason = "needs a cgroup; remove it, or --cgroup-manager=disabled"
        #expect(
            findings.errorLines.sorted() == [
                "linux.resources.memory.limit: \(reason)", "linux.resources.pids.limit: \(reason)",
            ])
        #expect(findings.warningLines == [])
    }

    @Test func aMachineWithoutATreeHasNoDirectory() throws {
        let machine = Host(effectiveUser: 0, effectiveGroup: 0, cgroups: CgroupHost(root: nil))
        let plan = try launch(withLinux(""), on: machine).plan
        #expect(plan.cgroup.directory == nil)
    }
}
