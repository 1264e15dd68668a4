internal import Errors
internal import Kernel
package import KernelTypes
internal import Planning

/// Working directory, environment and attributes of the payload.
package enum ProcessSetup {
    /// The home directory of a user by the container's own passwd file; `/` where it says nothing. No name service is
    /// asked: it would be the image's code.
    static func home(of user: UInt32) -> String {
        guard let root = try? RootDirectory(Files.open("/", [.path, .directory])),
            let bytes = root.contents(of: "/etc/passwd", limit: 4 << 20)
        else { return "/" }  // no passwd file is no mistake
        return home(of: user, passwd: bytes)
    }

    static func home(of user: UInt32, passwd: [UInt8]) -> String {
        for line in passwd.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            guard fields.count >= 6, UInt32(String(decoding: fields[2], as: UTF8.self)) == user else { continue }
            let home = String(decoding: fields[5], as: UTF8.self)
            return home.isEmpty ? "/" : home
        }
        return "/"
    }

    /// The payload's environment: HOME is added where it is missing or empty, and what socket activation asks for, but
    /// for LISTEN_PID, which is the number of the process that becomes the payload.
    static func environment(_ process: ProcessPlan, activation: Int, names: String? = nil) -> [String] {
        var result = process.environment
        if process.variable("HOME") ?? "" == "" {
            result.removeAll { $0 == "HOME=" }
            result.append("HOME=\(home(of: process.user))")
        }
        if activation > 0 {
            result.removeAll {
                $0.begins(with: "LISTEN_FDS=") || $0.begins(with: "LISTEN_PID=") || $0.begins(with: "LISTEN_FDNAMES=")
            }
            if let names { result.append("LISTEN_FDNAMES=\(names)") }
            result.append("LISTEN_FDS=\(activation)")
        }
        return result
    }

    /// Makes the working directory where it is missing and enters it, as far as the container's root may; the payload's
    /// user tries again.
    static func makeAndEnter(_ directory: String) throws(SystemError) -> Bool {
        let root = RootDirectory(try Files.open("/", [.path, .directory]))
        do throws(SystemError) {
            try Files.changeDirectory(to: root.openDirectory(directory))
            return true
        } catch {
            if error.code == .accessDenied || error.code == .notPermitted { return false }
            throw .failed("process.cwd: chdir", directory, error.code)
        }
    }

    /// Enters the working directory with the rights that set the process up, where they suffice: those of its own may
    /// be less, as of a root without CAP_DAC_OVERRIDE in another's home, or more, as of a user on a network's file
    /// system. That user tries again, and says what is wrong.
    static func enterBefore(_ directory: String) -> Bool {
        do throws(SystemError) {
            let root = RootDirectory(try Files.open("/", [.path, .directory]))
            try Files.changeDirectory(to: root.open(directory, [.path, .directory]))
            return true
        } catch {
            return false
        }
    }

    /// The message about a working directory that cannot be entered.
    package static func words(_ directory: String, _ code: Errno) -> String { "chdir \(directory): \(code)" }

    /// Enters the working directory as the payload's user and makes sure that it lies inside the container. A directory
    /// outside of the root, reached through a leaked descriptor, shows by a path that is not absolute (CVE-2024-21626).
    static func enter(_ directory: String, alreadyThere: Bool) throws(SystemError) {
        do throws(SystemError) {
            if !alreadyThere { try Files.changeDirectory(directory) }
            guard try Files.currentDirectory().begins(with: "/") else {
                throw .refused("process.cwd \(directory) lies outside of the container's root")
            }
        } catch {
            if error.isRefusal { throw error }
            // In the C library's words: engines take a missing directory for status 127, as with runc and crun.
            throw .refused("process.cwd: chdir \(directory): \(error.code.standardDescription)")
        }
    }

    /// What the runtime sets on the process from outside, with privileges that it may not have in its user namespace.
    static func setAttributes(_ process: ProcessPlan, of pid: Int32, limits: Bool) throws(StepFailure) {
        try step(.processAttributes) { () throws(SystemError) in
            if let scheduling = process.scheduling { try Scheduling.set(scheduling, of: pid) }
            if let priority = process.ioPriority {
                try Scheduling.setIOPriority(class: priority.class, level: priority.level, of: pid)
            }
        }
        if limits { try step(.resourceLimits, try setLimits(process, of: pid)) }
    }

    /// - Parameter pid: 0 means this process. From outside, a process of another user needs CAP_SYS_RESOURCE over it
    ///   (prlimit(2)).
    static func setLimits(_ process: ProcessPlan, of pid: Int32) throws(SystemError) {
        for limit in process.limits {
            try Limits.set(limit.kind, soft: limit.soft, hard: limit.hard, of: pid, name: limit.name)
        }
    }

    /// How ready the kernel is to kill the init when memory runs out; -1000 to 1000.
    ///
    /// An ordinary user cannot lower it; as in runc, that is no reason not to run.
    static func setOOMScoreAdjustment(_ process: ProcessPlan, of pid: Int32) throws(SystemError) {
        guard let value = process.oomScoreAdjustment else { return }
        do throws(SystemError) {
            try Files.write("\(value)", into: "/proc/\(pid)/oom_score_adj")
        } catch {
            if error.code == .accessDenied || error.code == .notPermitted, Credentials.isOrdinary { return }
            throw .failed("process.oomScoreAdj", "\(value)", error.code)
        }
    }
}
