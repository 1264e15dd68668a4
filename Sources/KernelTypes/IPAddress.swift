internal import CLinux

/// An address of the Internet protocols, version 4 or 6; ip(7), ipv6(7).
package struct IPAddress: Sendable, Equatable {
    /// 4 or 16 bytes in the order of the network.
    package let bytes: [UInt8]

    package var isVersion6: Bool { bytes.count == 16 }

    /// Reads `127.0.0.1` or `::1`, without brackets; nil for anything else, names of hosts above all. inet_pton(3).
    package init?(_ text: String) {
        if text.utf8.contains(0) { return nil }
        let isVersion6 = text.containsByte(":")
        var bytes = [UInt8](repeating: 0, count: isVersion6 ? 16 : 4)
        let result = bytes.withUnsafeMutableBytes { inet_pton(isVersion6 ? AF_INET6 : AF_INET, text, $0.baseAddress) }
        guard result == 1 else { return nil }
        self.bytes = bytes
    }
}
