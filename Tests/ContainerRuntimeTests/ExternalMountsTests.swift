import Errors
import Kernel
import KernelTypes
import OCISpec
import Planning
import TestSupport
import Testing

@testable import ContainerRuntime

/// Which mounts of a container a checkpoint names instead of saving them, and what a restore shows in their place.
@Suite struct ExternalMountsTests {
    private static func rootfs(_ mounts: [Mount], masked: [String] = []) -> RootfsPlan {
        let linux = Linux(maskedPaths: masked)
        let spec = Spec(ociVersion: "1.3.0", root: Root(path: "rootfs"), mounts: mounts, linux: linux)
        return plan {
            RootfsPlan(spec, bundle: "/b", pivotRoot: true, namespaces: namespaces(.mount), findings: &$0)
        }.plan
    }

    private static func bind(_ source: String, _ destination: String, _ options: [String] = ["rbind"]) -> Mount {
        Mount(destination: destination, type: "bind", source: source, options: options)
    }

    private static let host = [
        MountDetail(device: "8:1", root: "/", path: "/", type: "ext4"),
        MountDetail(device: "0:5", root: "/", path: "/dev", type: "devtmpfs"),
        MountDetail(device: "0:20", root: "/", path: "/proc", type: "proc"),
        MountDetail(device: "0:40", root: "/", path: "/srv/data/sub", type: "tmpfs"),
        MountDetail(device: "0:41", root: "/", path: "/b/rootfs/below", type: "tmpfs"),
    ]

    @Test func whatTheHostHasIsNamed() {
        let mounts = [
            MountDetail(device: "8:1", root: "/b/rootfs", path: "/", type: "ext4"),
            MountDetail(device: "0:60", root: "/", path: "/proc", type: "proc"),
            MountDetail(device: "0:60", root: "/sys", path: "/proc/sys", type: "proc"),
            MountDetail(device: "0:5", root: "/null", path: "/proc/kcore", type: "devtmpfs"),
            MountDetail(device: "0:61", root: "/", path: "/sys/firmware", type: "tmpfs"),
            MountDetail(device: "0:20", root: "/", path: "/host/proc", type: "proc"),
            MountDetail(device: "8:1", root: "/srv/data", path: "/data", type: "ext4"),
            MountDetail(device: "0:40", root: "/", path: "/data/sub", type: "tmpfs"),
            MountDetail(device: "8:1", root: "/b/rootfs/usr", path: "/own", type: "ext4"),
            MountDetail(device: "8:1", root: "/b/rootfs2", path: "/other", type: "ext4"),
        ]
        let found = ExternalMounts(
            saving: mounts, host: Self.host,
            plan: Self.rootfs([Self.bind("/srv/data", "/data")], masked: ["/proc/kcore", "/sys/firmware"])
        ) { $0 }
        let expected = [
            ("/proc/kcore", "/dev/null"), ("/data", "/data"), ("/data/sub", "/data/sub"), ("/other", "/other"),
        ]
        #expect(found.places == expected.map { ExternalMounts.Place(key: $0, value: $1) })
    }

    private static func restored(
        _ mounts: [Mount], moved: [(destination: String, source: String)] = [], links: [String: String] = [:]
    ) -> [String: String] {
        let found = ExternalMounts(restoring: rootfs(mounts, masked: ["/proc/kcore"]), moved: moved, host: host) {
            links[$0] ?? $0
        }
        return Dictionary(uniqueKeysWithValues: found.places.map { ($0.key, $0.value) })
    }

    @Test func bindMountsAreShownFromTheConfigurationsSources() {
        let found = Self.restored([Self.bind("/srv/data", "/data"), Self.bind("here", "/one", ["bind"])])
        #expect(found["/data"] == "/srv/data" && found["/data/sub"] == "/srv/data/sub")
        #expect(found["/one"] == "/b/here")
        #expect(found["/dev/null"] == "/dev/null")
        #expect(found["/below"] == "/b/rootfs/below")
        let flat = Self.restored([Self.bind("/srv/data", "/data", ["bind"])])
        #expect(flat["/data/sub"] == nil)
    }

    @Test func aSourceMayBeAnotherOne() {
        let found = Self.restored([Self.bind("/old", "/data")], moved: [("/data/", "/srv/data")])
        #expect(found["/data"] == "/srv/data" && found["/data/sub"] == "/srv/data/sub")
    }

    @Test func linksToSourcesAreFollowed() {
        let found = Self.restored([Self.bind("/link", "/x")], links: ["/link": "/srv/data"])
        #expect(found["/x"] == "/srv/data" && found["/x/sub"] == "/srv/data/sub")
    }

    /// A mount is known by what it shows, wherever the container has moved it and whatever is in its place now.
    @Test func aMountKeepsItsOwnName() {
        let mounts = [
            MountDetail(device: "8:1", root: "/b/rootfs", path: "/", type: "ext4"),
            MountDetail(device: "8:1", root: "/srv/writable", path: "/secret", type: "ext4"),
            MountDetail(device: "8:1", root: "/srv/secret", path: "/elsewhere", type: "ext4"),
            MountDetail(device: "8:1", root: "/srv/stranger", path: "/writable", type: "ext4"),
        ]
        let plan = Self.rootfs([Self.bind("/srv/writable", "/writable"), Self.bind("/srv/secret", "/secret")])
        let found = ExternalMounts(saving: mounts, host: Self.host, plan: plan) { $0 }
        let expected = [
            ("/secret", "/writable"), ("/elsewhere", "/secret"), ("/writable", "moved:/writable"),
        ]
        #expect(found.places == expected.map { ExternalMounts.Place(key: $0, value: $1) })
    }

    /// As with a destination below a link of the image's: the kernel names the mount by where it is.
    @Test func aDestinationBelowALinkIsFoundByItsSource() {
        let mounts = [
            MountDetail(device: "8:1", root: "/b/rootfs", path: "/", type: "ext4"),
            MountDetail(device: "8:1", root: "/srv/data", path: "/run/x", type: "ext4"),
        ]
        let plan = Self.rootfs([Self.bind("/link", "/var/run/x")])
        let found = ExternalMounts(saving: mounts, host: Self.host, plan: plan) { $0 == "/link" ? "/srv/data" : $0 }
        #expect(found.places == [ExternalMounts.Place(key: "/run/x", value: "/var/run/x")])
    }

    @Test(arguments: [
        ("/a/one", "/a/two", "../one"), ("/a/one", "/a", "one"), ("/one", "/a/b", "../../one"),
        ("/a/b/c", "/a/d", "../b/c"),
        ("/ab/x", "/a/y", "../../ab/x"),
    ])
    func aParentIsNamedFromTheImage(path: String, folder: String, relative: String) {
        #expect(ContainerCheckpoint.relative(path, from: folder) == relative)
    }
}
