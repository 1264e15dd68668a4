public import Errors
internal import OCISpec

extension Finding {
    /// Where the specification speaks of the field, such as `config.md, Mounts`.
    public var clause: String { Clause.of(path: field, message: reason) }
}
