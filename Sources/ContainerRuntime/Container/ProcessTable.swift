internal import Cgroups
public import Errors
internal import KernelTypes

extension Container {
    /// The processes in the container's cgroup and in those below it, as the host numbers them, from the smallest; none
    /// when it has ended.
    public func processes() throws(RuntimeError) -> [Int32] {
        guard let record = try store.load(id.description) else { throw .missing(id.description) }
        // While it is being made, its cgroup may still be another's that is about to be refused.
        guard record.isReady else { throw .status(reason: "container not running: \(id) is still being created") }
        // 0 stands for a process of an outer pid namespace, which has no number here.
        return try withCgroup(of: record) { cgroup throws(CgroupError) in
            try cgroup.processes(recursive: true).filter { $0 > 0 }.sorted()
        }
    }

    /// What the host's `ps` prints of the container's processes: its header, and those of its rows that are about them.
    ///
    /// - Parameter arguments: for `ps`; they must give a column `PID`.
    public func processTable(_ arguments: [String]) throws(RuntimeError) -> String {
        let processes = try processes()
        guard let program = HostProgram("ps") else {
            throw .failed(
                reason: "ps: executable file not found in $PATH; install it (Debian: apt-get install procps), "
                    + "or use --format json, which needs no ps")
        }
        let words = (["ps"] + arguments).joined(separator: " ")
        let outcome = try operation("run \(words)") { () throws(SystemError) in try program.run(arguments) }
        guard outcome.reason == .exited(code: 0) else {
            let said = outcome.complaint.isEmpty ? "" : ": \(outcome.complaint)"
            throw .failed(reason: "\(words) ended with status \(outcome.reason.shellStatus)\(said)")
        }
        guard let table = ProcessTable.filter(outcome.output, processes) else {
            throw .failed(reason: "couldn't find PID field in the output of \(words); have it print that column")
        }
        return table
    }
}

/// The text that `ps` prints.
enum ProcessTable {
    /// Keeps the header and the rows of some processes.
    /// - Returns: nil where the header has no column `PID`.
    static func filter(_ text: String, _ processes: [Int32]) -> String? {
        let lines = text.parts(by: "\n")
        guard let header = lines.first, let column = fields(header).firstIndex(of: "PID") else { return nil }
        let rows = lines.dropFirst().filter { line in
            let fields = fields(line)
            guard fields.count > column, let pid = Int32(fields[column]) else { return false }
            return processes.contains(pid)
        }
        return ([header] + rows).map { "\($0)\n" }.joined()
    }

    private static func fields(_ line: String) -> [String] { line.parts(by: " ") }
}
