internal import Kernel
internal import KernelTypes
internal import Planning

/// Applies host name, domain name, kernel parameters and execution domain.
enum SystemSettings {
    static func setNames(_ plan: SystemPlan) throws(SystemError) {
        if let name = plan.hostname, !name.isEmpty { try Credentials.setHostName(name) }
        if let name = plan.domainname, !name.isEmpty { try Credentials.setDomainName(name) }
    }

    /// Writes the parameters through the host's procfs, which shows each writer its own namespaces.
    /// Links and other file systems mounted above are refused on the way (CVE-2025-52881).
    static func setParameters(_ plan: SystemPlan, proc: borrowing Descriptor) throws(SystemError) {
        for sysctl in plan.sysctls {
            do throws(SystemError) {
                let file = try Files.openBeneath("sys/\(sysctl.path)", at: proc, .writeOnly)
                try Files.write(sysctl.value, to: file)
            } catch {
                throw error.about("\(sysctl.key) = \"\(sysctl.value)\"")
            }
        }
    }

    static func setPersonality(_ plan: SystemPlan) throws(SystemError) {
        if let personality = plan.personality { try Scheduling.setPersonality(personality) }
    }
}
