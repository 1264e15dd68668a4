internal import Criu
internal import Errors
internal import Kernel
internal import KernelTypes
internal import Planning

/// What CRIU can do on this host, asked of itself.
package struct CheckpointSupport: Sendable {
    package let program: String
    package private(set) var version: String?
    /// Why it does not work here.
    package private(set) var problem: String?
    /// What helps against that.
    package private(set) var remedy: String?
    /// Whether pre-dumps are possible.
    package private(set) var tracksMemory = false
    package private(set) var loadsLazily = false

    /// - Returns: nil where there is no CRIU.
    package static func probe() -> CheckpointSupport? {
        let call = CriuCall(settings: CheckpointSettings(imagePath: "/"), doing: "ask CRIU", logName: "")
        guard let program = try? call.program() else { return nil }
        var support = CheckpointSupport(program: program)
        support.ask(call)
        return support
    }

    private init(program: String) { self.program = program }

    private mutating func ask(_ call: CriuCall) {
        do throws(SystemError) {
            var session = try CriuSession.start(CriuSession.Setting(program: program), cgroup: nil)
            do throws(CriuFailure) {
                try ask(session)
            } catch {
                let cause = CriuCause(log: session.said)
                problem = cause?.text ?? call.explain(error, session, log: "").description
                remedy = cause?.remedy
            }
            session.finish()
        } catch {
            problem = error.description
        }
    }

    private mutating func ask(_ session: borrowing CriuSession) throws(CriuFailure) {
        var question = CriuRequest(.version)
        question.keepsOpen = true
        version = try session.ask(question).version?.description
        question = CriuRequest(.featureCheck)
        question.features = CriuFeatures(tracksMemory: true, lazyPages: true)
        let features = try session.ask(question).features
        tracksMemory = features?.tracksMemory ?? false
        loadsLazily = features?.lazyPages ?? false
    }
}
