internal import Cgroups
internal import Errors
internal import Kernel
internal import KernelTypes

/// What a CRIU that was killed has left of its hold on a container's connections: filter rules that drop their packets,
/// and sockets in repair mode. CRIU that fails by itself takes them away; where it could not, the container would run
/// on without a network.
///
/// The names are those of CRIU's sources: a chain or table for a network namespace that is not the host's, rules by
/// a packet mark for single connections in the host's.
struct ConnectionLocks {
    let record: Record

    private static let chain = "CRIU"
    private static let mark = "! --mark 0xc114 "

    /// Takes it away.
    /// - Returns: a sentence for each thing that stays.
    func release() -> [String] {
        var left: [String] = []
        do throws(SystemError) {
            let network = try Files.open("/proc/\(record.pid)/ns/net", .readOnly)
            let isHost = try Namespaces.isOwn("net", Files.status(of: network))
            for version in ["iptables", "ip6tables"] { left += releaseRules(version, network, isHost: isHost) }
            left += releaseTables(network, isHost: isHost)
        } catch {
            left.append("\(error)")
        }
        let processes = (try? CgroupManager.open(record.cgroup).processes(recursive: true)) ?? [record.pid]
        // A process that has ended, or a descriptor that was closed meanwhile, needs nothing.
        for process in processes where process > 0 { try? Self.endRepair(process) }
        return left.map { "connections of \(record.id) may stay held: \($0)" }
    }

    // MARK: Rules

    private func releaseRules(_ version: String, _ network: borrowing Descriptor, isHost: Bool) -> [String] {
        // What is not installed has set no rules.
        guard let saving = HostProgram(administrators: "\(version)-save"),
            let restoring = HostProgram(administrators: "\(version)-restore")
        else { return [] }
        do throws(SystemError) {
            let rules = try run(saving, ["-t", "filter"], network)
            guard let text = Self.removal(of: rules.output, isHost: isHost) else { return [] }
            return Self.complaint(try run(restoring, ["--wait", "--noflush"], network, input: text), version)
        } catch {
            return ["\(error)"]
        }
    }

    /// What iptables-restore(8) takes to remove CRIU's rules from a list of iptables-save(8).
    /// - Returns: nil where there are none.
    static func removal(of rules: String, isHost: Bool) -> String? {
        let lines = rules.parts(by: "\n")
        var removal: [String] = []
        for line in lines {
            guard let rule = line.rest(after: "-A ") else { continue }
            let isLock = line.containsText(mark) && line.ends(with: "-j DROP")
            if isLock || (!isHost && line.ends(with: "-j \(chain)")) { removal.append("-D \(rule)") }
        }
        if !isHost, lines.contains(where: { $0.begins(with: ":\(chain) ") }) {
            removal += ["-F \(chain)", "-X \(chain)"]
        }
        return removal.isEmpty ? nil : (["*filter"] + removal + ["COMMIT", ""]).joined(separator: "\n")
    }

    // MARK: Tables

    private func releaseTables(_ network: borrowing Descriptor, isHost: Bool) -> [String] {
        guard let program = HostProgram(administrators: "nft") else { return [] }
        do throws(SystemError) {
            let list = try run(program, ["list", "tables"], network).output
            var left: [String] = []
            for table in Self.tables(list, isHost ? record.pid : nil) {
                left += Self.complaint(try run(program, ["delete", "table"] + table, network), "nft")
            }
            return left
        } catch {
            return ["\(error)"]
        }
    }

    /// CRIU's of nft(8)'s list of tables: family and name.
    /// - Parameter pid: only the one that is named after this process.
    static func tables(_ list: String, _ pid: Int32?) -> [[String]] {
        list.parts(by: "\n").map { $0.parts(by: " ") }.filter { words in
            words.count == 3 && words[0] == "table"
                && (pid.map { words[2] == "\(chain)-\($0)" } ?? words[2].begins(with: "\(chain)-"))
        }.map { Array($0[1...]) }
    }

    private func run(
        _ program: HostProgram, _ arguments: [String], _ network: borrowing Descriptor, input: String = ""
    ) throws(SystemError) -> HostProgram.Outcome {
        try program.run(arguments, input: input) { () throws(SystemError) in
            try Namespaces.join(network, .network, subject: "/proc/\(record.pid)/ns/net")
        }
    }

    private static func complaint(_ outcome: HostProgram.Outcome, _ name: String) -> [String] {
        outcome.reason == .exited(code: 0) ? [] : ["\(name): \(printable(outcome.complaint))"]
    }

    // MARK: Sockets

    private static func endRepair(_ process: Int32) throws(SystemError) {
        let pidfd = try Processes.open(process)
        for name in try Files.list("/proc/\(process)/fd") {
            guard let number = Int32(name), let target = try? Files.readLink("/proc/\(process)/fd/\(name)"),
                target.begins(with: "socket:"), let socket = try? Processes.descriptor(number, of: pidfd)
            else { continue }
            _ = try? Sockets.endRepair(of: socket)
        }
    }
}
