internal import ContainerRuntime
internal import Errors
internal import Kernel
internal import KernelTypes

extension Command {
    static let mounts = Command(
        name: "mounts", arguments: "add|remove CONTAINER FILE", count: 3...3,
        summary: "add mounts to a container that runs, or remove them",
        details: """
            FILE is JSON: an array of mounts as in config.json, or an object with such an array as mounts
            ("-" is standard input). `add` opens the sources on the host and mounts all of them in the
            container, or none; a relative source counts from the bundle. `remove` unmounts what is mounted
            at the destinations, the last first. The mounts end with the container; its config.json does not
            change. Experimental, as in crun.
            """,
        flags: [],
        touchesContainers: true
    ) { invocation throws(Failure) in
        let words = invocation.parsed.arguments
        guard words[0] == "add" || words[0] == "remove" else {
            throw Failure(
                UsageError(reason: "unknown word \"\(words[0])\" of mounts: add and remove are known"),
                invocation.command)
        }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try words[2] == "-" ? Files.read(Descriptor.duplicate(of: 0)) : Files.read(words[2])
        } catch {
            throw Failure("read the mounts from \(words[2] == "-" ? "standard input" : words[2]): \(error.code)")
        }
        try attempt { () throws(RuntimeError) in
            let container = Container(try ContainerID(words[1]), store: Store(root: invocation.global.root))
            let list = try MountList(json: bytes, file: words[2] == "-" ? "standard input" : words[2])
            if words[0] == "add" {
                try container.add(list, warn: invocation.log.warn)
            } else {
                try container.remove(list, warn: invocation.log.warn)
            }
        }
        return 0
    }
}
