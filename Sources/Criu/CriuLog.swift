internal import KernelTypes

/// Why CRIU failed, from its own log: lines such as
/// `(00.012) Error (criu/sk-inet.c:191): inet: Connected TCP socket, consider using --tcp-established option.`
package struct CriuCause: Equatable, Sendable {
    /// CRIU's sentence, without the place in its source.
    package let text: String
    /// What to do about it; nil where that is not known.
    package let remedy: String?

    package init(text: String, remedy: String?) {
        self.text = text
        self.remedy = remedy
    }

    /// The first error is the cause: those behind it follow from it. A few say less than the next one does.
    /// - Returns: nil where the log has no error.
    package init?(log: String) {
        let errors = log.parts(by: "\n").compactMap { Self.sentence($0) }
        // How a program ended that CRIU has called, which says nothing of why.
        let told = errors.first { !$0.begins(with: "exited, status") && !$0.begins(with: "killed by signal") }
        guard let first = told ?? errors.first else { return nil }
        text = first
        // What helps may be said by one of the next.
        remedy = errors.prefix(8).lazy.compactMap { Self.remedy(for: $0) }.first
    }

    /// The longest log that is looked at: of a longer one the beginning, where the first error is, may be missing.
    package static let limit = 8 << 20

    static func sentence(_ line: String) -> String? {
        // A stamp and, for messages of restored processes, their number stand in front.
        var rest = line
        while rest.begins(with: "(") || rest.begins(with: " ") {
            if let trimmed = rest.rest(after: " ") {
                rest = trimmed
            } else {
                let parts = rest.parts(by: ")", keepingEmpty: true, most: 2)
                guard parts.count == 2 else { return nil }
                rest = parts[1]
            }
        }
        if let colon = rest.utf8.firstIndex(of: UInt8(ascii: ":")), Int32(rest[..<colon].trimmedNumber) != nil {
            rest = String(decoding: rest.utf8[rest.utf8.index(after: colon)...].drop { $0 == 0x20 }, as: UTF8.self)
        }
        guard let behind = rest.rest(after: "Error (") else { return nil }
        let parts = behind.parts(by: ")", keepingEmpty: true, most: 2)
        guard parts.count == 2 else { return nil }
        let bytes = parts[1].utf8.drop { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: " ") }
        return bytes.isEmpty ? nil : printable(String(decoding: bytes, as: UTF8.self))
    }

    private static func remedy(for sentence: String) -> String? {
        remedies.first { sentence.containsText($0.0) }?.1
    }

    /// Parts of CRIU's sentences, and what a user of runbox can do. Where the sentence itself names the option that
    /// helps, which has the same name here, there is nothing to add.
    private static let remedies: [(String, String)] = [
        ("vDSO", "this CRIU is too old for this kernel: install a newer CRIU"),
        ("iptables-restore", "install iptables, or give --network-lock nftables or skip"),
        ("tables_set", "install iptables, or give --network-lock nftables or skip"),
        ("execvp(\"ip", "install iptables and iproute2"),
        ("No space left", "make room there, or name another place with --image-path"),
        ("path=/dev/pts/", "--shell-job saves a container with a terminal from the outside"),
        ("Found dangling tty", "--shell-job saves a container with a terminal from the outside"),
        ("leads session", "--shell-job saves a container with a terminal from the outside"),
        ("Operation not permitted", "CRIU needs root, or CAP_CHECKPOINT_RESTORE on its file from version 4 on"),
        ("unlinked file", "--link-remap saves files that were deleted while they are open"),
        ("Can't link remap", "--link-remap saves files that were deleted while they are open"),
        ("magic", "the image is damaged, or of another version of CRIU: take the checkpoint again"),
        ("Unexpected EOF", "the image is damaged: take the checkpoint again"),
        ("Can't open dir", "is the path of --image-path right?"),
        ("file ile[", "it was a file of the host's: hand one on in its place with --preserve-fds"),
        ("No mapping for", "mount it with --mount SOURCE:DESTINATION, or in config.json"),
        ("Can't find external", "name it in config.json's mounts, or with --mount SOURCE:DESTINATION"),
    ]
}

extension Substring {
    /// Without the blanks in front, as CRIU aligns process numbers.
    fileprivate var trimmedNumber: String { String(decoding: utf8.drop { $0 == 0x20 }, as: UTF8.self) }
}
