import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

private func read(
    root: Root? = Root(path: "rootfs"), mounts: [Mount]? = nil, linux: Linux? = nil, pivotRoot: Bool = true,
    _ names: NamespacePlan = namespaces(.mount)
) -> (plan: RootfsPlan, findings: Findings) {
    let spec = Spec(ociVersion: "1.3.0", root: root, mounts: mounts, linux: linux)
    return plan { RootfsPlan(spec, bundle: "/b", pivotRoot: pivotRoot, namespaces: names, findings: &$0) }
}

@Suite struct RootfsPlanTests {
    @Test(arguments: [
        ("rootfs", "/b/rootfs"), ("./rootfs", "/b/rootfs"), ("/srv/root", "/srv/root"), ("/srv//root/", "/srv/root"),
        ("../other", "/other"), (".", "/b"), ("/srv/./x/../root", "/srv/root"),
    ])
    func theRootIsAbsoluteOrBelowTheBundle(written: String, path: String) {
        let (plan, findings) = read(root: Root(path: written))
        #expect(findings.errorLines == [])
        #expect(plan.path == path)
        #expect(!plan.readOnly)
    }

    @Test(
        arguments: [
            (nil, "root: required on Linux: which directory is the container's root file system?"),
            (Root(path: ""), "root.path: must not be empty"),
            (Root(path: "/"), "root.path: must not be the host's own root"),
            (Root(path: ".."), "root.path: must not be the host's own root"),
            (Root(path: "/a/../"), "root.path: must not be the host's own root"),
        ] as [(Root?, String)])
    func rootsThatCannotBeAreRefused(root: Root?, line: String) {
        #expect(read(root: root).findings.errorLines.contains(line))
    }

    @Test(
        arguments: [
            (.shared, .shared, false), (.rshared, .shared, true), (.slave, .slave, false), (.rslave, .slave, true),
            (.private, .private, false), (.rprivate, .private, true), (.unbindable, .unbindable, false),
            (.runbindable, .unbindable, true),
        ] as [(RootfsPropagation, MountPropagation, Bool)])
    func everyPropagationWordIsTakenOver(word: RootfsPropagation, kind: MountPropagation, recursive: Bool) {
        let (plan, findings) = read(linux: Linux(rootfsPropagation: word))
        #expect(findings.errorLines == [])
        #expect(plan.propagation == (kind, recursive))
        #expect(plan.propagationIsExplicit)
    }

    @Test func withoutAPropagationTheRootIsASlave() {
        let plan = read().plan
        #expect(plan.propagation == (.slave, true))
        #expect(!plan.propagationIsExplicit)
    }

    // MARK: --no-pivot

    @Test(arguments: RootfsPropagation.allCases, [false, true])
    func privatePropagationNeedsAPivot(word: RootfsPropagation, noPivot: Bool) {
        let (plan, findings) = read(linux: Linux(rootfsPropagation: word), pivotRoot: !noPivot)
        let isRefused = noPivot && (word == .private || word == .rprivate)
        let line = "linux.rootfsPropagation: private cannot be kept together with --no-pivot"
        #expect(findings.errorLines == (isRefused ? [line] : []))
        #expect(plan.pivotRoot != noPivot)
    }

    @Test func noPivotByItselfIsFine() {
        #expect(read(pivotRoot: false).findings.errorLines == [])
    }

    // MARK: Devices

    /// Path, kind, numbers.
    private static let defaults = [
        "/dev/null 1:3", "/dev/zero 1:5", "/dev/full 1:7", "/dev/random 1:8", "/dev/urandom 1:9", "/dev/tty 5:0",
    ]

    private static func lines(_ devices: [DevicePlan]) -> [String] {
        devices.map { "\($0.path) \($0.major):\($0.minor)" }
    }

    @Test func everyContainerHasTheDefaults() {
        let (plan, _) = read()
        #expect(Self.lines(plan.devices) == Self.defaults)
        #expect(plan.devices.allSatisfy { $0.kind == .characterDevice && $0.mode == 0o666 && $0.owner == 0 })
        #expect(plan.makesDevices)
    }

    @Test(arguments: ["/dev/null", "/dev//null", "/dev/./x/../null"])
    func aConfiguredDeviceTakesThePlaceOfTheDefault(path: String) {
        let device = Device(type: .c, path: path, major: 1, minor: 3, fileMode: 0o600, uid: 7)
        let (plan, findings) = read(linux: Linux(devices: [device]))
        #expect(findings.errorLines == [])
        #expect(Self.lines(plan.devices) == Self.defaults.dropFirst() + ["/dev/null 1:3"])
        #expect(plan.devices.last?.mode == 0o600)
        #expect(plan.devices.last?.owner == 7)
    }

    @Test func ofTwoDevicesForOnePathTheLastHolds() {
        let devices = [
            Device(type: .c, path: "/dev/x", major: 1, minor: 1), Device(type: .b, path: "/dev/x", major: 2, minor: 2),
        ]
        #expect(Self.lines(read(linux: Linux(devices: devices)).plan.devices) == Self.defaults + ["/dev/x 2:2"])
    }

    @Test(arguments: [
        (Mount(destination: "/dev", type: "bind", source: "/dev", options: ["rbind"]), false),
        (Mount(destination: "dev/", source: "/dev", options: ["bind"]), false),
        (Mount(destination: "/dev", type: "tmpfs"), true),
        (Mount(destination: "/dev/shm", source: "/dev/shm", options: ["bind"]), true),
    ])
    func aBoundDevIsLeftAlone(mount: Mount, makes: Bool) {
        let device = Device(type: .c, path: "/dev/x", major: 9, minor: 9)
        let (plan, _) = read(mounts: [mount], linux: Linux(devices: [device]))
        #expect(plan.makesDevices == makes)
        #expect(Self.lines(plan.devices) == (makes ? Self.defaults : []) + ["/dev/x 9:9"])
    }

    // MARK: Without a mount namespace

    @Test func withoutANamespaceTheHostsMountsAreLeftAlone() {
        let linux = Linux(rootfsPropagation: .slave, maskedPaths: ["/proc/keys"], readonlyPaths: ["/proc/sys"])
        let (plan, findings) = read(
            root: Root(path: "rootfs", readonly: true),
            mounts: [Mount(destination: "/x", type: "tmpfs"), Mount(destination: "/y", options: ["remount", "ro"])],
            linux: linux, namespaces(.pid))
        let remedy = "add {\"type\": \"mount\"} to linux.namespaces"
        let refused = ["mounts[1]", "linux.maskedPaths", "linux.readonlyPaths"]
        #expect(findings.errorLines == refused.map { "\($0): needs a mount namespace; \(remedy)" })
        #expect(
            findings.warningLines == [
                "mounts: are made on the host until the container is deleted, for want of a mount namespace; \(remedy)",
                "root.readonly: has no effect without a mount namespace; \(remedy)",
                "linux.rootfsPropagation: has no effect without a mount namespace; \(remedy)",
            ])
        #expect(!plan.readOnly && !plan.propagationIsExplicit)
    }

    /// Only a /dev that the container brings gets nodes.
    @Test(arguments: [([Mount(destination: "/dev", type: "tmpfs")], true), ([], false)])
    func withoutANamespaceNodesGoOnATmpfsOnly(mounts: [Mount], makes: Bool) {
        let device = Device(type: .p, path: "/dev/x")
        let (plan, findings) = read(mounts: mounts, linux: Linux(devices: [device]), namespaces(.pid))
        #expect(plan.makesDevices == makes)
        #expect(findings.errorLines.count == (makes ? 0 : 1))
    }

    @Test func withoutANamespaceAPlainRootIsFine() {
        #expect(read(linux: Linux(maskedPaths: [], readonlyPaths: []), namespaces()).findings.errorLines == [])
    }

    @Test func aJoinedMountNamespaceIsOneToo() {
        let (_, findings) = read(
            root: Root(path: "rootfs", readonly: true), linux: Linux(maskedPaths: ["/x"]),
            namespaces(joined: [.mount]))
        #expect(findings.errorLines == [])
    }

    // MARK: Lists

    @Test func hiddenPathsAreCleaned() {
        let linux = Linux(maskedPaths: ["/proc//kcore", "/a/../b"], readonlyPaths: ["/proc/sys/"])
        let plan = read(root: Root(path: "r", readonly: true), linux: linux).plan
        #expect(plan.maskedPaths == ["/proc/kcore", "/b"])
        #expect(plan.readOnlyPaths == ["/proc/sys"])
        #expect(plan.readOnly)
    }

    @Test func aPathThatIsGivenTwiceIsHiddenOnce() {
        let paths = ["/proc/kcore", "/a", "/proc/./kcore", "/a/"]
        let plan = read(linux: Linux(maskedPaths: paths, readonlyPaths: paths)).plan
        #expect(plan.maskedPaths == ["/proc/kcore", "/a"])
        #expect(plan.readOnlyPaths == ["/proc/kcore", "/a"])
    }

    @Test(arguments: [(9, nil), (10, "10"), (nil, nil)] as [(UInt32?, String?)])
    func anOwnerWithoutAMappingIsWarnedAbout(id: UInt32?, named: String?) {
        let device = Device(type: .c, path: "/dev/x", major: 1, minor: 3, uid: id, gid: id)
        let (_, findings) = read(linux: Linux(devices: [device]), namespaces(.mount, .user))
        let reason = "is not mapped in the user namespace: the device belongs to nobody in the container"
        #expect(findings.errorLines == [])
        #expect(
            findings.warningLines
                == (named.map { id in ["uid", "gid"].map { "linux.devices[0].\($0): \(id) \(reason)" } } ?? []))
    }

    /// A mount that is refused is left out, and the others keep their numbers.
    @Test func mountsKeepTheirOrder() {
        let mounts = [
            Mount(destination: "/a", type: "tmpfs"), Mount(destination: "/b"), Mount(destination: "/a", type: "proc"),
        ]
        let (plan, findings) = read(mounts: mounts)
        #expect(plan.mounts.map(\.index) == [0, 2])
        #expect(plan.mounts.map(\.destination) == ["/a", "/a"])
        #expect(findings.errors.map(\.field) == ["mounts[1].type"])
    }
}
