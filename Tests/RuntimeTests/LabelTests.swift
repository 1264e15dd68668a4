import Foundation
import Testing

extension AllTests {
    /// AppArmor profiles and SELinux labels where neither is enabled. Where they are: Tests/VM.
    @Suite struct Labels {
        @Test(.needsHostWithoutAppArmor)
        func aProfileNeedsAppArmor() throws {
            let line = try Sandbox.current.refuse { $0["process.apparmorProfile"] = "docker-default" }
            #expect(
                line.contains("process.apparmorProfile: AppArmor is not enabled on this host")
                    && line.contains("set \"unconfined\"") && line.contains("config.json:"), "\(line)")
        }

        @Test func unconfinedNeedsNothing() throws {
            let seen = try Sandbox.current.look("say:x") { $0["process.apparmorProfile"] = "unconfined" }
            #expect(seen.text.contains("x"))
        }

        @Test(
            .needsHostWithoutSELinux,
            arguments: ["process.selinuxLabel", "linux.mountLabel"])
        func aLabelNeedsSELinux(field: String) throws {
            let line = try Sandbox.current.refuse { $0[field] = "system_u:object_r:container_file_t:s0:c1,c2" }
            #expect(line.contains("\(field): SELinux is not enabled on this host"), "\(line)")
        }

        @Test func emptyLabelsAreNone() throws {
            let seen = try Sandbox.current.look("say:x") {
                $0["process.apparmorProfile"] = ""
                $0["process.selinuxLabel"] = ""
                $0["linux.mountLabel"] = ""
            }
            #expect(seen.text.contains("x"))
        }

        @Test(
            .needsHostWithoutAppArmor, .needsHostWithoutSELinux,
            arguments: [
                ("--apparmor", "some", "AppArmor is not enabled"),
                ("--process-label", "a:b:c", "SELinux is not enabled"),
            ])
        func labelsOfExecNeedTheirModule(flag: String, value: String, words: String) throws {
            let box = try Sandbox.current
            _ = try box.create(try box.bundle("sleep:100000"))
            try box.ok("start", box.id)
            let outcome = try box.runtime("exec", flag, value, box.id, "/probe", "say:it ran")
            #expect(outcome.status == 255 && outcome.stderr.contains(words), "\(outcome)")
            #expect(!outcome.stdout.contains("it ran"))
        }
    }
}
