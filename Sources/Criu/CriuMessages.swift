/// The kinds of requests and answers: `criu_req_type`.
package enum CriuRequestKind: Int32, Sendable {
    case dump = 1, restore, check, preDump
    case notify = 6
    case featureCheck = 9, version
}

/// What CRIU is asked: `criu_req`.
package struct CriuRequest: Sendable {
    package let kind: CriuRequestKind
    package var options: CriuOptions?
    /// The answer to a notification: whether CRIU is to go on.
    package var isAccepted: Bool?
    /// Whether another request follows on the same connection.
    package var keepsOpen = false
    package var features: CriuFeatures?

    package init(_ kind: CriuRequestKind) { self.kind = kind }

    package var bytes: [UInt8] {
        var writer = WireWriter()
        writer.number(1, kind.rawValue)
        if let options { writer.message(2) { options.write(to: &$0) } }
        if let isAccepted { writer.flag(3, isAccepted) }
        if keepsOpen { writer.flag(4, true) }
        if let features {
            writer.message(5) { asked in
                if features.tracksMemory { asked.flag(1, true) }
                if features.lazyPages { asked.flag(2, true) }
            }
        }
        return writer.bytes
    }
}

/// What this CRIU and this kernel can: `criu_features`.
package struct CriuFeatures: Equatable, Sendable {
    /// Whether it can be told which pages were written since an earlier look.
    package var tracksMemory: Bool
    /// Whether pages can be loaded when they are used.
    package var lazyPages: Bool

    package init(tracksMemory: Bool = false, lazyPages: Bool = false) {
        self.tracksMemory = tracksMemory
        self.lazyPages = lazyPages
    }

    fileprivate init(_ fields: [WireReader.Field]) {
        self.init()
        for field in fields {
            switch field.number {
            case 1: tracksMemory = field.value.flag ?? false
            case 2: lazyPages = field.value.flag ?? false
            default: break
            }
        }
    }
}

/// A version of CRIU's.
package struct CriuVersion: Comparable, Sendable, CustomStringConvertible {
    package let major: Int32
    package let minor: Int32
    package let sublevel: Int32

    package init(_ major: Int32, _ minor: Int32, _ sublevel: Int32 = 0) {
        self.major = major
        self.minor = minor
        self.sublevel = sublevel
    }

    package static func < (one: CriuVersion, other: CriuVersion) -> Bool {
        if one.major != other.major { return one.major < other.major }
        return one.minor != other.minor ? one.minor < other.minor : one.sublevel < other.sublevel
    }

    package var description: String { sublevel == 0 ? "\(major).\(minor)" : "\(major).\(minor).\(sublevel)" }
}

/// What CRIU does next, and waits for the answer: `criu_notify`. Scripts that are not among these need nothing done.
package struct CriuNotification: Equatable, Sendable {
    package enum Script: String, Sendable {
        case preDump = "pre-dump"
        case postDump = "post-dump"
        case preRestore = "pre-restore"
        case postRestore = "post-restore"
        case setupNamespaces = "setup-namespaces"
        case postSetupNamespaces = "post-setup-namespaces"
        case networkLock = "network-lock"
        case networkUnlock = "network-unlock"
        case preResume = "pre-resume"
        case postResume = "post-resume"
        case orphanTerminal = "orphan-pts-master"
        case statusReady = "status-ready"
    }

    package let name: String
    /// The process that is saved or restored, as this side counts it; 0 where there is none yet.
    package let pid: Int32

    package var script: Script? { Script(rawValue: name) }
}

/// What CRIU answers: `criu_resp`.
package struct CriuResponse: Sendable {
    /// The raw kind; kinds of later versions are no error.
    package let kind: Int32
    package let isSuccess: Bool
    /// The restored process.
    package private(set) var restored: Int32?
    package private(set) var notification: CriuNotification?
    package private(set) var features: CriuFeatures?
    package private(set) var version: CriuVersion?
    package private(set) var errorNumber: Int32?
    package private(set) var errorMessage: String?

    /// nil where the bytes are no answer.
    package init?(_ bytes: [UInt8]) {
        guard let fields = bytes[...].fields else { return nil }
        var kind: Int32?
        var isSuccess: Bool?
        for field in fields {
            switch field.number {
            case 1: kind = field.value.signed
            case 2: isSuccess = field.value.flag
            case 7: errorNumber = field.value.signed
            case 9: errorMessage = field.value.text
            default: break
            }
        }
        guard let kind, let isSuccess else { return nil }
        self.kind = kind
        self.isSuccess = isSuccess
        for field in fields {
            guard let inner = field.value.block else { continue }
            // A text is no message; the others must be.
            if field.number == 9 { continue }
            guard let parts = inner.fields else { return nil }
            read(field.number, parts)
        }
    }

    private mutating func read(_ number: UInt32, _ parts: [WireReader.Field]) {
        func part(_ number: UInt32) -> WireReader.Value? { parts.last { $0.number == number }?.value }
        switch number {
        case 4: restored = part(1)?.signed
        case 5: notification = CriuNotification(name: part(1)?.text ?? "", pid: part(2)?.signed ?? 0)
        case 8: features = CriuFeatures(parts)
        case 10:
            guard let major = part(1)?.signed, let minor = part(2)?.signed else { return }
            version = CriuVersion(major, minor, part(4)?.signed ?? 0)
        default: break
        }
    }

    /// Whether CRIU tells what it does next, and waits to be answered.
    package var isNotification: Bool { kind == CriuRequestKind.notify.rawValue }
}
