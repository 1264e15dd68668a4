internal import CgroupPlanning
internal import KernelTypes
internal import OCISpec

/// Numbers of CPUs or memory nodes, written as `0-3,7` and kept as the bit mask that the kernel takes. cpuset(7), "List
/// format".
package struct NumberSet: Sendable, Equatable {
    /// What the numbers count.
    package enum Kind: Sendable {
        case cpus(below: Int)
        case memoryNodes(below: Int)

        fileprivate var limit: Int {
            switch self {
            case .cpus(let limit), .memoryNodes(let limit): limit
            }
        }

        fileprivate var word: String {
            switch self {
            case .cpus: "CPU"
            case .memoryNodes: "memory node"
            }
        }
    }

    /// Why a text is no such list.
    struct Mistake: Error, Equatable, Sendable {
        let reason: String
    }

    /// Bits of the numbers, 64 in each word, the lowest first.
    package private(set) var words: [UInt64] = []

    /// The nodes that a list of the kernel names; nil where it cannot be read.
    package init?(kernelsNodes list: String) {
        do throws(Mistake) {
            try self.init(list, of: .memoryNodes(below: Placement.mostNodes))
        } catch {
            return nil
        }
    }

    /// Blanks around the numbers and commas too many are passed over, as in runc.
    init(_ list: String, of kind: Kind) throws(Mistake) {
        for part in list.parts(by: ",") {
            let ends = part.parts(by: "-", keepingEmpty: true).map(Self.trimmed)
            if ends == [""] { continue }
            guard ends.count <= 2, let first = Self.number(ends[0]), let last = Self.number(ends[ends.count - 1]) else {
                throw Mistake(reason: "expected a list of numbers such as \"0-3,7\", found \"\(list)\"")
            }
            if first > last { throw Mistake(reason: "the range \(first)-\(last) runs backwards") }
            if last >= kind.limit {
                throw Mistake(reason: "names \(kind.word) \(last); Linux counts to \(kind.limit - 1)")
            }
            insert(first...last)
        }
        if words.isEmpty { throw Mistake(reason: "names no \(kind.word)") }
    }

    private mutating func insert(_ range: ClosedRange<Int>) {
        while words.count <= range.upperBound / 64 { words.append(0) }
        for number in range { words[number / 64] |= 1 << UInt64(number % 64) }
    }

    private static func trimmed(_ text: String) -> String {
        let blank = UInt8(ascii: " ")
        var bytes = text.utf8[...]
        while bytes.first == blank { bytes.removeFirst() }
        while bytes.last == blank { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Digits only: no sign, which `Int` would take.
    private static func number(_ text: String) -> Int? {
        text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ? Int(text) : nil
    }

    package var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// What is not in the other set.
    func subtracting(_ other: NumberSet) -> NumberSet {
        var rest = self
        for index in rest.words.indices where index < other.words.count { rest.words[index] &= ~other.words[index] }
        return rest
    }

    func contains(_ number: Int) -> Bool {
        number / 64 < words.count && words[number / 64] & 1 << UInt64(number % 64) != 0
    }
}

extension NumberSet: CustomStringConvertible {
    /// The list in its shortest form.
    package var description: String {
        var parts: [String] = []
        var number = 0
        while number < words.count * 64 {
            var end = number
            while contains(end) { end += 1 }
            if end > number { parts.append(end == number + 1 ? "\(number)" : "\(number)-\(end - 1)") }
            number = end + 1
        }
        return parts.joined(separator: ",")
    }
}
