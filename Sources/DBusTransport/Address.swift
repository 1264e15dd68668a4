internal import KernelTypes

/// Where a bus listens. D-Bus Specification, "Server Addresses".
package enum Address {
    /// The paths of the Unix sockets that an address names, in its order. Other kinds of it (TCP, abstract names) are
    /// left out.
    package static func socketPaths(_ address: String) -> [String] {
        var paths: [String] = []
        for alternative in address.parts(by: ";") {
            guard let pairs = alternative.rest(after: "unix:") else { continue }
            for pair in pairs.parts(by: ",") {
                if let path = pair.rest(after: "path=").flatMap(unescaped), path.isAbsolutePath { paths.append(path) }
            }
        }
        return paths
    }

    private static func unescaped(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16),
                value != 0
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
