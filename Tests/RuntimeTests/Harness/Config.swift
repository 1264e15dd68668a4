import Foundation
import Glibc

/// A config.json under construction: values are set by path, `config["process.user.uid"] = 1000`.
///
/// A number selects an element of an array, `+` appends one; `nil` removes. The start is what `runbox spec` writes,
/// but for a terminal (off) and the root file system (writable).
struct Config {
    private(set) var object: [String: Any]

    init(args: [String]) {
        object = [
            "ociVersion": "1.0.2",
            "process": [
                "terminal": false,
                "user": ["uid": 0, "gid": 0],
                "args": args,
                "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
                "cwd": "/",
                "capabilities": [
                    "bounding": Config.capabilities, "effective": Config.capabilities, "permitted": Config.capabilities,
                ],
                "noNewPrivileges": true,
            ],
            "root": ["path": "rootfs"],
            "hostname": "runbox",
            "mounts": Config.mounts,
            "linux": [
                "namespaces": ["pid", "network", "ipc", "uts", "mount"].map { ["type": $0] },
                "maskedPaths": [
                    "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi", "/sys/firmware",
                ],
                "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            ],
        ]
        // An ordinary user's tests are those of the suites that fit its containers: Tests/VM/suites.
        if geteuid() != 0 { becomeRootless() }
    }

    static let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

    private static var mounts: [[String: Any]] {
        [
            ["destination": "/proc", "type": "proc", "source": "proc"],
            [
                "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
            ],
            [
                "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
            ],
            [
                "destination": "/dev/shm", "type": "tmpfs", "source": "shm",
                "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
            ],
            [
                "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
                "options": ["nosuid", "noexec", "nodev"],
            ],
            [
                "destination": "/sys", "type": "sysfs", "source": "sysfs",
                "options": ["nosuid", "noexec", "nodev", "ro"],
            ],
        ]
    }

    subscript(path: String) -> Any? {
        get {
            var value: Any? = object
            for part in path.split(separator: ".") {
                if let array = value as? [Any], let index = Int(part), array.indices.contains(index) {
                    value = array[index]
                } else {
                    value = (value as? [String: Any])?[String(part)]
                }
            }
            return value
        }
        set {
            let parts = path.split(separator: ".").map(String.init)
            object = Config.set(newValue, at: parts[...], in: object) as? [String: Any] ?? [:]
        }
    }

    /// Sets a value that is written as JSON text.
    mutating func set(_ path: String, json: String) throws {
        self[path] = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    }

    mutating func addMount(
        _ destination: String, type: String? = nil, source: String? = nil, options: [String]? = nil
    ) {
        var mount: [String: Any] = ["destination": destination]
        mount["type"] = type
        mount["source"] = source
        mount["options"] = options
        self["mounts.+"] = mount
    }

    /// Adds a namespace, or gives the one that is there a path.
    mutating func namespace(_ type: String, path: String? = nil) {
        dropNamespace(type)
        var entry = ["type": type]
        entry["path"] = path
        self["linux.namespaces.+"] = entry
    }

    mutating func dropNamespace(_ type: String) {
        let all = self["linux.namespaces"] as? [[String: String]] ?? []
        self["linux.namespaces"] = all.filter { $0["type"] != type }
    }

    mutating func dropMount(_ destination: String) {
        let all = self["mounts"] as? [[String: Any]] ?? []
        self["mounts"] = all.filter { $0["destination"] as? String != destination }
    }

    /// A user namespace that maps the container's ids 0…65535 to 100000… of the host.
    mutating func userNamespace(host: Int = 100_000, size: Int = 65_536) {
        namespace("user")
        self["linux.uidMappings"] = [["containerID": 0, "hostID": host, "size": size]]
        self["linux.gidMappings"] = [["containerID": 0, "hostID": host, "size": size]]
    }

    /// The same capabilities in the named sets, none in the others.
    mutating func capabilities(_ names: [String], sets: [String] = ["bounding", "effective", "permitted"]) {
        self["process.capabilities"] = Dictionary(uniqueKeysWithValues: sets.map { ($0, names) })
    }

    func data() throws -> Data {
        try JSONSerialization.data(
            withJSONObject: object, options: [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    private static func set(_ value: Any?, at parts: ArraySlice<String>, in container: Any?) -> Any? {
        guard let part = parts.first else { return value }
        let rest = parts.dropFirst()
        if part == "+" {
            return (container as? [Any] ?? []) + [set(value, at: rest, in: nil) as Any]
        }
        if var array = container as? [Any], let index = Int(part), array.indices.contains(index) {
            if let new = set(value, at: rest, in: array[index]) { array[index] = new } else { array.remove(at: index) }
            return array
        }
        var object = container as? [String: Any] ?? [:]
        object[part] = set(value, at: rest, in: object[part])
        return object
    }
}
