internal import Kernel
internal import KernelTypes
internal import OCISpec

/// What the facts of a host mean for containers: pure, one function for each part of the report.
struct HostChecks: Sendable {
    let facts: HostFacts

    /// All findings, in the order of the report.
    func findings() -> [HostFinding] { kernel() + cgroup() + users() + security() + tools() }

    /// The command that installs a package; both where the distribution is not known.
    func install(_ debian: String, fedora: String) -> String {
        switch facts.distribution {
        case .debian, .ubuntu: "apt-get install \(debian)"
        case .fedora: "dnf install \(fedora)"
        case .other: "apt-get install \(debian) (Debian, Ubuntu), dnf install \(fedora) (Fedora)"
        }
    }

    /// How to boot with more parameters on the kernel's command line.
    func boot(with words: String) -> String {
        switch facts.bootLoader {
        case .grub: return grub(words)
        case .systemdBoot(let file): return "add \(words) to \(file), then run kernel-install add-all and reboot"
        case .firmware(let file): return "add \(words) to the line in \(file), then reboot"
        case .none:
            return
                "boot with \(words) on the kernel's command line; what starts this machine sets it, for no boot loader is set up in it"
        }
    }

    private func grub(_ words: String) -> String {
        let debian = "add \(words) to GRUB_CMDLINE_LINUX in /etc/default/grub, then run update-grub and reboot"
        let fedora = "grubby --update-kernel=ALL --args=\"\(words)\", then reboot"
        return switch facts.distribution {
        case .debian, .ubuntu: debian
        case .fedora: fedora
        case .other: "\(debian) (Debian, Ubuntu); \(fedora) (Fedora)"
        }
    }

    /// How to get a newer kernel.
    func newerKernel(_ version: String) -> String {
        let wanted = "boot Linux \(version) or newer"
        guard facts.hasOwnKernel else { return "\(wanted); what starts this machine chooses it" }
        return switch facts.distribution {
        case .debian: "\(wanted): apt-get install -t stable-backports linux-image-\(debianArchitecture)"
        case .ubuntu: "\(wanted): apt-get install linux-generic-hwe-$(lsb_release -rs)"
        case .fedora: "\(wanted): dnf upgrade kernel"
        case .other: wanted
        }
    }

    /// Debian's packages of kernels have other names for machines than uname(2).
    private var debianArchitecture: String {
        switch facts.machine {
        case "x86_64": "amd64"
        case "aarch64": "arm64"
        default: facts.machine
        }
    }

    /// A finding about something that the kernel was asked for.
    func judge(
        _ answer: KernelProbe.Answer, _ id: String, _ summary: String, cost: String, remedy: String,
        essential: Bool = false
    ) -> HostFinding {
        switch answer {
        case .yes: return .ok(id, summary, essential: essential)
        case .no: return .missing(id, summary, cost: cost, remedy: remedy, essential: essential)
        case .refused(let code):
            let text = "\(summary): refused (\(code))"
            let hint = "run runbox outside of the sandbox or container that forbids it"
            return essential
                ? .missing(id, text, cost: cost, remedy: hint, essential: true)
                : .warn(id, text, cost: cost, remedy: hint)
        }
    }
}
