internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

extension OwnService {
    /// - Returns: nil for a process that is in no service's own cgroup. What is in one below it needs no more: what it
    ///   starts is a neighbour there (``CgroupPath``).
    static func find(_ ownPath: String?, root: String) -> OwnService? {
        guard let ownPath, ownPath.ends(with: ".service"), !ownPath.begins(with: "/..") else { return nil }
        return OwnService(path: ownPath, isDelegated: isDelegated(root + ownPath))
    }

    /// systemd marks what it has delegated; the second mark is for users who may not read the first.
    private static func isDelegated(_ path: String) -> Bool {
        ["trusted.delegate", "user.delegate"].contains { name in
            // Not there, or not to be read: not delegated as far as this process can know.
            (try? ExtendedAttributes.get(name, of: path)) == Array("1".utf8)
        }
    }

    /// The cgroup of the runtime below the service's. No container's name has a colon.
    static let leaf = "runbox:supervisor"

    /// Moves what is in the service's cgroup into one below it. The children of a cgroup that holds processes can have
    /// no controllers (cgroup-v2.rst, "No Internal Process Constraint"), and the service that a cgroup is delegated to
    /// has to see to that (systemd: "Control Group APIs and Delegation").
    func clear(root: String) throws(CgroupError) {
        do throws(SystemError) {
            let directory = try Files.open(root + path, [.path, .directory])
            do throws(SystemError) {
                try Files.makeDirectory(Self.leaf, at: directory, mode: 0o755)
            } catch {
                // Of another container of the service, or of its last start.
                guard error.code == .exists else { throw error }
            }
            let leaf = try Files.open(Self.leaf, at: directory, [.path, .directory])
            // Processes of the service may make others meanwhile; what is still there in the end is reported by
            // ``ControllerSwitch``.
            for _ in 0..<8 {
                let processes = try FSManager.processes(in: directory, recursive: false)
                if processes.isEmpty { return }
                for pid in processes { try Self.move(pid, to: leaf) }
            }
        } catch {
            throw CgroupError(error, in: path)
        }
    }

    private static func move(_ pid: Int32, to leaf: borrowing Descriptor) throws(SystemError) {
        do throws(SystemError) {
            try Files.write(String(pid), into: "cgroup.procs", at: leaf)
        } catch {
            // It has ended; 0 is one of an outer pid namespace.
            guard error.code == .noProcess || pid == 0 else { throw error }
        }
    }
}
