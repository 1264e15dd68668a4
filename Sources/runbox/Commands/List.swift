internal import ContainerRuntime
internal import Errors
internal import JSON
internal import Kernel
internal import Services

extension Command {
    static let list = Command(
        name: "list", arguments: "", count: 0...0, summary: "list the containers",
        details: """
            One line a container, and a service that has none at this moment; --format json prints an array with the keys of `runbox state`, and
            --quiet the names alone. Containers whose state is damaged are left out with a warning. A --root
            that was named and is not there is an error; the usual one has no containers then.
            """,
        flags: [
            Flag("format", short: "f", value: "FORMAT", choices: "table json", "table (default) or json"),
            Flag("quiet", short: "q", "names only"),
        ]
    ) { invocation throws(Failure) in
        let format = invocation.parsed.value("format") ?? "table"
        guard format == "table" || format == "json" else {
            throw Failure(UsageError(reason: "invalid format \"\(format)\": table or json"), invocation.command)
        }
        if invocation.global.isRootNamed, !Files.exists(invocation.global.root) {
            throw Failure("list \(invocation.global.root): there is no such folder; --root names it")
        }
        var states = try attempt { () throws(RuntimeError) in
            try Container.all(in: Store(root: invocation.global.root), warn: invocation.log.warn)
        }
        let services = services(invocation.global.root)
        for service in services where !states.contains(where: { $0.id == service.name }) {
            states.append(ContainerState(service))
        }
        if !services.isEmpty { states.sort { $0.id < $1.id } }
        if invocation.parsed.isOn("quiet") {
            try Output.write(states.map { "\($0.id)\n" }.joined())
        } else if format == "json" {
            var writer = Writer()
            writer.array { array in
                for state in states {
                    state.write(
                        to: &array, systemdScope: false, service: services.first { $0.name == state.id })
                }
            }
            try Output.write(String(decoding: writer.finish(), as: UTF8.self) + "\n")
        } else {
            try Output.write(table(states, services))
        }
        return 0
    }

    private static func services(_ root: String) -> [ServiceRecord] {
        ServiceFolder.names(in: root).compactMap { ServiceFolder(root: root, name: $0).view }
    }

    /// Columns at least twelve wide and three blanks apart, as runc prints them.
    private static func table(_ states: [ContainerState], _ services: [ServiceRecord]) -> String {
        let header = ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
        let rows =
            [header]
            + states.map { state in
                let service = services.first { $0.name == state.id }
                // What a supervisor knows of a container says more, unless somebody has paused it.
                let status = state.status == .paused ? nil : service?.status
                return [
                    state.id, "\(state.pid)", status ?? state.status.rawValue, state.bundle, state.created,
                    state.ownerName,
                ]
            }
        let widths = header.indices.map { column in max(12, (rows.map { $0[column].count }.max() ?? 0) + 3) }
        return rows.map { row in
            row.indices.map { column in
                column == row.count - 1
                    ? row[column] : row[column] + String(repeating: " ", count: widths[column] - row[column].count)
            }.joined() + "\n"
        }.joined()
    }
}

extension ContainerState {
    /// The owner's name by the host's passwd file, or `#uid`.
    var ownerName: String {
        if owner == 0 { return "root" }
        guard let bytes = try? Files.read("/etc/passwd") else { return "#\(owner)" }  // no passwd file, no names
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
            if fields.count > 2, UInt32(String(decoding: fields[2], as: UTF8.self)) == owner {
                return String(decoding: fields[0], as: UTF8.self)
            }
        }
        return "#\(owner)"
    }
}
