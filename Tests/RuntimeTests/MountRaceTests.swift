import Foundation
import Glibc
import Testing

@_silgen_name("renameat2")
private func exchange(
    _ oldFolder: Int32, _ old: UnsafePointer<CChar>, _ newFolder: Int32, _ new: UnsafePointer<CChar>, _ flags: UInt32
) -> Int32

/// Exchanges two names of a folder for each other, as fast as it can.
private final class Swapper: @unchecked Sendable {
    private let stopped = NSCondition()
    private var goesOn = true
    private var isRunning = true

    init(_ one: String, _ other: String) {
        let thread = Thread { [self] in
            while stopped.withLock({ goesOn }) {
                for _ in 0..<64 { _ = exchange(AT_FDCWD, one, AT_FDCWD, other, 2) }  // RENAME_EXCHANGE
            }
            stopped.withLock {
                isRunning = false
                stopped.signal()
            }
        }
        thread.start()
    }

    func stop() {
        stopped.lock()
        goesOn = false
        while isRunning { stopped.wait() }
        stopped.unlock()
    }
}

extension AllTests {
    /// Mounts below a folder whose names somebody else exchanges meanwhile
    @Suite struct MountRaces {
        static let rounds = 60

        /// Runs containers that mount at /vol/dir, while that name and a link to the image's /etc change places; what
        /// lies in the image is untouched each time.
        private func race(
            _ mounts: [(destination: String, type: String, source: String, options: [String])],
            at names: (String, String) = ("vol/dir", "vol/link"), watching folders: [String] = ["etc"],
            edit: (inout Config) -> Void = { _ in }
        ) throws {
            let box = try Sandbox.current
            try box.folder("vol/dir", mode: 0o1777)
            try box.file("vol/dir/evil", "evil", mode: 0o4755)
            symlink("/etc", box.path("vol/link"))
            let source = try box.folder("source")
            let file = try box.file("file", "bound")
            let bundle = try box.bundle("say:ran") {
                edit(&$0)
                $0.addMount("/vol", type: "none", source: box.path("vol"), options: ["rbind"])
                for mount in mounts {
                    let from = mount.source == "FILE" ? file : mount.source == "FOLDER" ? source : mount.source
                    $0.addMount(mount.destination, type: mount.type, source: from, options: mount.options)
                }
            }
            try box.folder("bundle/rootfs/vol")
            try box.folder("bundle/rootfs/dev.d")
            let before = try image(bundle, folders)
            let swapper = Swapper(box.path(names.0), box.path(names.1))
            defer { swapper.stop() }
            for round in 0..<Self.rounds {
                let outcome = try box.run(bundle)
                let now = try image(bundle, folders)
                #expect(now == before, "round \(round): \(now.symmetricDifference(before)); \(outcome)")
                if now != before { return }
                #expect(outcome.status == 0 || outcome.complaints.count == 1, "\(outcome)")
            }
        }

        /// Every file of these folders with its mode; but for mount points that had to be made, which are empty.
        private func image(_ bundle: Bundle, _ folders: [String]) throws -> Set<String> {
            var result: Set<String> = []
            for folder in folders {
                for name in try FileManager.default.subpathsOfDirectory(atPath: "\(bundle.rootfs)/\(folder)")
                where name != "new" && name != "new/deep" {
                    var status = stat()
                    lstat("\(bundle.rootfs)/\(folder)/\(name)", &status)
                    if name == "evil", status.st_size == 0 { continue }
                    result.insert("\(name) \(String(status.st_mode, radix: 8)) \(status.st_uid) \(status.st_size)")
                }
                var status = stat()
                stat("\(bundle.rootfs)/\(folder)", &status)
                result.insert("\(String(status.st_mode, radix: 8)) \(status.st_uid)")
            }
            return result
        }

        @Test(arguments: [
            ["tmpcopyup"], ["tmpcopyup", "ro"], ["tmpcopyup", "size=1m,nr_inodes=50"], ["rro"], ["rprivate", "ro"],
            ["rshared"],
        ])
        func aNewFileSystemStaysInside(options: [String]) throws {
            try race([("/vol/dir", "tmpfs", "tmpfs", options)])
        }

        @Test func readOnlyBindMountsStayInside() throws {
            try race([("/vol/dir", "none", "FOLDER", ["bind", "ro", "rslave"])])
        }

        @Test func destinationsBelowStayInside() throws {
            try race([("/vol/dir/new/deep", "tmpfs", "tmpfs", ["tmpcopyup"])])
        }

        @Test func mountsOnFilesStayInside() throws {
            try race([("/vol/dir/evil", "none", "FILE", ["bind", "ro"]), ("/vol/dir/new", "none", "FILE", ["bind"])])
        }

        /// Device nodes go into the tmpfs that was mounted, not into what /dev has come to be.
        @Test(arguments: [[], ["ro"]])
        func devicesStayInside(options: [String]) throws {
            try race([], at: ("bundle/rootfs/dev", "bundle/rootfs/dev.d"), watching: ["dev", "dev.d", "etc"]) {
                for mount in ["/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"] { $0.dropMount(mount) }
                $0.addMount("/dev", type: "tmpfs", source: "tmpfs", options: options)
            }
        }
    }
}
