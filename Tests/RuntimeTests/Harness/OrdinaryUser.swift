import Foundation
import Glibc

/// Who makes rootless containers: the user that the tests run as, or one that they become where they run as root.
enum OrdinaryUser {
    static let id = geteuid() == 0 ? 4242 : Int(geteuid())

    /// The words that make a command this user's.
    static let prefix: [String] =
        geteuid() == 0 ? ["setpriv", "--reuid", "\(id)", "--regid", "\(id)", "--clear-groups"] : []

    /// Whether the host lets it make user namespaces.
    static let hasNamespaces = works(["unshare", "--user", "--map-root-user", "true"])

    /// Whether it may have the ids of a range: the helpers are there, and /etc/subuid has the range for it.
    static let range: Int? = {
        guard works(["sh", "-c", "command -v newuidmap newgidmap"]) else { return nil }
        let names: [String] = ["\(id)", getpwuid(uid_t(id)).map { String(cString: $0.pointee.pw_name) } ?? ""]
        for line in Leftovers.lines("/etc/subuid") {
            let fields: [String] = line.split(separator: ":").map(String.init)
            if fields.count == 3, names.contains(fields[0]) { return Int(fields[1]) }
        }
        return nil
    }()

    private static func works(_ words: [String]) -> Bool {
        let output = NSTemporaryDirectory() + "rbt-user-\(getpid())"
        defer { for end in [".out", ".err"] { unlink(output + end) } }
        return (try? spawn(prefix + words, output: output).wait().status) == 0
    }
}

extension Config {
    /// What an ordinary user's container has more and less, as `spec --rootless` does it.
    mutating func becomeRootless() {
        self["linux.uidMappings"] = [["containerID": 0, "hostID": OrdinaryUser.id, "size": 1]]
        self["linux.gidMappings"] = [["containerID": 0, "hostID": OrdinaryUser.id, "size": 1]]
        namespace("user")
        dropMount("/dev/pts")
        addMount(
            "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"])
    }
}
