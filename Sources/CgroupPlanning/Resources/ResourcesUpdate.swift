package import Errors
package import OCISpec

/// What changing some limits of a running container comes to: the whole that holds afterwards, and what must be written
/// for it.
///
/// Pure: nothing of the host is looked at.
package struct ResourcesUpdate: Hashable, Sendable {
    /// All limits after the update.
    package let resources: Resources
    /// What to write, in the order of writing: the files that the changes name, and those whose value follows from them
    /// (`cpu.max` holds quota and period in one line, `memory.swap.max` is a difference). What the update is not about
    /// is not written: it may have been changed since.
    package let settings: [Setting]
    /// All mistakes; while there are any the rest is not to be used.
    package let errors: [CgroupPlanError]

    /// - Parameter stored: the limits that hold now.
    package init(_ changes: Resources, stored: Resources?) {
        var old = stored ?? Resources()
        old.devices = nil  // a program that judges them is in the kernel already, and stays
        resources = old.merging(changes)
        let plan = ResourcesPlan(resources, updating: true)
        errors = plan.errors
        let before = ResourcesPlan(old, updating: true).settings
        var named = changes
        named.devices = nil
        let touched = Set(ResourcesPlan(named, updating: true).settings.map { $0.file })
        settings = plan.settings.filter { setting in
            touched.contains(setting.file)
                || !before.contains { $0.file == setting.file && $0.value == setting.value }
        }
    }

    /// The controllers that must be there, each with the first field that needs it.
    package var controllers: [(controller: Controller, field: String)] { ResourcesPlan.controllers(of: settings) }
}
