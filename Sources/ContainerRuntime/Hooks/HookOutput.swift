internal import Errors
internal import Kernel
internal import KernelTypes
package import OCISpec
internal import Planning

/// Where hooks' standard output and error go.
package enum HookOutput: Sendable, Equatable {
    /// They are kept while the hook runs, for the error message.
    case kept
    /// They are appended to files of the host; what is nil is kept.
    case files(output: String?, errors: String?)
    /// The same files, opened before this process left the host; by number.
    case open(output: Int32?, errors: Int32?)

    /// What the annotations ask for, crun's `run.oci.hooks.stdout` and `run.oci.hooks.stderr`. Relative paths begin at
    /// the bundle.
    package init(_ annotations: [KeyValue], bundle: String) {
        func path(_ name: AnnotationName) -> String? {
            guard let value = annotations.first(where: { $0.key == name.rawValue })?.value, !value.isEmpty else {
                return nil
            }
            return value.isAbsolutePath ? value : "\(bundle)/\(value)"
        }
        let (output, errors) = (path(.hookOutput), path(.hookErrors))
        self = output == nil && errors == nil ? .kept : .files(output: output, errors: errors)
    }

    /// Opens what is named: an entry for the output, one for the errors.
    func open() throws(SystemError) -> DescriptorTable {
        var table = DescriptorTable()
        switch self {
        case .kept:
            table.appendNothing()
            table.appendNothing()
        case .files(let output, let errors):
            for path in [output, errors] {
                guard let path else {
                    table.appendNothing()
                    continue
                }
                do throws(SystemError) {
                    table.append(try Files.openForAppending(path, mode: 0o644))
                } catch {
                    if error.isRefusal { throw error }
                    throw .failed("open the file for hooks' output", path, error.code)
                }
            }
        case .open(let output, let errors):
            for number in [output, errors] {
                if let number {
                    table.append(try Descriptor.duplicate(of: number))
                } else {
                    table.appendNothing()
                }
            }
        }
        return table
    }
}
