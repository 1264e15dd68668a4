internal import ContainerRuntime
internal import Errors
internal import KernelTypes
internal import Planning
internal import Services

extension Command {
    static let run = Command(
        name: "run", arguments: "BUNDLE/ | NAME", count: 1...1,
        summary: "make a container, start it and wait for it",
        details: """
            `runbox run bundle/` runs the bundle in that folder under the folder's name; where a container
            has that already, it says so, and --replace deletes that one first. `runbox run --bundle DIR
            NAME` is the form engines use.

            In the foreground, signals are passed on to the payload, and the exit status is the payload's,
            or 128 + the signal's number. The container is deleted when it ends, unless --keep is given.
            A failure of runbox itself exits with 1; with 127 or 126 when the program is missing or not
            executable.

            With any of the flags from --restart on, or an annotation org.runbox.service.* of their names
            in the configuration, the container is a service: this process stays as its supervisor, starts it
            anew, looks after its health, and keeps its log (docs/service.md). TERM and INT end it in its
            time, a second one at once; HUP makes it reload. With --detach the supervisor is left behind when
            the first start has succeeded.

            With --detach a standard input that is a terminal stays the caller's, and the program reads
            /dev/null; pipes and files are passed on.
            """,
        flags: LaunchFlags.shared + [
            LaunchFlags.detach, Flag("keep", "keep the container's state when it has ended; delete removes it"),
        ] + ServiceFlags.all,
        touchesContainers: true
    ) { invocation throws(Failure) in
        let options = try invocation.launchOptions()
        let caller = try understand(invocation.command) { () throws(UsageError) in
            try LaunchFlags.caller(invocation.parsed)
        }
        let target = try LaunchFlags.target(invocation)
        if ServicePlan.isService(target.bundle.spec) || !options.service.isEmpty {
            return try keepRunning(serviceLaunch(invocation, target, options, caller))
        }
        if options.detach { try LaunchFlags.leaveKeyboard() }
        let container = Container(target.id, store: Store(root: invocation.global.root))
        return try attempt { () throws(RuntimeError) in
            try container.run(
                target.bundle, options: options, caller: caller, started: invocation.steps.write,
                warn: invocation.log.warn)
        }
    }

    /// Reads what the supervisor needs to know; nothing of the configuration is kept beside.
    private static func serviceLaunch(
        _ invocation: Invocation, _ target: LaunchFlags.Target, _ options: LaunchOptions, _ caller: Caller
    ) throws(Failure) -> ServiceLaunch {
        let bundle = target.bundle
        var findings = Findings()
        let settings = ServicePlan.read(
            bundle.spec, choices: options.service, bundle: bundle.path, folder: options.serviceFolder,
            findings: &findings)
        if !findings.errors.isEmpty {
            throw Failure(RuntimeError.configuration(findings.errors.map { place($0, bundle) }))
        }
        let log = invocation.log
        return ServiceLaunch(
            id: target.id, root: invocation.global.root, bundle: bundle, settings: settings ?? ServiceSettings(),
            options: options, caller: caller, say: { log.warn($0) })
    }

    /// A flag stands in no file.
    private static func place(_ finding: Finding, _ bundle: ContainerBundle) -> Finding {
        finding.field.begins(with: "--") ? finding : bundle.placed([finding])[0]
    }

    private static func keepRunning(_ launch: ServiceLaunch) throws(Failure) -> Int32 {
        do throws(ServiceOutcome) {
            return try Service.run(launch)
        } catch {
            guard case .failed(let status, let text) = error else { return 1 }
            throw Failure(text, exitStatus: status)
        }
    }
}
