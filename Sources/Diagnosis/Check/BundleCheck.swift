public import ContainerRuntime
public import Errors
internal import KernelTypes
internal import OCISpec
public import Planning

extension ContainerBundle {
    /// Reads a bundle as `run` would and finds everything there is to say about it, without touching anything on the
    /// host.
    ///
    /// What the container's programs and sources are like is looked at where this process may look; the rest is left
    /// out.
    ///
    /// - Parameters:
    ///   - path: the folder, absolute or relative to the working directory.
    ///   - config: another name or path of the configuration file.
    ///   - options: the flags that `run` would be given.
    /// - Returns: the findings in the order of the file; an unreadable file is one of them.
    public static func check(
        _ path: String, config: String? = nil, options: LaunchOptions = LaunchOptions()
    ) -> [Finding] {
        let text: BundleText
        do throws(RuntimeError) {
            text = try BundleText(path, config: config)
        } catch {
            return [Finding(.error, "", error.description).at(nil, in: config ?? "config.json")]
        }
        return BundleCheck(text).run(options)
    }
}

/// All findings about one bundle.
struct BundleCheck {
    private let text: BundleText
    private let document: SpecDocument

    init(_ text: BundleText) {
        self.text = text
        document = SpecDocument(bytes: text.bytes, file: text.file)
    }

    func run(_ options: LaunchOptions) -> [Finding] {
        var findings = document.findings.map { Finding($0) }
        if let spec = document.partial { findings += plan(spec, options) }
        return findings.inOrder()
    }

    /// What planning says, and a look at the host by the plan; but nothing about sections that could not be read, whose
    /// placeholders are not the user's.
    private func plan(_ spec: Spec, _ options: LaunchOptions) -> [Finding] {
        let broken = document.findings.filter { $0.severity == .error }.map { $0.path }
        // The namespaces decide about everything else.
        if broken.contains(where: { Self.section(of: $0) == "linux.namespaces" }) { return [] }
        var found = Findings()
        do throws(CgroupError) {
            var host = try Host.current(
                cgroupsPath: spec.linux?.cgroupsPath, usesResctrl: spec.linux?.intelRdt != nil,
                usesSystemd: options.cgroupManager == .systemd)
            host.mappings = .wanted(by: spec, user: host.effectiveUser, group: host.effectiveGroup)
            host.memoryNodes = Host.memoryNodes(for: spec)
            host.deadlinePeriods = Host.deadlinePeriods(for: spec.process)
            let plan = LaunchPlan(
                spec, id: "check", bundle: text.path, options: options, mode: .run, host: host, findings: &found)
            HostCheck(plan, seccomp: document.text(atPath: "linux.seccomp").map(Array.init) ?? []).run(&found)
            if let seccomp = spec.linux?.seccomp { SeccompNames.check(seccomp, &found) }
        } catch {
            found.refuse(error.field ?? "linux.cgroupsPath", error.description)
        }
        return (found.errors + found.warnings).filter { finding in
            !broken.contains { Self.isTouched(Self.section(of: finding.field), by: Self.section(of: $0)) }
        }.map { $0.at(document.location(ofPath: $0.field), in: text.file) }
    }

    /// The part of the document that a path belongs to: its first component, or two of `linux`.
    private static func section(of path: String) -> String {
        let words = path.parts(by: "[")[safe: 0]?.parts(by: ".") ?? []
        return words.first == "linux" ? words.prefix(2).joined(separator: ".") : words.first ?? ""
    }

    /// The whole of `linux` touches its parts; a field that is missing at the top touches only itself, which planning
    /// reports as well.
    private static func isTouched(_ section: String, by broken: String) -> Bool {
        broken.isEmpty ? section == "root" : section == broken || section.begins(with: "\(broken).")
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
