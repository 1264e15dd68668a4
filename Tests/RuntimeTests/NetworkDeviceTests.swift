import Foundation
import Glibc
import Testing

extension AllTests {
    /// linux.netDevices: each test has a network namespace of its own that plays the host's.
    @Suite struct NetworkDevices {
        /// A pair of interfaces, of which `v1` has addresses; what is left of them after the command is printed by a
        /// probe.
        private func host(_ setUp: String = "") throws -> Surroundings {
            let probe = try Programs.probe.get()
            let script = """
                ip link add v0 type veth peer name v1 && ip link set v1 mtu 1400 up && ip addr add 10.9.8.7/24 dev v1 \
                && ip addr add 10.9.8.99/24 dev v1 valid_lft 600 preferred_lft 600 \
                && ip -6 addr add fd00::5/64 nodad dev v1 || exit 77
                \(setUp)
                "$0" "$@"; status=$?
                \(probe) addresses > \(try Sandbox.current.path("after"))
                exit $status
                """
            return Surroundings(prefix: ["unshare", "--net", "sh", "-c", script])
        }

        private func after() throws -> Facts {
            Facts(try String(contentsOfFile: try Sandbox.current.path("after"), encoding: .utf8))
        }

        private func give(_ devices: [String: [String: String]]) -> (inout Config) -> Void {
            { $0["linux.netDevices"] = devices }
        }

        @Test func aDeviceIsMovedUnderItsName() throws {
            let seen = try Sandbox.current.look("addresses", with: host(), edit: give(["v1": [:]]))
            #expect(
                seen["v1.state"] == "up" && seen["v1.10.9.8.7"] == "there" && seen["v1.fd00::5"] == "there", "\(seen)")
            #expect(seen["v1.10.9.8.99"] == nil, "an address that is not permanent stays behind: \(seen)")
            #expect(try after()["v1.state"] == nil, "the kernel ends a virtual one; the runtime does not fetch it")
        }

        @Test func aDeviceIsRenamed() throws {
            let seen = try Sandbox.current.look(
                "addresses", "read:/sys/class/net/eth0/mtu", with: host(), edit: give(["v1": ["name": "eth0"]]))
            #expect(
                seen["eth0.state"] == "up" && seen["eth0.10.9.8.7"] == "there" && seen["v1.state"] == nil, "\(seen)")
            #expect(seen.text.contains("1400"), "\(seen)")
        }

        @Test func aPatternGivesTheNextNumber() throws {
            let seen = try Sandbox.current.look(
                "addresses", with: host(), edit: give(["v0": ["name": "net%d"], "v1": ["name": "net%d"]]))
            #expect(seen["net0.state"] == "up" && seen["net1.state"] == "up", "\(seen)")
            #expect(seen["net0.10.9.8.7"] ?? seen["net1.10.9.8.7"] == "there", "\(seen)")
        }

        @Test func aDeviceIsMovedIntoAUserNamespace() throws {
            let box = try Sandbox.current
            let bundle = try box.bundle("addresses") {
                $0.userNamespace()
                $0["linux.netDevices"] = ["v1": ["name": "eth0"]]
            }
            try bundle.chown(to: 100_000)
            let outcome = try box.run(bundle, with: host())
            #expect(outcome["eth0.10.9.8.7"] == "there" && outcome["eth0.state"] == "up", "\(outcome)")
        }

        @Test func aDeviceIsThereWhenHooksRun() throws {
            let box = try Sandbox.current
            let folder = try box.folder("log", mode: 0o777)
            let seen = try box.look("addresses", with: host()) {
                $0["linux.netDevices"] = ["v1": ["name": "eth0"]]
                $0["hooks.createContainer.+"] =
                    ["path": try Programs.probe.get(), "args": ["hook", "save:\(folder)/hook", "addresses"]]
                    as [String: Any]
            }
            #expect(seen["eth0.state"] == "up", "\(seen)")
            #expect(try String(contentsOfFile: folder + "/hook", encoding: .utf8).contains("eth0.10.9.8.7=there"))
        }

        @Test func aDeviceIsMovedIntoAJoinedNamespace() throws {
            let box = try Sandbox.current
            // The namespace outlives the container, and the interface stays in it: it is the namespace's owner's.
            let surroundings = try host(
                "unshare --net sleep 60 & sleeper=$!; sleep 0.3; mount --bind /proc/$sleeper/ns/net \(try box.file("ns")) "
            )
            var inside = surroundings
            inside.prefix[1] = "--mount"
            inside.prefix.insert("--net", at: 2)
            inside.prefix[5] = inside.prefix[5].replacingOccurrences(
                of: "exit $status",
                with:
                    "nsenter --net=\(box.path("ns")) \(try Programs.probe.get()) addresses > \(box.path("there")); kill $sleeper; exit $status"
            )
            let seen = try box.look("addresses", with: inside) {
                $0.namespace("network", path: box.path("ns"))
                $0["linux.netDevices"] = ["v1": ["name": "eth0"]]
            }
            #expect(seen["eth0.10.9.8.7"] == "there", "\(seen)")
            #expect(try String(contentsOfFile: box.path("there"), encoding: .utf8).contains("eth0.10.9.8.7=there"))
        }

        // MARK: Refused

        private func refused(
            _ surroundings: Surroundings? = nil, _ edit: (inout Config) throws -> Void
        ) throws -> String {
            let box = try Sandbox.current
            return try box.refused(
                try box.run(try box.bundle("say:it ran", edit: edit), with: surroundings ?? host()))
        }

        @Test func aMissingDeviceIsAnErrorAndTheOthersStay() throws {
            let line = try refused(nil, give(["v1": ["name": "eth0"], "v7": [:]]))
            #expect(line.contains("v7") && line.contains("not found"), "\(line)")
            let host = try after()
            #expect(
                host["v1.state"] == "up" && host["v1.10.9.8.7"] == "there" && host["v1.fd00::5"] == "there", "\(host)")
        }

        @Test func aTakenNameIsAnError() throws {
            let line = try refused(nil, give(["v1": ["name": "lo"]]))
            #expect(line.contains("lo already"), "\(line)")
            #expect(try after()["v1.10.9.8.7"] == "there")
        }

        @Test func aDeviceThatCannotBeMovedIsAnError() throws {
            let line = try refused(nil, give(["lo": ["name": "other"]]))
            #expect(line.contains("linux.netDevices[\"lo\"]") && line.contains("keeps"), "\(line)")
        }

        @Test(arguments: ["createRuntime", "createContainer"])
        func aDeviceIsGivenBackWhenTheContainerFails(kind: String) throws {
            let line = try refused(nil) {
                $0["linux.netDevices"] = ["v1": ["name": "eth0"]]
                $0["hooks.\(kind).+"] = ["path": "/bin/false"]
            }
            #expect(line.contains("hook"), "\(line)")
            let host = try after()
            #expect(
                host["v1.state"] == "up" && host["v1.10.9.8.7"] == "there" && host["v1.fd00::5"] == "there", "\(host)")
        }

        @Test func devicesNeedANetworkNamespace() throws {
            let line = try refused(nil) {
                $0.dropNamespace("network")
                $0["linux.netDevices"] = ["v1": [:] as [String: String]]
            }
            #expect(line.contains("network namespace"), "\(line)")
        }

        @Test func theHostsOwnNamespaceByPathIsRefused() throws {
            let line = try refused(nil) {
                $0.namespace("network", path: "/proc/self/ns/net")
                $0["linux.netDevices"] = ["v1": [:] as [String: String]]
            }
            #expect(line.contains("host's own"), "\(line)")
            #expect(try after()["v1.10.9.8.7"] == "there")
        }
    }
}
