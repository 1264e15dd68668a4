package import KernelTypes

extension Array where Element == UInt8 {
    /// `withUnsafeBytes` for bodies with a typed error.
    package func withUnsafeBytesThrowing<Result>(
        _ body: (UnsafeRawBufferPointer) throws(SystemError) -> Result
    ) throws(SystemError) -> Result {
        try withUnsafeBufferPointer { buffer throws(SystemError) in try body(UnsafeRawBufferPointer(buffer)) }
    }
}
