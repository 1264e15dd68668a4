/// xorshift64*: the same numbers for the same seed on every machine.
struct Random {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        for _ in 0..<4 {
            _ = next()
        }
    }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// A number from 0 to `limit` − 1; 0 where `limit` is not above 0.
    mutating func below(_ limit: Int) -> Int {
        limit > 0 ? Int(next() % UInt64(limit)) : 0
    }

    mutating func element<T>(of list: [T]) -> T {
        list[below(list.count)]
    }
}
