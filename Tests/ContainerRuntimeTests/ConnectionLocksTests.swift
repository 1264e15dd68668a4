import Testing

@testable import ContainerRuntime

/// What of a firewall belongs to a CRIU that was killed, and goes, and what is the administrator's, and stays.
@Suite struct ConnectionLocksTests {
    private static let namespaceLock = """
        *filter
        :INPUT ACCEPT [0:0]
        :FORWARD ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :CRIU - [0:0]
        -A INPUT -j CRIU
        -A INPUT -p tcp -m tcp --dport 22 -j DROP
        -A OUTPUT -j CRIU
        -A CRIU -m mark --mark 0xc114 -j ACCEPT
        -A CRIU -j DROP
        COMMIT
        """

    @Test func theChainOfANetworkNamespaceGoes() {
        let expected = ["*filter", "-D INPUT -j CRIU", "-D OUTPUT -j CRIU", "-F CRIU", "-X CRIU", "COMMIT", ""]
        #expect(
            ConnectionLocks.removal(of: Self.namespaceLock, isHost: false) == expected.joined(separator: "\n"))
    }

    @Test func aChainOfThatNameOnTheHostIsTheAdministrators() {
        #expect(ConnectionLocks.removal(of: Self.namespaceLock, isHost: true) == nil)
    }

    @Test func rulesForSingleConnectionsGo() {
        let lock = "INPUT -s 10.0.0.1/32 -d 10.0.0.2/32 -p tcp -m mark ! --mark 0xc114 -m tcp --sport 1 -j DROP"
        let rules = "*filter\n:INPUT ACCEPT [0:0]\n-A \(lock)\n-A INPUT -m mark --mark 0xc114 -j DROP\nCOMMIT\n"
        #expect(ConnectionLocks.removal(of: rules, isHost: true) == "*filter\n-D \(lock)\nCOMMIT\n")
    }

    @Test func rulesOfOthersAreLeftAlone() {
        let rules = "*filter\n:INPUT DROP [0:0]\n:CRIUS - [0:0]\n-A INPUT -j CRIUS\n-A CRIUS -j DROP\nCOMMIT\n"
        #expect(ConnectionLocks.removal(of: rules, isHost: false) == nil)
        #expect(ConnectionLocks.removal(of: "", isHost: false) == nil)
    }

    @Test func tablesAreKnownByTheirNames() {
        let list = "table ip filter\ntable inet CRIU-7\ntable inet CRIU-71\ntable inet criu\n"
        #expect(ConnectionLocks.tables(list, nil) == [["inet", "CRIU-7"], ["inet", "CRIU-71"]])
        #expect(ConnectionLocks.tables(list, 7) == [["inet", "CRIU-7"]])
        #expect(ConnectionLocks.tables(list, 8).isEmpty)
    }
}
