package import Errors

/// One value for one file of the container's cgroup directory.
package struct Setting: Hashable, Sendable {
    /// What to write where the first file does not exist.
    package struct Alternative: Hashable, Sendable {
        package let file: String
        package let value: String
    }

    package let file: String
    /// Several lines are written one by one, for the kernel takes one line for each write.
    package let value: String
    package let controller: Controller
    /// The field of config.json that asked for it, for messages.
    package let field: String
    /// Whether it is no loss when the kernel has no such file.
    package let optional: Bool
    package let alternative: Alternative?
    /// Another file of the directory whose number must be lower than this one, or the setting is refused.
    package let usageFile: String?

    /// Whether it asks for no limit, which is what every new cgroup has.
    package var isUnlimited: Bool { value == "max" }

    package init(
        file: String, value: String, controller: Controller, field: String, optional: Bool = false,
        alternative: Alternative? = nil, usageFile: String? = nil
    ) {
        self.file = file
        self.value = value
        self.controller = controller
        self.field = field
        self.optional = optional
        self.alternative = alternative
        self.usageFile = usageFile
    }
}
