package import Errors
package import OCISpec

/// What `linux.resources` comes to in cgroup v2: files and values in the order of writing, or the mistakes that were
/// found (config-linux.md, "Control groups").
///
/// Pure: nothing of the host is looked at.
package struct ResourcesPlan: Hashable, Sendable {
    /// In the order of application: pids, memory, io, cpu, cpuset, hugetlb, rdma, and last `unified`, which
    /// wins.
    package private(set) var settings: [Setting] = []
    /// The device rules; nil where the configuration has none, and the devices stay as the host allows them.
    package private(set) var devices: DeviceRules?
    /// All mistakes; while there are any the rest is not to be used.
    package private(set) var errors: [CgroupPlanError] = []

    /// - Parameter updating: the cgroup has values already, which constrain the order of the new ones. The resources
    ///   are then the whole: the old ones with the changes merged in.
    package init(_ resources: Resources?, updating: Bool = false) {
        guard let resources else { return }
        if let pids = resources.pids { addPIDs(pids) }
        if let memory = resources.memory { addMemory(memory) }
        if let blockIO = resources.blockIO { addIO(blockIO) }
        if let cpu = resources.cpu { addCPU(cpu, updating: updating) }
        if let cpu = resources.cpu { addCpuset(cpu) }
        if let limits = resources.hugepageLimits { addHugeTLB(limits) }
        if let limits = resources.rdma { addRDMA(limits) }
        if let unified = resources.unified { addUnified(unified) }
        if let network = resources.network { checkNetwork(network) }
        if let rules = resources.devices, !rules.isEmpty { addDevices(rules) }
    }

    /// The controllers that must be switched on, each with the first field that needs it.
    package var controllers: [(controller: Controller, field: String)] { Self.controllers(of: settings) }

    static func controllers(of settings: [Setting]) -> [(controller: Controller, field: String)] {
        var found: [(controller: Controller, field: String)] = []
        // Without the controller a cgroup is unlimited anyway: asking for that needs none, and some hosts have none.
        for setting in settings where setting.controller.needsEnabling && !setting.isUnlimited {
            if found.contains(where: { $0.controller == setting.controller }) { continue }
            found.append((setting.controller, setting.field))
        }
        return found
    }

    mutating func add(
        _ file: String, _ value: String, _ controller: Controller, field: String, optional: Bool = false,
        alternative: Setting.Alternative? = nil, usageFile: String? = nil
    ) {
        settings.append(
            Setting(
                file: file, value: value, controller: controller, field: "linux.resources.\(field)",
                optional: optional, alternative: alternative, usageFile: usageFile))
    }

    mutating func refuse(_ field: String, _ reason: String) {
        errors.append(CgroupPlanError(field: "linux.resources.\(field)", reason: reason))
    }

    mutating func refuseVersion1(_ field: String) {
        errors.append(.onlyInVersion1("linux.resources.\(field)"))
    }

    /// `network` has no counterpart in cgroup v2; only one that asks for nothing is let through.
    private mutating func checkNetwork(_ network: NetworkResources) {
        if let classID = network.classID, classID != 0 { refuseVersion1("network.classID") }
        if let priorities = network.priorities, !priorities.isEmpty { refuseVersion1("network.priorities") }
    }

    private mutating func addDevices(_ rules: [DeviceRule]) {
        do throws(DeviceRules.Mistakes) {
            devices = try DeviceRules(rules)
        } catch {
            errors += error.list
        }
    }
}
