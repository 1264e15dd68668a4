import Foundation
import Testing

extension AllTests {
    /// `make install` and `make uninstall`, into a folder that stands for `/`.
    @Suite struct Installation {
        /// Without building: that has happened, and another build would wait for this test.
        private static func make(_ target: String, _ variables: String...) throws -> Outcome {
            let box = try Sandbox.current
            let outcome = try box.aside(
                ["make", "-C", Programs.package, "-o", "build", target, "RUNBOX=\(Programs.runtime)"]
                    + ["DESTDIR=\(box.path("root of a package"))"] + variables
            ).wait(seconds: 60)
            #expect(outcome.status == 0, "\(outcome)")
            return outcome
        }

        /// All files, by their paths below DESTDIR.
        private static func files() throws -> [String: Int] {
            let root = try Sandbox.current.path("root of a package")
            var files: [String: Int] = [:]
            let all = FileManager.default.enumerator(atPath: root)
            while let path = all?.nextObject() as? String {
                guard all?.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
                files["/" + path] = all?.fileAttributes?[.posixPermissions] as? Int
            }
            return files
        }

        private static func expected(_ prefix: String, zsh: String) throws -> [String] {
            let commands = try HelpText.read().commands.map(\.name)
            return
                ([
                    "bin/runbox", "share/bash-completion/completions/runbox", "share/zsh/\(zsh)/_runbox",
                    "share/fish/vendor_completions.d/runbox.fish", "share/man/man1/runbox.1.gz",
                    "share/runbox/seccomp.json", "share/runbox/containers.conf.d/runbox.conf",
                    "share/runbox/docker/daemon.json", "share/runbox/containerd/runbox.toml",
                    "share/runbox/containerd/runbox-v3.toml", "share/runbox/crio/10-runbox.conf",
                    "share/runbox/k3s/config.toml.tmpl", "share/runbox/k3s/config-v3.toml.tmpl",
                    "share/runbox/kubernetes/runbox.yaml",
                    "lib/systemd/system/runbox@.service", "share/doc/runbox/LICENSE", "share/doc/runbox/NOTICE",
                    "share/doc/runbox/LGPL-2.1.txt", "share/doc/runbox/CHANGELOG.md", "share/doc/runbox/service.md",
                ] + commands.map { "share/man/man1/runbox-\($0).1.gz" }).map { "\(prefix)/\($0)" }.sorted()
        }

        @Test(arguments: [("/usr", "vendor-completions"), ("/usr/local", "site-functions")])
        func everyInstalledFileIsInItsPlace(prefix: String, zsh: String) throws {
            let box = try Sandbox.current
            _ = prefix == "/usr/local" ? try Self.make("install") : try Self.make("install", "PREFIX=\(prefix)")
            let files = try Self.files()
            #expect(try files.keys.sorted() == Self.expected(prefix, zsh: zsh))
            for (path, mode) in files { #expect(mode == (path.hasSuffix("bin/runbox") ? 0o755 : 0o644), "\(path)") }

            let root = box.path("root of a package") + prefix
            let version = try box.aside([root + "/bin/runbox", "--version"]).wait()
            let expected = try box.plain(["--version"]).stdout
            #expect(version.status == 0 && version.stdout == expected, "\(version)")
            let page = try box.aside(["gzip", "-dc", root + "/share/man/man1/runbox-run.1.gz"]).wait()
            let printed = try box.plain(["man", "runbox-run"]).stdout
            #expect(page.stdout == printed)
            for path in [
                "containers.conf.d/runbox.conf", "docker/daemon.json", "containerd/runbox.toml",
                "containerd/runbox-v3.toml", "crio/10-runbox.conf", "k3s/config.toml.tmpl", "k3s/config-v3.toml.tmpl",
            ] {
                let text = try String(contentsOfFile: "\(root)/share/runbox/\(path)", encoding: .utf8)
                #expect(text.contains("\"\(prefix)/bin/runbox\""), "\(path) names another executable: \(text)")
            }
            let unit = try String(contentsOfFile: root + "/lib/systemd/system/runbox@.service", encoding: .utf8)
            let programs = unit.split(separator: "\n").filter { $0.hasPrefix("Exec") }
            #expect(
                programs.count == 2
                    && programs.allSatisfy {
                        $0.contains("=\(prefix)/bin/runbox ") || $0.contains("=-\(prefix)/bin/runbox ")
                    },
                "\(unit)")
            #expect(
                FileManager.default.contentsEqual(
                    atPath: root + "/share/runbox/seccomp.json", andPath: Programs.package + "/config/seccomp.json"))
        }

        @Test func whatWasInstalledGoesAway() throws {
            let box = try Sandbox.current
            try box.file("root of a package/usr/share/man/man1/runc.1.gz", "somebody else's")
            _ = try Self.make("install", "PREFIX=/usr")
            // Over itself: an update.
            _ = try Self.make("install", "PREFIX=/usr")
            _ = try Self.make("uninstall", "PREFIX=/usr")
            #expect(try Self.files().keys.sorted() == ["/usr/share/man/man1/runc.1.gz"])
            // Again: nothing is no error.
            _ = try Self.make("uninstall", "PREFIX=/usr")
        }

        @Test func aRelativePrefixIsRefused() throws {
            let box = try Sandbox.current
            var surroundings = Surroundings(environment: ["PREFIX": "usr", "DESTDIR": box.path("d")])
            surroundings.directory = box.directory
            let outcome = try box.aside(
                [Programs.package + "/config/install.sh", "install", Programs.runtime], surroundings
            ).wait()
            #expect(outcome.status == 1 && outcome.stderr.contains("PREFIX"), "\(outcome)")
            #expect(!FileManager.default.fileExists(atPath: box.path("d")))
        }
    }
}
