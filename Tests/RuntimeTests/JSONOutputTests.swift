import Foundation
import Testing

extension AllTests {
    /// What commands print as JSON, against docs/json.md.
    @Suite struct JSONOutput {
        /// All keys of a value, but of maps whose keys are data.
        private static func keys(_ value: Any) -> Set<String> {
            if let list = value as? [Any] { return Set(list.flatMap(keys)) }
            guard let object = value as? [String: Any] else { return [] }
            var all = Set(object.keys)
            for (key, member) in object where !["annotations", "raw"].contains(key) {
                if key == "hugetlb" {
                    for size in (member as? [String: Any] ?? [:]).values { all.formUnion(keys(size)) }
                } else {
                    all.formUnion(keys(member))
                }
            }
            return all
        }

        private static func value(_ text: String) throws -> Any {
            try JSONSerialization.jsonObject(with: Data(text.utf8))
        }

        @Test func everyKeyIsDocumentedAndShapesStay() throws {
            let box = try Sandbox.current
            let document = try String(contentsOfFile: Programs.package + "/docs/json.md", encoding: .utf8)
            let bundle = try box.bundle("hang") { $0["process.umaskk"] = 1 }
            let created = try box.create(bundle)
            try box.ok("start", box.id)
            #expect(created.says("ready"))

            let check = try Self.value(try box.runtime("check", "--format", "json", bundle.directory).stdout)
            let doctor = try Self.value(try box.plain(["doctor", "--format", "json"]).stdout)
            let processes = try Self.value(try box.ok("ps", "--format", "json", box.id).stdout)
            let event = try Self.value(try box.ok("events", "--stats", box.id).stdout)
            try box.ok("kill", box.id, "KILL")
            let wait = try Self.value(try box.runtime("wait", "--format", "json", box.id).stdout)
            let list = try Self.value(try box.ok("list", "--format", "json").stdout)
            let state = try Self.value(try box.ok("state", box.id).stdout)

            for (name, value) in [
                ("check", check), ("doctor", doctor), ("events", event), ("wait", wait), ("list", list),
                ("state", state),
            ] {
                let unknown = Self.keys(value).filter { key in
                    !["`\(key)`", "[].\(key)`", "exit.\(key)`", "data.\(key)`"].contains { document.contains($0) }
                }
                #expect(unknown == [], "\(name)")
            }
            for value in [check, doctor, wait] { #expect((value as? [String: Any])?["version"] as? Int == 1) }
            // What engines read has the shape of runc's.
            #expect((processes as? [Int])?.count == 1 && (list as? [[String: Any]])?.count == 1)
            #expect(Set((event as? [String: Any] ?? [:]).keys) == ["type", "id", "data"])
            let features = try Self.value(try box.plain(["features"]).stdout) as? [String: Any]
            #expect((features?["annotations"] as? [String: String])?["run.oci.runbox.json.version"] == "1")
        }
    }
}
