internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes
internal import OCISpec

extension Command {
    static let update = Command(
        name: "update", arguments: "CONTAINER", count: 1...1, summary: "change limits of a container",
        details: """
            What is not named stays as it is. Sizes are bytes, or numbers with b, k, m, g (1.5g); -1 takes a
            limit away. --resources reads a file as config.json has it in linux.resources ("-" is standard
            input); the other limits are then ignored. When one value is refused none is changed.
            """,
        flags: UpdateFlags.all
    ) { invocation throws(Failure) in
        let container = try invocation.container()
        let changes = try UpdateFlags.changes(invocation)
        for warning in changes.warnings { invocation.log.warn(warning.description) }
        try attempt { () throws(RuntimeError) in try container.update(changes) }
        return 0
    }
}

/// The flags of `update`: the union of those of runc and crun.
enum UpdateFlags {
    static let all: [Flag] =
        [
            Flag("resources", short: "r", value: "FILE", "read the limits from a JSON file; - is standard input"),
            Flag("blkio-weight", value: "N", "relative weight of block I/O, 10 to 1000"),
            Flag("cpu-period", value: "US", "length of a period of CPU time, in microseconds"),
            Flag("cpu-quota", value: "US", "CPU time in each period, in microseconds; -1: no limit"),
            Flag("cpu-burst", value: "US", "unused CPU time that may be saved up, in microseconds"),
            Flag("cpu-share", value: "N", "relative weight of CPU time, 2 to 262144 (1024 is the usual)"),
            Flag("cpu-idle", value: "N", choices: "0 1", "1: run only when no other process wants the CPU; 0: do not"),
            Flag("cpuset-cpus", value: "LIST", "CPUs to use, as 0-3,7"),
            Flag("cpuset-mems", value: "LIST", "memory nodes to use, as 0-1"),
            Flag("memory", value: "SIZE", "limit of memory"),
            Flag("memory-reservation", value: "SIZE", "memory that is taken from the container last"),
            Flag("memory-swap", value: "SIZE", "limit of memory and swap together"),
            Flag("pids-limit", value: "N", "limit of tasks; -1: none"),
            Flag("l3-cache-schema", value: "LINE", "L3 caches by Intel RDT, as L3:0=f;1=ff"),
            Flag("mem-bw-schema", value: "LINE", "memory bandwidth by Intel RDT, as MB:0=50;1=50"),
        ] + onlyInVersion1

    /// Accepted, as in runc, since scripts and engines pass them: there is nothing in cgroup v2 that they could change.
    private static let onlyInVersion1: [Flag] = [
        Flag("cpu-rt-period", value: "US", "no effect: exists in cgroup v1 only"),
        Flag("cpu-rt-runtime", value: "US", "no effect: exists in cgroup v1 only"),
        Flag("kernel-memory", value: "SIZE", "no effect: exists in cgroup v1 only"),
        Flag("kernel-memory-tcp", value: "SIZE", "no effect: exists in cgroup v1 only"),
    ]

    static func changes(_ invocation: Invocation) throws(Failure) -> ResourceChanges {
        let parsed = invocation.parsed
        var changes: ResourceChanges
        if let file = parsed.value("resources") {
            for flag in all where flag.name != "resources" && parsed.value(flag.name) != nil && !isIntelRdt(flag) {
                invocation.log.warn("--\(flag.name) is ignored: --resources gives the limits")
            }
            changes = try read(file)
        } else {
            changes = ResourceChanges(
                try understand(invocation.command) { () throws(UsageError) in try resources(parsed) })
            for flag in onlyInVersion1 where parsed.value(flag.name) != nil {
                invocation.log.warn("--\(flag.name) has no effect: it exists in cgroup v1 only")
            }
        }
        changes.l3CacheSchema = parsed.value("l3-cache-schema")
        changes.memoryBandwidthSchema = parsed.value("mem-bw-schema")
        return changes
    }

    /// No part of `linux.resources`, so no file has them.
    private static func isIntelRdt(_ flag: Flag) -> Bool {
        flag.name == "l3-cache-schema" || flag.name == "mem-bw-schema"
    }

    private static func read(_ file: String) throws(Failure) -> ResourceChanges {
        let name = file == "-" ? "standard input" : file
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try file == "-" ? Files.read(Descriptor.duplicate(of: 0)) : Files.read(file)
        } catch {
            throw Failure("read the limits from \(name): \(error.code)")
        }
        return try attempt { () throws(RuntimeError) in try ResourceChanges(json: bytes, file: name) }
    }

    private static func resources(_ parsed: ParsedArguments) throws(UsageError) -> Resources {
        var cpu = CPUResources()
        cpu.period = try number(parsed, "cpu-period")
        cpu.quota = try number(parsed, "cpu-quota")
        cpu.burst = try number(parsed, "cpu-burst")
        cpu.shares = try number(parsed, "cpu-share")
        cpu.idle = try number(parsed, "cpu-idle")
        cpu.cpus = parsed.value("cpuset-cpus")
        cpu.mems = parsed.value("cpuset-mems")
        var memory = MemoryResources()
        memory.limit = try size(parsed, "memory")
        memory.reservation = try size(parsed, "memory-reservation")
        memory.swap = try size(parsed, "memory-swap")
        let weight: UInt16? = try number(parsed, "blkio-weight")
        let tasks: Int64? = try number(parsed, "pids-limit")
        // Only that they are numbers; they go nowhere.
        let _: UInt64? = try number(parsed, "cpu-rt-period")
        let _: Int64? = try number(parsed, "cpu-rt-runtime")
        _ = try size(parsed, "kernel-memory")
        _ = try size(parsed, "kernel-memory-tcp")
        return Resources(
            memory: memory, cpu: cpu, pids: tasks.map { PIDsResources(limit: $0) },
            blockIO: weight.map { BlockIOResources(weight: $0) })
    }

    private static func number<Number: FixedWidthInteger>(
        _ parsed: ParsedArguments, _ name: String
    ) throws(UsageError) -> Number? {
        guard let text = parsed.value(name) else { return nil }
        guard let number = Number(text) else {
            throw UsageError(
                reason:
                    "invalid value \"\(text)\" for flag --\(name): a number from \(Number.min) to \(Number.max) is needed"
            )
        }
        return number
    }

    private static func size(_ parsed: ParsedArguments, _ name: String) throws(UsageError) -> Int64? {
        guard let text = parsed.value(name) else { return nil }
        guard let bytes = SizeText.bytes(text) else {
            throw UsageError(
                reason:
                    "invalid value \"\(text)\" for flag --\(name): bytes, a size such as 64m or 1.5g, or -1 is needed")
        }
        return bytes
    }
}
