import Errors
import KernelTypes
import OCISpec
import TestSupport
import Testing

@testable import Planning

@Suite struct NetDevicePlanTests {
    private func read(_ devices: [NetDevice], _ spaces: NamespacePlan = namespaces(.network), _ here: Host = host)
        -> (plan: [NetDevicePlan], findings: Findings)
    {
        plan { NetDevicePlan.read(devices, namespaces: spaces, host: here, findings: &$0) }
    }

    @Test func aNameDefaultsToTheHosts() {
        let devices = read([NetDevice(hostName: "eth0"), NetDevice(hostName: "eth1", name: "")]).plan
        #expect(devices.map(\.name) == ["eth0", "eth1"] && devices.allSatisfy { !$0.isPattern })
        #expect(read([NetDevice(hostName: "eth0", name: "net%d")]).plan[0].isPattern)
    }

    @Test(arguments: ["eth0", "a", "123456789012345", "e-t.h_0", "net%d", "%d", "a%db", "...", "äth"])
    func goodNamesAreTakenAsTheyAre(name: String) {
        #expect(read([NetDevice(hostName: "eth0", name: name)]).findings.errorLines == [])
    }

    @Test(arguments: [
        ("1234567890123456", "15 bytes"), ("a/b", "slash"), ("a:b", "colon"), ("a b", "blank"), (".", "cannot"),
        ("..", "cannot"), ("a\n", "control"), ("net%", "per cent"), ("net%s", "per cent"), ("%d%d", "per cent"),
        ("a/\u{301}b", "slash"),
    ])
    func badNamesAreRefused(name: String, word: String) {
        let lines = read([NetDevice(hostName: "eth0", name: name)]).findings.errorLines
        #expect(lines.count == 1 && lines[0].contains(word), "\(lines)")
        #expect(lines.first?.begins(with: "linux.netDevices[\"eth0\"].name: ") == true, "\(lines)")
    }

    @Test func theHostsNameIsNoPattern() {
        #expect(read([NetDevice(hostName: "net%d")]).findings.errorLines.count == 1)
        #expect(read([NetDevice(hostName: "")]).findings.errorLines.count == 1)
    }

    @Test func twoDevicesCannotHaveOneName() {
        let two = [NetDevice(hostName: "a", name: "eth0"), NetDevice(hostName: "b", name: "eth0")]
        #expect(read(two).findings.errorLines.count == 1)
        let patterns = [NetDevice(hostName: "a", name: "eth%d"), NetDevice(hostName: "b", name: "eth%d")]
        #expect(read(patterns).findings.errorLines == [])
    }

    @Test func devicesNeedANetworkNamespaceAndRoot() {
        let device = [NetDevice(hostName: "eth0")]
        #expect(read(device, namespaces()).findings.errorLines.count == 1)
        #expect(read(device, namespaces(joined: [.network])).findings.errorLines == [])
        var user = host
        user.effectiveUser = 1000
        #expect(read(device, namespaces(.network), user).findings.errorLines.count == 1)
        #expect(read([], namespaces(), user).findings.errorLines == [])
    }
}
