import KernelTypes
import Testing

@testable import Planning

@Suite struct ListenAddressTests {
    private func place(_ text: String) -> ListenAddress.Place? { ListenAddress(text, folder: "/bundle")?.place }

    @Test func addressesOfTheInternetAreNumbers() {
        let local = IPAddress("127.0.0.1")
        #expect(place("tcp:127.0.0.1:80") == .tcp(local, port: 80))
        #expect(place("udp:127.0.0.1:53") == .udp(local, port: 53))
        #expect(place("tcp:[::1]:65535") == .tcp(IPAddress("::1"), port: 65535))
        #expect(place("tcp:0.0.0.0:1") == .tcp(IPAddress("0.0.0.0"), port: 1))
        // Any address of both versions.
        #expect(place("tcp:80") == .tcp(nil, port: 80) && place("tcp::80") == .tcp(nil, port: 80))
        #expect(place("udp:53") == .udp(nil, port: 53))
    }

    @Test(
        arguments: [
            "", "80", "tcp", "tcp:", "tcp:0", "tcp:65536", "tcp:+1", "tcp:080x", "tcp:localhost:80", "tcp:::1:80",
            "tcp:[127.0.0.1]:80", "tcp:[::1]", "tcp:[::1]80", "tcp:[]:80", "tcp:1.2.3:80", "tcp:1.2.3.4:", "sctp:80",
            "TCP:80", "unix:", "unix:@", "unix:/a/", "=tcp:80", "a b=tcp:80", "unix:\u{0}",
        ])
    func othersAreNone(text: String) { #expect(place(text) == nil) }

    @Test func pathsOfUnixSocketsFitIntoAnAddress() {
        #expect(place("unix:/run/x.sock") == .unix("/run/x.sock"))
        #expect(place("unix:x/../y=z") == .unix("/bundle/y=z"))
        #expect(place("unix:@a/b") == .unix("@a/b"))
        let longest = "/" + String(repeating: "x", count: 106)
        #expect(place("unix:\(longest)") == .unix(longest) && place("unix:\(longest)x") == nil)
        let name = "@" + String(repeating: "x", count: 107)
        #expect(place("unix:\(name)") == .unix(name) && place("unix:\(name)x") == nil)
    }

    @Test func namesStandInFront() {
        func name(_ text: String) -> String? { ListenAddress(text, folder: "/")?.name }
        #expect(name("web=tcp:80") == "web" && name("a=unix:/b=c") == "a")
        #expect(name("tcp:80") == nil && name("unix:/a=b") == nil)
        #expect(ListenAddress("web=tcp:80", folder: "/")?.text == "web=tcp:80")
    }
}
