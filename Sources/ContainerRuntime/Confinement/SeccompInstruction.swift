/// One instruction of a filter: struct sock_filter, linux/filter.h; seccomp(2).
struct SeccompInstruction: Sendable, Equatable {
    let code: UInt16
    let ifTrue: UInt8
    let ifFalse: UInt8
    let value: UInt32

    private init(_ code: UInt16, _ value: UInt32, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0) {
        self.code = code
        self.ifTrue = ifTrue
        self.ifFalse = ifFalse
        self.value = value
    }

    /// Loads the number of the call; struct seccomp_data.
    static let loadNumber = Self(0x20, 0)
    /// Loads the architecture of the call.
    static let loadArchitecture = Self(0x20, 4)

    /// Skips this many instructions.
    static func jump(_ distance: Int) -> Self { Self(0x05, UInt32(distance)) }

    /// Skips instructions where what was loaded is equal, and others where it is not; at most 255.
    static func jump(ifEqual value: UInt32, _ ifTrue: UInt8, else ifFalse: UInt8) -> Self {
        Self(0x15, value, ifTrue: ifTrue, ifFalse: ifFalse)
    }

    static func jump(ifAbove value: UInt32, _ ifTrue: UInt8, else ifFalse: UInt8) -> Self {
        Self(0x25, value, ifTrue: ifTrue, ifFalse: ifFalse)
    }

    static func jump(ifAtLeast value: UInt32, _ ifTrue: UInt8, else ifFalse: UInt8) -> Self {
        Self(0x35, value, ifTrue: ifTrue, ifFalse: ifFalse)
    }

    /// The answer: SECCOMP_RET_* with its data.
    static func answer(_ word: UInt32) -> Self { Self(0x06, word) }

    /// As the kernel takes it, in the byte order of the machine.
    var bytes: [UInt8] {
        withUnsafeBytes(of: code) { Array($0) } + [ifTrue, ifFalse] + withUnsafeBytes(of: value) { Array($0) }
    }
}
