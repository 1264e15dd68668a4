import Testing

@testable import DBusTransport

@Suite struct Addresses {
    @Test(arguments: [
        ("unix:path=/run/user/1/bus", ["/run/user/1/bus"]),
        ("unix:path=/a,guid=1234;tcp:host=x,port=1;unix:guid=1,path=/b%20c", ["/a", "/b c"]),
        ("unix:abstract=/tmp/x", []), ("", []), ("unix:path=relative", []), ("unix:path=/a%2", []),
        ("unix:path=/a%00b", []), ("unix:path=/%zz;unix:path=/c", ["/c"]),
    ])
    func socketPathsAreFoundInAnAddress(address: String, paths: [String]) {
        #expect(Address.socketPaths(address) == paths)
    }
}
