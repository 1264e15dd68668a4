import Kernel
import KernelTypes
import TestSupport

/// Both ends of a packet socket.
struct Ends: ~Copyable {
    var near: Descriptor?
    let far: Descriptor

    static func make() throws(SystemError) -> Ends { try Sockets.packetPair { Ends(near: $0, far: $1) } }

    init(near: consuming Descriptor, far: consuming Descriptor) {
        self.near = consume near
        self.far = far
    }

    /// Takes the near end out; a second time there is none.
    mutating func takeNear() throws(SystemError) -> Descriptor { try unwrap(near.take()) }
}
