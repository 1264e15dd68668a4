import Errors
import OCISpec
import Planning
import TestSupport
import Testing

@testable import Diagnosis

@Suite struct FeatureTests {
    private let features = FeatureDocument.gather(version: "1.2.3", commit: "abc")

    /// A mistake in it would make everything look unsupported.
    @Test func theTrialsConfigurationHasNoMistakes() throws {
        _ = try spec(FeatureProbe.configuration)
    }

    /// Each field asks for what its question names, so that the answer can be no.
    @Test(arguments: FeatureProbe.Question.allCases)
    func theTrialHoldsEveryFieldThatIsAskedFor(question: FeatureProbe.Question) {
        let document = SpecDocument(bytes: Array(FeatureProbe.configuration.utf8), file: "x")
        #expect(document.text(atPath: question.rawValue) != nil)
    }

    @Test func everyMountOptionIsUnderstood() {
        #expect(features.mountOptions.count > 60 && features.mountOptions == features.mountOptions.sorted())
        for word in features.mountOptions { #expect(MountOption(word) != nil, "\(word)") }
    }

    @Test func everyWordIsOfItsVocabulary() {
        let linux = features.linux
        #expect(linux.namespaces.allSatisfy { NamespaceType(rawValue: $0) != nil } && linux.namespaces.count == 8)
        #expect(linux.capabilities.first == "CAP_CHOWN" && linux.capabilities.contains("CAP_CHECKPOINT_RESTORE"))
        #expect(linux.seccomp.actions.allSatisfy { SeccompAction(rawValue: $0) != nil })
        #expect(linux.seccomp.architectures.allSatisfy { SeccompArchitecture(rawValue: $0)?.token != nil })
        #expect(linux.seccomp.architectures.contains("SCMP_ARCH_X86_64"))
        #expect(Set(linux.seccomp.supportedFlags).isSubset(of: linux.seccomp.knownFlags))
        #expect(features.hooks.count == 6)
    }

    /// What a plan refuses as not supported yet must not be promised.
    @Test func aRefusedFieldIsNoFeature() {
        var findings = Findings()
        findings.refuseUnsupported("linux.intelRdt")
        findings.refuse("linux.netDevices", "another reason")
        #expect(findings.errors.map(\.isUnsupported) == [true, false])
    }
}
