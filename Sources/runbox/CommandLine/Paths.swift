internal import Kernel
internal import KernelTypes

/// Paths of the command line.
enum Paths {
    /// A path that stays right when the working directory changes.
    static func absolute(_ path: String) -> String {
        // Without a working directory the path stays as it is, and its user reports that.
        guard !path.isAbsolutePath, let here = try? Files.currentDirectory() else { return path }
        return "\(here)/\(path)"
    }
}
