package import Kernel
package import KernelTypes

/// A program of the host that the runtime calls and whose output it reads.
package struct HostProgram: Sendable {
    package let path: String

    /// How a call of it went.
    struct Outcome: Sendable {
        let reason: ExitReason
        let output: String
        /// The first line of what it said on its standard error; empty when it said nothing.
        let complaint: String
    }

    /// Looks for it on the PATH of this process.
    /// - Returns: nil where it is not installed.
    package init?(_ name: String) {
        let search = Processes.environment("PATH") ?? "/usr/sbin:/usr/bin:/sbin:/bin"
        let candidates = search.parts(by: ":").map { "\($0)/\(name)" }
        // What cannot be looked at cannot be executed either.
        let found = candidates.first { path in
            (try? Files.status(path))?.kind == .regular && Files.isExecutable(path)
        }
        guard let found else { return nil }
        path = found
    }

    /// Looks for an administrator's tool: engines call with a short PATH, which lacks the folders of these.
    /// - Returns: nil where it is not installed.
    package init?(administrators name: String) {
        let folders = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map { "\($0)/\(name)" }
        if let found = HostProgram(name)?.path ?? folders.first(where: { Files.isExecutable($0) }) {
            path = found
        } else {
            return nil
        }
    }

    /// Runs it to its end, with the environment of this process.
    /// - Parameters:
    ///   - input: what it reads.
    ///   - gainsPrivileges: whether it is called for what its file lets it do (execve(2), set-user-ID and
    ///     capabilities); no other can.
    ///   - prepare: is called in the new process, which then becomes the program.
    func run(
        _ arguments: [String], input text: String = "", gainsPrivileges: Bool = false,
        prepare: () throws(SystemError) -> Void = {}
    ) throws(SystemError) -> Outcome {
        // A clone without the C library's knowledge is sound in a process with one thread only.
        if try Processes.threadCount() > 1 {
            throw .refused("the calling process has several threads; only one with one thread can run \(path)")
        }
        let input = text.isEmpty ? try Files.open("/dev/null", .readOnly) : try Files.memoryFile("input")
        if !text.isEmpty {
            try Files.write(text, to: input)
            try Files.rewind(input)
        }
        let output = try Files.memoryFile("output")
        let complaints = try Files.memoryFile("complaints")
        let image = ExecImage(path: path, arguments: [path] + arguments, environment: Processes.environment())
        let child = try Cloning.clone(cgroup: nil) {
            Self.become(image, gainsPrivileges, input: input, output: output, complaints: complaints, prepare)
        }
        let reason = try Processes.wait(child)
        try Files.rewind(output)
        try Files.rewind(complaints)
        let said = String(decoding: try Files.read(complaints), as: UTF8.self)
        return Outcome(
            reason: reason, output: String(decoding: try Files.read(output), as: UTF8.self),
            complaint: said.parts(by: "\n").first ?? "")
    }

    /// Starts it and does not wait for its end: who reaps the child learns of that. What it says goes where this
    /// process's messages go.
    package func begin(
        _ arguments: [String], input: borrowing Descriptor, output: borrowing Descriptor
    ) throws(SystemError) -> ChildProcess {
        let complaints = try Descriptor.duplicate(of: 2)
        let image = ExecImage(path: path, arguments: [path] + arguments, environment: Processes.environment())
        return try Cloning.clone(cgroup: nil) {
            Self.become(image, false, input: input, output: output, complaints: complaints)
        }
    }

    private static func become(
        _ image: borrowing ExecImage, _ gainsPrivileges: Bool, input: borrowing Descriptor,
        output: borrowing Descriptor, complaints: borrowing Descriptor,
        _ prepare: () throws(SystemError) -> Void = {}
    ) -> Never {
        do throws(SystemError) {
            try prepare()
            try input.copy(to: 0)
            try output.copy(to: 1)
            try complaints.copy(to: 2)
            try InheritedDescriptors.closeOnExec(from: 3)
            if !gainsPrivileges { try Processes.setNoNewPrivileges() }
            Signals.resetForProgram()
            try Files.write("cannot be executed: \(image.execute())", to: complaints)
        } catch {
            // Only the status can report it.
        }
        Processes.exit(127)
    }
}
