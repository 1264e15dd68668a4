import TestSupport
import Testing

@testable import Cgroups

@Suite struct PlacesOfSystemd {
    @Test func theSystemManagerHasTwoSockets() {
        #expect(
            SystemdAddress.ofSystem(nil) == [
                SystemdAddress(path: "/run/systemd/private", isBus: false),
                SystemdAddress(path: "/run/dbus/system_bus_socket", isBus: true),
            ])
        #expect(SystemdAddress.ofSystem("unix:path=/x").map(\.path) == ["/run/systemd/private", "/x"])
    }

    @Test func aUserManagerHasTwoSockets() {
        let places = SystemdAddress.ofUser("unix:path=/run/user/7/bus,guid=1", folder: "/run/user/7", id: 7)
        #expect(places.map(\.path) == ["/run/user/7/bus", "/run/user/7/systemd/private"])
        #expect(places.map(\.isBus) == [true, false])
        #expect(
            SystemdAddress.ofUser(nil, folder: nil, id: 8).map(\.path) == [
                "/run/user/8/bus", "/run/user/8/systemd/private",
            ])
        #expect(SystemdAddress.ofUser("unix:path=/a", folder: "/b", id: 8).count == 5)
    }

    @Test(arguments: [
        (0, "0 0 4294967295", 0), (0, "0 1000 1\n1 100000 65536", 1000), (5, "0 1000 1\n1 100000 65536", 100_004),
        (7, "", 7),
    ])
    func aUserIsMappedToTheHostsID(user: UInt32, map: String, host: UInt32) {
        #expect(SystemdAddress.hostUser(user, map: map) == host)
    }

    @Test(arguments: [
        ("252.39-1~deb12u2", 252), ("v219", 219), ("systemd 257", 257), ("", nil), ("x", nil),
    ])
    func theVersionIsReadFromSystemdsText(text: String, version: Int?) {
        #expect(SystemdBus.version(in: text) == version)
    }
}
