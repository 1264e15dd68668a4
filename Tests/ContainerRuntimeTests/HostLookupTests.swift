import Kernel
import Planning
import TestSupport
import Testing

@testable import ContainerRuntime

@Suite struct HostLookupTests {
    @Test func onlyTheModuleOfAGivenLabelIsLookedFor() {
        #expect(SecurityModules.asked(by: nil) == SecurityModules())
        #expect(SecurityModules.asked(by: process()) == SecurityModules())
    }

    @Test func theFileSystemIsFoundAmongTheMounts() {
        let entries = [("/", "ext4"), ("/sys/fs/resctrl", "resctrl"), ("/r", "resctrl")].map {
            MountTable.Entry(path: $0, type: $1)
        }
        #expect(Host.resctrlRoot(in: entries) == "/sys/fs/resctrl")
        #expect(Host.resctrlRoot(in: [entries[0]]) == nil)
    }
}
