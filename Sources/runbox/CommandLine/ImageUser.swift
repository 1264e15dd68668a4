internal import Kernel
internal import KernelTypes
internal import OCISpec

/// A user as `spec --user` names it, by the root file system's own lists; passwd(5), group(5).
struct ImageUser {
    /// The bundle's root file system.
    let root: String

    /// Longer files are no lists of users.
    private static let limit = 16 << 20

    /// Reads `NAME`, `UID`, and either with `:GROUP` or `:GID` behind it. Without a group it is the user's own, with
    /// all groups that list the user.
    func find(_ text: String) throws(UsageError) -> User {
        let parts = text.parts(by: ":", keepingEmpty: true)
        guard (1...2).contains(parts.count), !parts.contains("") else {
            throw UsageError(
                reason: "invalid value \"\(text)\" for flag --user: NAME, UID, or either with :GROUP or :GID")
        }
        let number = Self.number(parts[0])
        let entry = entry(of: parts[0], number)
        guard let uid = number ?? entry?.uid else { throw missing("user", parts[0], "passwd") }
        guard parts.count == 1 else { return User(uid: uid, gid: try group(parts[1])) }
        guard let entry else { return User(uid: uid, gid: 0) }
        return User(uid: uid, gid: entry.gid, additionalGids: groups(of: entry.name, but: entry.gid))
    }

    private func entry(of word: String, _ number: UInt32?) -> (name: String, uid: UInt32, gid: UInt32)? {
        for fields in lines("passwd") where fields.count >= 4 {
            guard let uid = Self.number(fields[2]), let gid = Self.number(fields[3]) else { continue }
            if number == nil ? fields[0] == word : uid == number { return (fields[0], uid, gid) }
        }
        return nil
    }

    private func group(_ word: String) throws(UsageError) -> UInt32 {
        if let number = Self.number(word) { return number }
        for fields in lines("group") where fields.count >= 3 && fields[0] == word {
            if let number = Self.number(fields[2]) { return number }
        }
        throw missing("group", word, "group")
    }

    private func groups(of name: String, but primary: UInt32) -> [UInt32] {
        var result: [UInt32] = []
        for fields in lines("group") where fields.count >= 4 && fields[3].parts(by: ",").contains(name) {
            if let number = Self.number(fields[2]), number != primary, !result.contains(number) {
                result.append(number)
            }
        }
        return result
    }

    private func missing(_ kind: String, _ word: String, _ file: String) -> UsageError {
        let path = "\(root)/etc/\(file)"
        let why = text(file) == nil ? "there is no \(path) to look it up" : "\(path) does not have it"
        return UsageError(
            reason: "invalid value \"\(word)\" for flag --user: \(why)", advice: "a \(kind)'s number needs no file")
    }

    private func lines(_ file: String) -> [[String]] {
        (text(file) ?? "").parts(by: "\n").map { $0.parts(by: ":", keepingEmpty: true) }
    }

    private func text(_ file: String) -> String? {
        guard let root = try? RootDirectory(Files.open(root, [.path, .directory])),
            let bytes = root.contents(of: "/etc/\(file)", limit: Self.limit)
        else { return nil }  // an image without users is no mistake
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Digits alone. The largest number is the kernel's "leave it as it is" (setresuid(2)), and nobody.
    private static func number(_ text: String) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }), let number = UInt32(text),
            number != .max
        else { return nil }
        return number
    }
}
