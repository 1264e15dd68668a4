internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Puts limits into the container's cgroup.
extension FSManager {
    /// Writes settings in their order, each by one open and one write.
    func apply(_ settings: [Setting]) throws(CgroupError) {
        if settings.isEmpty { return }
        switch directory {
        case .none: throw gone
        case .some(let directory):
            for setting in settings { try apply(setting, directory) }
        }
    }

    private func apply(_ setting: Setting, _ directory: borrowing Descriptor) throws(CgroupError) {
        try checkUsage(setting, directory)
        do throws(SystemError) {
            try write(setting.value, into: setting.file, directory)
        } catch {
            guard error.isMissing else { throw refused(setting, setting.file, setting.value, error.code) }
            if let other = setting.alternative { return try apply(other, of: setting, directory) }
            if !setting.optional && !setting.isUnlimited {
                throw refused(setting, setting.file, setting.value, error.code)
            }
        }
    }

    private func apply(
        _ alternative: Setting.Alternative, of setting: Setting, _ directory: borrowing Descriptor
    ) throws(CgroupError) {
        do throws(SystemError) {
            try write(alternative.value, into: alternative.file, directory)
        } catch {
            throw refused(setting, alternative.file, alternative.value, error.code)
        }
    }

    private func write(_ value: String, into file: String, _ directory: borrowing Descriptor) throws(SystemError) {
        let opened = try Files.open(file, at: directory, .writeOnly)
        let lines = value.parts(by: "\n")
        // An empty value means "as before" in files such as cpuset.cpus; a write without a byte would not reach the
        // kernel.
        if lines.isEmpty { return try Files.write("\n", to: opened, subject: file) }
        for line in lines { try Files.write(String(line), to: opened, subject: file) }
    }

    /// `checkBeforeUpdate`: cgroup v2 would not refuse a limit below the usage, but kill until it fits
    /// (config-linux.md, "Memory").
    private func checkUsage(_ setting: Setting, _ directory: borrowing Descriptor) throws(CgroupError) {
        guard let file = setting.usageFile, let limit = UInt64(setting.value) else { return }
        let usage: UInt64?
        do throws(SystemError) {
            usage = UInt64(try Files.readText(file, at: directory))
        } catch {
            throw refused(setting, file, setting.value, error.code)
        }
        if let usage, usage >= limit {
            throw CgroupError(
                field: setting.field, controller: setting.controller,
                "the limit of \(limit) bytes is not above the present usage of \(usage), and checkBeforeUpdate is set",
                code: .busy)
        }
    }

    private func refused(_ setting: Setting, _ file: String, _ value: String, _ code: Errno) -> CgroupError {
        let reason: String
        var remedy: String?
        if code == .noEntry {
            reason = "the kernel has no \(printable(file)) in cgroup \(path)"
            if setting.controller == .hugetlb { remedy = "use one of the page sizes in /sys/kernel/mm/hugepages" }
        } else if code == .noDevice {
            reason = "\(file) does not take \"\(printable(value))\": there is no such device"
        } else {
            reason = "\(printable(file)) does not take \"\(printable(value))\": \(code)"
        }
        return CgroupError(
            field: setting.field, controller: setting.controller, reason, remedy: remedy, code: code)
    }

    /// Makes the kernel judge requests for devices by the rules, beside what cgroups above already forbid. Nothing is
    /// loaded where they allow everything.
    func applyDeviceProgram(_ rules: DeviceRules) throws(CgroupError) {
        if rules.allowEverything { return }
        switch directory {
        case .none: throw gone
        case .some(let directory):
            do throws(SystemError) {
                let program = try BPF.loadDeviceProgram(DeviceProgram.instructions(for: rules))
                try BPF.attachDeviceProgram(program, to: directory)
            } catch {
                throw CgroupError(
                    field: "linux.resources.devices",
                    "the device program for cgroup \(path) is refused: \(error.call): \(error.code)",
                    remedy: error.code == .invalidArgument
                        ? "the kernel must be built with CONFIG_CGROUP_BPF" : nil,
                    code: error.code)
            }
        }
    }
}

extension FSManager {
    /// Waits until the cgroup uses less memory than a limit that is to be written, as long as the kernel may take to
    /// free what is in use no more: a limit below the usage kills at once (cgroup-v2.rst, `memory.max`). Best effort;
    /// the limit is written whatever comes of it.
    func awaitMemory(below limit: UInt64) {
        let end = MonotonicClock.milliseconds + 300
        while MonotonicClock.milliseconds < end {
            guard let usage = memoryUsage, usage > limit else { return }
            MonotonicClock.sleep(milliseconds: 5)
        }
    }

    private var memoryUsage: UInt64? {
        let text = try? inDirectory { directory throws(SystemError) in
            try Files.readText("memory.current", at: directory)
        }
        return (text ?? nil).flatMap { UInt64($0) }
    }
}
