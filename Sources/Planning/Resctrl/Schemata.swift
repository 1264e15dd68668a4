internal import KernelTypes

/// Lines of the file `schemata`, `L3:0=7f0;1=1f`: for each cache or socket what a group may use of a resource.
package enum Schemata {
    private struct Share {
        let domain: String
        let value: String
    }

    /// Whether a group has what a line asks for already. The file lists every domain, a line only those that it is
    /// about.
    /// - Parameter file: what the file holds.
    package static func holds(_ line: String, in file: String) -> Bool {
        guard let wanted = parse(line) else { return false }
        guard
            let found = file.parts(by: "\n").compactMap({ parse($0) }).first(where: { $0.resource == wanted.resource })
        else { return false }
        return wanted.shares.allSatisfy { share in
            found.shares.contains { $0.domain == share.domain && $0.value == share.value }
        }
    }

    private static func parse(_ line: String) -> (resource: String, shares: [Share])? {
        // The kernel aligns the resources' names with blanks in front.
        let bare = String(
            decoding: line.utf8.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }, as: UTF8.self)
        let halves = bare.parts(by: ":", keepingEmpty: true, most: 2)
        guard halves.count == 2, !halves[0].isEmpty else { return nil }
        // Bandwidth is a number in decimal digits, everything else a mask in hexadecimal ones.
        let radix = halves[0] == "MB" || halves[0] == "SMBA" ? 10 : 16
        var shares: [Share] = []
        for part in halves[1].parts(by: ";") {
            let sides = part.parts(by: "=", keepingEmpty: true)
            guard sides.count == 2 else { return nil }
            shares.append(Share(domain: bareNumber(sides[0], 10), value: bareNumber(sides[1], radix)))
        }
        return (halves[0], shares)
    }

    /// A number without its leading zeros, in one case of letters; what is none stays as it is.
    private static func bareNumber(_ text: String, _ radix: Int) -> String {
        UInt64(text, radix: radix).map { String($0, radix: radix) } ?? text
    }
}
