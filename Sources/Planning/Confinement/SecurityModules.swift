/// Which mandatory access controls this machine enforces. A value, so that plans are tested on any machine.
package struct SecurityModules: Sendable, Equatable {
    var appArmor = false
    var seLinux = false

    package init(appArmor: Bool = false, seLinux: Bool = false) {
        self.appArmor = appArmor
        self.seLinux = seLinux
    }

    /// What is known when nothing was asked.
    static let unasked = SecurityModules()
}
