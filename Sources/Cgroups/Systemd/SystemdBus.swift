internal import CgroupPlanning
internal import DBus
internal import DBusTransport
package import Errors
internal import KernelTypes

/// systemd's manager, asked over D-Bus (org.freedesktop.systemd1(5)).
struct SystemdBus: ~Copyable, Sendable {
    private var connection: Connection
    let version: Int
    /// On a message bus, where any client may send signals: systemd's name there. nil on its own socket.
    private let systemd: String?

    /// Milliseconds for an answer, and for the end of a job, as in runc.
    private static let timeout: Int64 = 30_000

    private static let service = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"
    private static let manager = "org.freedesktop.systemd1.Manager"

    private init(_ connection: consuming Connection, version: Int, systemd: String?) {
        self.connection = connection
        self.version = version
        self.systemd = systemd
    }

    /// Connects to the first of the places at which systemd answers.
    /// - Parameter isUser: the user's own manager, not the system's.
    static func connect(isUser: Bool) throws(CgroupError) -> SystemdBus {
        var tried: [String] = []
        for place in SystemdAddress.all(isUser: isUser) {
            do throws(DBusError) {
                return try connect(to: place)
            } catch {
                tried.append("\(place.path): \(reason(error))")
            }
        }
        let who = isUser ? "the user's systemd (systemd --user)" : "systemd"
        throw CgroupError(
            "no connection to \(who), which the cgroup manager systemd needs: \(tried.joined(separator: ", "))",
            remedy: isUser
                ? "log in with a session of its own (loginctl enable-linger keeps one) and set XDG_RUNTIME_DIR, or use --cgroup-manager=cgroupfs"
                : "run it where systemd is process 1, or use --cgroup-manager=cgroupfs",
            code: .noDevice)
    }

    private static func reason(_ error: DBusError) -> String {
        if case .system(let error) = error { return error.code.description }
        return error.description
    }

    private static func connect(to place: SystemdAddress) throws(DBusError) -> SystemdBus {
        var connection = try Connection.open(place.path, isBus: place.isBus, timeout: timeout)
        var question = Message(.call)
        question.destination = service
        question.path = path
        question.interface = "org.freedesktop.DBus.Properties"
        question.member = "Get"
        question.body = [.string(manager), .string("Version")]
        let answer = try connection.call(question, timeout: timeout)
        guard case .variant(.string(let text))? = answer.body.first, let version = version(in: text) else {
            throw .malformed("systemd does not report its version")
        }
        return SystemdBus(connection, version: version, systemd: place.isBus ? answer.sender : nil)
    }

    /// The first number of texts such as `252.39-1~deb12u2` or `v219`.
    static func version(in text: String) -> Int? {
        let digits = text.utf8.drop { !(48...57).contains($0) }.prefix { (48...57).contains($0) }
        return Int(String(decoding: Array(digits), as: UTF8.self))
    }

    func closeInChild() { connection.closeInChild() }

    private mutating func call(_ member: String, _ arguments: [Value]) throws(DBusError) -> [Value] {
        var message = Message(.call)
        message.destination = Self.service
        message.path = Self.path
        message.interface = Self.manager
        message.member = member
        message.body = arguments
        return try connection.call(message, timeout: Self.timeout).body
    }

    // MARK: Jobs

    /// Calls what queues a job, and waits for the job's end.
    /// - Parameter isQueued: becomes true when systemd has taken the job on, whatever comes of it.
    private mutating func job(
        _ member: String, _ arguments: [Value], _ what: String, _ isQueued: inout Bool
    ) throws(DBusError) -> String {
        try listen()
        guard let job = try call(member, arguments).first?.text else { throw .malformed("\(member) names no job") }
        isQueued = true
        let systemd = systemd
        let signal = try connection.signal(timeout: Self.timeout, what) { signal in
            signal.interface == Self.manager && signal.body.count == 4 && signal.body[1].text == job
                && (systemd == nil || signal.sender == systemd)
        }
        return signal.body[3].text ?? ""
    }

    /// Asks for the signals of jobs. On systemd's own socket they come anyway, and the question is harmless.
    private mutating func listen() throws(DBusError) {
        guard connection.awaitedSignal == nil else { return }
        connection.awaitedSignal = "JobRemoved"
        if systemd != nil {
            var match = Message(.call)
            match.destination = "org.freedesktop.DBus"
            match.path = "/org/freedesktop/DBus"
            match.interface = "org.freedesktop.DBus"
            match.member = "AddMatch"
            match.body = [
                .string("type='signal',sender='\(Self.service)',interface='\(Self.manager)',member='JobRemoved'")
            ]
            _ = try connection.call(match, timeout: Self.timeout)
        }
        _ = try call("Subscribe", [])
    }

    /// Makes a scope with a process in it, and returns when it is there.
    ///
    /// A unit of that name that has failed earlier is forgotten first.
    /// - Parameter isQueued: becomes true when the unit is this caller's: before that, one of the name is
    ///   another's.
    mutating func start(
        _ unit: String, _ properties: [UnitProperty], _ isQueued: inout Bool
    ) throws(CgroupError) {
        let arguments: [Value] = [
            .string(unit), .string("fail"), .array(of: UnitProperty.type, properties.map { $0.marshalled }),
            .array(of: .structure([.string, .array(UnitProperty.type)]), []),
        ]
        do throws(DBusError) {
            let result: String
            do throws(DBusError) {
                result = try job("StartTransientUnit", arguments, "start of unit \(unit)", &isQueued)
            } catch {
                guard error.isNamed("\(Self.service).UnitExists") else { throw error }
                try resetFailed(unit)
                result = try job("StartTransientUnit", arguments, "start of unit \(unit)", &isQueued)
            }
            guard result == "done" else {
                throw .refused(name: "job result \(result)", message: "")
            }
        } catch {
            throw notStarted(unit, error)
        }
    }

    private func notStarted(_ unit: String, _ error: DBusError) -> CgroupError {
        if error.isNamed("\(Self.service).UnitExists") {
            return CgroupError(
                field: "linux.cgroupsPath", "the systemd unit \(unit) is there already, and not of this container",
                remedy: "name another one, or end it: systemctl stop \(unit)", code: .exists)
        }
        let isDenied =
            error.isNamed("org.freedesktop.DBus.Error.AccessDenied")
            || error.isNamed("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired")
        let remedy: String? =
            error.isNamed("org.freedesktop.DBus.Error.PropertyReadOnly")
            ? "systemd \(version) does not know a property of an \(UnitProperty.annotation) annotation, or not for scopes"
            : nil
        return CgroupError(
            "systemd does not start the unit \(unit): \(error)",
            remedy: isDenied ? "use the systemd of this user, or run it as root" : remedy,
            code: isDenied ? .accessDenied : nil)
    }

    // MARK: Units

    /// Sets properties of a unit until the next boot.
    mutating func set(_ unit: String, _ properties: [UnitProperty]) throws(CgroupError) {
        if properties.isEmpty { return }
        do throws(DBusError) {
            _ = try call(
                "SetUnitProperties",
                [.string(unit), .boolean(true), .array(of: UnitProperty.type, properties.map { $0.marshalled })])
        } catch {
            throw CgroupError("systemd does not change the unit \(unit): \(error)")
        }
    }

    /// Ends a unit with all its processes, and returns when it has ended.
    mutating func stop(_ unit: String) throws(DBusError) {
        var isQueued = false
        do throws(DBusError) {
            _ = try job("StopUnit", [.string(unit), .string("replace")], "end of unit \(unit)", &isQueued)
        } catch {
            // It goes by itself when its last process does.
            guard error.isNamed("\(Self.service).NoSuchUnit") else { throw error }
        }
    }

    /// Has a unit forgotten that ended in failure, such as a lack of memory.
    mutating func resetFailed(_ unit: String) throws(DBusError) {
        do throws(DBusError) {
            _ = try call("ResetFailedUnit", [.string(unit)])
        } catch {
            guard error.isNamed("\(Self.service).NoSuchUnit") else { throw error }
        }
    }

    /// The cgroup of a scope, empty while it has none; nil when there is no such unit.
    mutating func controlGroup(of unit: String) throws(DBusError) -> String? {
        do throws(DBusError) {
            guard case .variant(.string(let cgroup))? = try property("ControlGroup", of: unit, "Scope")
            else { throw .malformed("a scope does not report its cgroup") }
            return cgroup
        } catch {
            // It may go between the two questions.
            guard
                error.isNamed("\(Self.service).NoSuchUnit") || error.isNamed("org.freedesktop.DBus.Error.UnknownObject")
            else { throw error }
            return nil
        }
    }

    /// Whether a service was given its cgroup to manage; nil where this manager does not say.
    mutating func isDelegated(_ unit: String) -> Bool? {
        guard case .variant(.boolean(let isDelegated))? = try? property("Delegate", of: unit, "Service") else {
            return nil
        }
        return isDelegated
    }

    private mutating func property(_ name: String, of unit: String, _ type: String) throws(DBusError) -> Value? {
        guard let path = try call("GetUnit", [.string(unit)]).first?.text else {
            throw .malformed("GetUnit names no unit")
        }
        var question = Message(.call)
        question.destination = Self.service
        question.path = path
        question.interface = "org.freedesktop.DBus.Properties"
        question.member = "Get"
        question.body = [.string("\(Self.service).\(type)"), .string(name)]
        return try connection.call(question, timeout: Self.timeout).body.first
    }

    /// Moves a process into a cgroup of a unit that is delegated, wherever it is: a user's systemd asks that of the
    /// system's. Since systemd 238.
    mutating func attach(_ pid: Int32, to unit: String, below subgroup: String) throws(CgroupError) {
        do throws(DBusError) {
            _ = try call(
                "AttachProcessesToUnit",
                [.string(unit), .string(subgroup), .array(of: .uint32, [.uint32(UInt32(bitPattern: pid))])])
        } catch {
            throw CgroupError("systemd does not move process \(pid) into the unit \(unit): \(error)")
        }
    }
}

extension ScopePlan {
    /// Asks the systemd that would make it whether it is there.
    package func reach() throws(CgroupError) { _ = try SystemdBus.connect(isUser: isUser) }
}
