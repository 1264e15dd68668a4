internal import CLinux

package enum Build {
    /// The commit this was built from; empty when unknown.
    package static var commit: String { String(cString: clinux_build_commit()) }
}
