enum Release {
    static let version = "0.2.0"
    /// What manual pages are dated with.
    static let date = "2026-11-29"
}
