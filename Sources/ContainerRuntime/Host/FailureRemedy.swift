internal import Errors
internal import Kernel

extension RuntimeError {
    /// A failed step as the façade throws it, with what helps against it on this host.
    init(_ failure: StepFailure) {
        let obstacle = NamespaceObstacle.remedy(
            of: failure, isRoot: Credentials.effectiveUser == 0, number: HostFiles.number)
        self.init(failure, remedy: obstacle ?? Remedy.of(failure))
    }
}
