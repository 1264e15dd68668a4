import Foundation
import Testing

/// The shape of a Features structure, as schema/features-schema.json and schema/features-linux.json of the
/// specification have it.
private indirect enum Shape {
    case flag
    case text(String)
    case texts(String)
    case map
    case object([String: Shape], needed: [String] = [])

    static let features = Shape.object(
        [
            "ociVersionMin": .text(version), "ociVersionMax": .text(version), "hooks": .texts(".+"),
            "mountOptions": .texts(".+"), "annotations": .map, "potentiallyUnsafeConfigAnnotations": .texts(".+"),
            "linux": linux,
        ], needed: ["ociVersionMin", "ociVersionMax"])
    private static let version = #"[0-9]+\.[0-9]+\.[0-9]+([-+].+)?"#
    private static let enabled = Shape.object(["enabled": .flag])
    private static let linux = Shape.object([
        "namespaces": .texts("mount|pid|network|uts|ipc|user|cgroup|time"), "capabilities": .texts("CAP_[A-Z_]+"),
        "cgroup": .object(["v1": .flag, "v2": .flag, "systemd": .flag, "systemdUser": .flag, "rdma": .flag]),
        "seccomp": .object([
            "enabled": .flag, "actions": .texts("SCMP_ACT_[A-Z_]+"), "operators": .texts("SCMP_CMP_[A-Z_]+"),
            "archs": .texts("SCMP_ARCH_[A-Z0-9_]+"), "knownFlags": .texts("SECCOMP_FILTER_FLAG_[A-Z_]+"),
            "supportedFlags": .texts("SECCOMP_FILTER_FLAG_[A-Z_]+"),
        ]),
        "apparmor": enabled, "selinux": enabled,
        "intelRdt": .object(["enabled": .flag, "schemata": .flag, "monitoring": .flag]),
        "memoryPolicy": .object(["modes": .texts("MPOL_[A-Z_]+"), "flags": .texts("MPOL_F_[A-Z_]+")]),
        "mountExtensions": .object(["idmap": enabled]), "netDevices": enabled,
    ])

    /// What is wrong with a value; a key that no version of the specification has is wrong, too (features.md).
    func mistakes(_ value: Any, at path: String = "") -> [String] {
        switch self {
        case .flag: return value is Bool ? [] : ["\(path): no boolean"]
        case .text(let pattern):
            let whole = (value as? String)?.range(of: "^(\(pattern))$", options: .regularExpression) != nil
            return whole ? [] : ["\(path): \(value)"]
        case .texts(let pattern):
            guard let array = value as? [Any] else { return ["\(path): no array"] }
            return array.flatMap { Shape.text(pattern).mistakes($0, at: path) }
        case .map: return value is [String: String] ? [] : ["\(path): no map of strings"]
        case .object(let members, let needed):
            guard let object = value as? [String: Any] else { return ["\(path): no object"] }
            let missing = needed.filter { object[$0] == nil }.map { "\(path).\($0): missing" }
            return missing
                + object.flatMap { key, value in
                    members[key]?.mistakes(value, at: "\(path).\(key)") ?? ["\(path).\(key): unknown"]
                }
        }
    }

    static func mistakes(_ text: Data) throws -> [String] {
        features.mistakes(try JSONSerialization.jsonObject(with: text))
    }
}

extension AllTests {
    /// features
    @Suite struct Features {
        private static func fixture(_ name: String) throws -> Data {
            try Data(
                contentsOf: URL(fileURLWithPath: "\(Programs.package)/Tests/OCISpecTests/Fixtures/features/\(name)"))
        }

        /// The check itself: it takes the specification's good examples and not the bad one.
        @Test func theCheckFindsWrongTypes() throws {
            #expect(try Shape.mistakes(try Self.fixture("good/minimal.json")) == [])
            #expect(try Shape.mistakes(try Self.fixture("good/runc.json")) == [])
            #expect(try Shape.mistakes(try Self.fixture("bad/missing-ociVersionMax.json")) != [])
            let odd = #"{"ociVersionMin":"1.0.0","ociVersionMax":"x","linux":{"cgroup":{"v1":"no"},"apparmour":{}}}"#
            #expect(try Shape.mistakes(Data(odd.utf8)).count == 3)
        }

        @Test func hasTheShapeOfTheSpecification() throws {
            let outcome = try Sandbox.current.plain(["features"])
            // CRI-O and go-runc read both streams as one.
            #expect(outcome.status == 0 && outcome.stderr == "", "\(outcome)")
            #expect(try Shape.mistakes(Data(outcome.stdout.utf8)) == [])
        }

        /// What it says is what `create` does.
        @Test(arguments: [
            ("netDevices.enabled", "linux.netDevices", #"{"runboxnone0": {}}"#),
            ("intelRdt.enabled", "linux.intelRdt", #"{"closID": "runbox-test"}"#),
            ("apparmor.enabled", "process.apparmorProfile", #""runbox-none""#),
            ("selinux.enabled", "process.selinuxLabel", #""a:b:c:s0""#),
        ])
        func everyFeatureIsAcceptedInAConfiguration(feature: String, field: String, value: String) throws {
            let box = try Sandbox.current
            let text = try box.plain(["features"]).stdout
            let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
            var entry: Any? = document?["linux"]
            for part in feature.split(separator: ".") { entry = (entry as? [String: Any])?[String(part)] }
            let bundle = try box.bundle("exit:0") { try $0.set(field, json: value) }
            let outcome = try box.run(bundle)
            #expect(outcome.stderr.contains("not supported yet") == (entry as? Bool == false), "\(feature): \(outcome)")
        }
    }
}
