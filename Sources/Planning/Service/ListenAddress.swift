package import KernelTypes

/// A socket that is opened on the host for a service.
package struct ListenAddress: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// Without an address it is any of the host's, of both versions.
        case tcp(IPAddress?, port: UInt16)
        case udp(IPAddress?, port: UInt16)
        /// A path, absolute, or a name with `@` in front, which no file system has.
        case unix(String)
    }

    package let place: Place
    /// What LISTEN_FDNAMES calls it; nil for the usual `unknown`.
    package let name: String?
    /// As it was written.
    package let text: String

    /// - Parameter folder: where relative paths begin.
    init?(_ text: String, folder: String) {
        self.text = text
        let equals = text.parts(by: "=", keepingEmpty: true, most: 2)
        // A path may have the character, too.
        let isNamed = equals.count == 2 && !equals[0].containsByte(":") && !equals[0].containsByte("/")
        if isNamed, !Self.isName(equals[0]) { return nil }
        name = isNamed ? equals[0] : nil
        let address = isNamed ? equals[1] : text
        if let rest = address.rest(after: "tcp:"), let (host, port) = Self.internet(rest) {
            place = .tcp(host, port: port)
        } else if let rest = address.rest(after: "udp:"), let (host, port) = Self.internet(rest) {
            place = .udp(host, port: port)
        } else if let rest = address.rest(after: "unix:"), let path = Self.path(rest, folder) {
            place = .unix(path)
        } else {
            return nil
        }
    }

    /// sd_listen_fds_with_names(3) separates them by colons.
    private static func isName(_ text: String) -> Bool {
        (1...255).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f }
    }

    /// `ADDRESS:PORT`, or a port alone, with its colon or without.
    private static func internet(_ text: String) -> (IPAddress?, UInt16)? {
        let parts = text.parts(by: ":", keepingEmpty: true)
        guard let digits = parts.last, let port = ServiceNumber.read(digits, 1...65535) else { return nil }
        if parts.count == 1 || parts.count == 2 && parts[0].isEmpty { return (nil, UInt16(port)) }
        var host = parts.dropLast().joined(separator: ":")
        let isBracketed = host.begins(with: "[") && host.ends(with: "]") && host.utf8.count > 2
        if isBracketed { host = String(decoding: Array(host.utf8.dropFirst().dropLast()), as: UTF8.self) }
        guard let address = IPAddress(host), address.isVersion6 == isBracketed else { return nil }
        return (address, UInt16(port))
    }

    /// 108 bytes is all that the kernel has for it, with the zero at its end; unix(7).
    private static func path(_ text: String, _ folder: String) -> String? {
        guard !text.isEmpty, text != "@", !text.utf8.contains(0) else { return nil }
        if text.begins(with: "@") { return text.utf8.count <= 108 ? text : nil }
        let path = text.isAbsolutePath ? text.cleanedPath : "\(folder)/\(text)".cleanedPath
        return path.utf8.count < 108 && !text.ends(with: "/") ? path : nil
    }
}
