internal import CgroupPlanning
internal import DBusTransport
internal import Kernel
internal import KernelTypes

/// A socket behind which systemd may be.
struct SystemdAddress: Hashable {
    let path: String
    /// Whether a message bus stands between.
    let isBus: Bool

    /// In the order of trying. root asks systemd itself; a user goes by the bus of the session, as the environment
    /// names it.
    static func all(isUser: Bool) -> [SystemdAddress] {
        isUser
            ? ofUser(
                Processes.environment("DBUS_SESSION_BUS_ADDRESS"), folder: Processes.environment("XDG_RUNTIME_DIR"),
                id: hostUser())
            : ofSystem(Processes.environment("DBUS_SYSTEM_BUS_ADDRESS"))
    }

    static func ofSystem(_ address: String?) -> [SystemdAddress] {
        let buses = address.map(Address.socketPaths) ?? []
        return [SystemdAddress(path: "/run/systemd/private", isBus: false)]
            + (buses.isEmpty ? ["/run/dbus/system_bus_socket"] : buses).map { SystemdAddress(path: $0, isBus: true) }
    }

    static func ofUser(_ address: String?, folder: String?, id: UInt32) -> [SystemdAddress] {
        var places = (address.map(Address.socketPaths) ?? []).map { SystemdAddress(path: $0, isBus: true) }
        for folder in [folder, "/run/user/\(id)"] {
            guard let folder, folder.isAbsolutePath else { continue }
            for place in [
                SystemdAddress(path: "\(folder)/bus", isBus: true),
                SystemdAddress(path: "\(folder)/systemd/private", isBus: false),
            ] where !places.contains(place) { places.append(place) }
        }
        return places
    }

    /// The number that the host has for this user, who may be the root of a user namespace. user_namespaces(7),
    /// "uid_map".
    private static func hostUser() -> UInt32 {
        let user = Credentials.effectiveUser
        // Without the file there are no user namespaces.
        guard let map = try? Files.readText("/proc/self/uid_map") else { return user }
        return hostUser(user, map: map)
    }

    static func hostUser(_ user: UInt32, map: String) -> UInt32 {
        for line in map.parts(by: "\n") {
            let numbers = line.parts(by: " ").compactMap { UInt32($0) }
            guard numbers.count == 3, user >= numbers[0], user - numbers[0] < numbers[2] else { continue }
            return numbers[1] &+ (user - numbers[0])
        }
        return user
    }
}

/// Whose systemd is asked.
package enum SystemdUser {
    /// Whether it is the manager of the user: for every user but root, and for a root of a user namespace other than
    /// that of process 1, as an engine without root has it.
    package static var isOwn: Bool {
        guard Credentials.effectiveUser == 0 else { return true }
        guard Credentials.isInUserNamespace else { return false }
        // In a container with systemd both are the same. Not to be read: process 1 is not this root's.
        guard let isOwn = try? Namespaces.isOwn("user", Files.status("/proc/1/ns/user")) else { return true }
        return !isOwn
    }
}

extension OwnService {
    /// A user's systemd leaves no mark in older versions (252): it is asked.
    package mutating func askUsersManager() {
        guard !isDelegated, SystemdUser.isOwn, var bus = try? SystemdBus.connect(isUser: true) else { return }
        isDelegated = bus.isDelegated(name) ?? false
    }
}
