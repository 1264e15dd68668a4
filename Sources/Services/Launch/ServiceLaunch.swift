package import ContainerRuntime
package import KernelTypes
package import Planning

/// All that a supervisor is told.
package struct ServiceLaunch: Sendable {
    package let folder: ServiceFolder
    package let id: ContainerID
    /// The bundle's folder, absolute, and its configuration file where it is another than config.json.
    package let bundle: String
    package let config: String?
    package let settings: ServiceSettings
    /// What asks the payload to end.
    package let stopSignal: Signal
    package let options: LaunchOptions
    /// What each start of the payload gets.
    package var caller: Caller
    package let isDetached: Bool
    /// Takes one line for people each.
    package let say: @Sendable (String) -> Void

    package init(
        id: ContainerID, root: String, bundle: ContainerBundle, settings: ServiceSettings, options: LaunchOptions,
        caller: Caller, say: @escaping @Sendable (String) -> Void
    ) {
        self.id = id
        folder = ServiceFolder(root: root, name: id.description)
        self.bundle = bundle.path
        config = bundle.file
        self.settings = settings
        let image = bundle.spec.annotations?.last { $0.key == Container.stopSignalAnnotation }?.value
        stopSignal =
            settings.stopSignal ?? image.flatMap { Signal($0) }.flatMap { $0 == .null ? nil : $0 } ?? .terminate
        self.options = options
        self.caller = caller
        isDetached = options.detach
        self.say = say
    }

    /// Where the payload's output is kept; nil where the supervisor passes it on.
    var logTarget: LogDestination.Target? {
        switch settings.log.target ?? (settings.log.path != nil || isDetached ? .file : .inherit) {
        case .inherit: nil
        case .journal: .journal
        case .file: .file(settings.log.path ?? LogDestination.usualPath(of: folder.name))
        }
    }

    var container: Container { Container(id, store: Store(root: folder.root)) }
}

/// How a service has come to its end.
package enum ServiceOutcome: Sendable, Equatable {
    /// With the exit status for `run`.
    case ended(Int32)
    /// It could not be begun.
    case failed(status: Int32, String)
}

extension ServiceOutcome: Error {}
