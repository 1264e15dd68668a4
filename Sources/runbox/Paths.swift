internal import Kernel

/// Paths of the command line.
enum Paths {
    /// A path that stays right when the working directory changes.
    static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/"), let here = try? Files.currentDirectory() else { return path }  // no working directory: as it is
        return "\(here)/\(path)"
    }
}
