/// A form that JSON values can have.
indirect enum Shape: Sendable {
    /// One of these strings.
    case words([String])
    case number(ClosedRange<Int>)
    case boolean
    /// This text of JSON.
    case fixed(String)
    /// So many values at most, and one at least where it says so.
    case list(Int, Shape, least: Int = 0)
    /// Of several values, each one once or not at all.
    case some(percent: Int, [Shape])
    case object([Member])
    case one([Shape])

    struct Member: Sendable {
        let name: String
        /// How often it is there.
        let percent: Int
        let shape: Shape

        init(_ name: String, _ percent: Int, _ shape: Shape) {
            self.name = name
            self.percent = percent
            self.shape = shape
        }
    }

    /// A text of this form.
    func write(_ random: inout Random) -> String {
        switch self {
        case .words(let words): return "\"\(random.element(of: words))\""
        case .number(let range): return "\(Self.number(range, &random))"
        case .boolean: return random.below(2) == 0 ? "false" : "true"
        case .fixed(let text): return text
        case .one(let shapes): return random.element(of: shapes).write(&random)
        case .list(let most, let shape, let least):
            var elements: [String] = []
            for _ in 0..<(least + random.below(most - least + 1)) { elements.append(shape.write(&random)) }
            return "[\(elements.joined(separator: ","))]"
        case .some(let percent, let shapes):
            var elements: [String] = []
            for shape in shapes where random.below(100) < percent { elements.append(shape.write(&random)) }
            return "[\(elements.joined(separator: ","))]"
        case .object(let members):
            var texts: [String] = []
            for member in members where random.below(100) < member.percent {
                texts.append("\"\(member.name)\":\(member.shape.write(&random))")
            }
            return "{\(texts.joined(separator: ","))}"
        }
    }

    /// The edges are where mistakes live.
    private static func number(_ range: ClosedRange<Int>, _ random: inout Random) -> Int {
        switch random.below(8) {
        case 0: range.lowerBound
        case 1: range.upperBound
        default: range.lowerBound + random.below(range.count)
        }
    }
}
