enum Release {
    static let version = "0.1.0"
    /// What manual pages are dated with.
    static let date = "2026-11-21"
}
