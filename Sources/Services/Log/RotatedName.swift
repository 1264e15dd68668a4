internal import KernelTypes

/// A full log file beside the one that is written to: `web.log.1` is the newest, `web.log.2.gz` an older, compressed
/// one.
struct RotatedName: Equatable, Sendable {
    let number: Int
    let isCompressed: Bool

    func text(of log: String) -> String { "\(log).\(number)\(isCompressed ? ".gz" : "")" }

    init(_ number: Int, isCompressed: Bool = false) {
        self.number = number
        self.isCompressed = isCompressed
    }

    /// - Returns: nil for a name that no rotation of this log has made.
    init?(_ name: String, of log: String) {
        guard var rest = name.rest(after: "\(log).") else { return nil }
        isCompressed = rest.ends(with: ".gz")
        if isCompressed { rest = String(decoding: rest.utf8.dropLast(3), as: UTF8.self) }
        // As it is written by text(of:), and no other way.
        guard let number = Int(rest), number > 0, "\(number)" == rest else { return nil }
        self.number = number
    }

    /// Those among the names of a folder, the newest first. Of a number that is there in both forms the compressed one
    /// counts: it got its name when it was whole.
    static func all(in names: [String], of log: String) -> [RotatedName] {
        let found = names.compactMap { RotatedName($0, of: log) }.sorted { a, b in
            a.number != b.number ? a.number < b.number : a.isCompressed && !b.isCompressed
        }
        var result: [RotatedName] = []
        for name in found where result.last?.number != name.number { result.append(name) }
        return result
    }
}

/// What a rotation does to the files that are there.
enum RotationStep: Equatable {
    case remove(RotatedName)
    case rename(RotatedName, to: RotatedName)

    /// Makes room for a new number 1: the oldest beyond the count goes, the others move up, as far as there is no gap.
    /// - Parameters:
    ///   - present: the newest first.
    ///   - files: how many there may be, the one that is written to included.
    static func plan(_ present: [RotatedName], files: Int) -> [RotationStep] {
        var row: [RotatedName] = []
        for name in present where name.number == row.count + 1 { row.append(name) }
        let moved = row.prefix(max(0, files - 2))
        // The last of a full row has no place any more; what lies beyond is of a time with more files.
        let removed = present.filter { $0.number >= files || ($0.number == files - 1 && row.count >= files - 1) }
        return removed.reversed().map { .remove($0) }
            + moved.reversed().map { .rename($0, to: RotatedName($0.number + 1, isCompressed: $0.isCompressed)) }
    }
}
