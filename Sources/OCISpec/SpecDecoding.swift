package import JSON

/// A `config.json` that was read: its content where it is right, and everything there is to say about it.
///
/// Reading never fails half-way: all mistakes of a document are found in one go, but for a syntax error, behind which
/// nothing can be understood.
package struct SpecDocument: Sendable {
    /// The configuration; nil where any finding is an error.
    package let shared: SharedSpec?
    /// What was found, in the order of the text.
    package let findings: [SpecFinding]
    private let read: SharedSpec?
    private let source: SourceText

    /// Reads `bytes`; `file` is the name that findings show.
    package init(bytes: [UInt8], file: String) {
        let partial: Spec?
        (source, partial, findings) = SourceText.decode(bytes, file: file)
        read = partial.map { SharedSpec($0) }
        shared = findings.contains { $0.severity == .error } ? nil : read
    }

    /// The configuration; nil where any finding is an error.
    package var spec: Spec? { shared?.spec }

    /// The same with placeholders in the places of mistakes, for looking further; never for making a container. nil
    /// where the text is no JSON object.
    package var partial: Spec? { read?.spec }

    /// The place of the value at a path such as `linux.namespaces[2].path` or `annotations["a.b"]`.
    ///
    /// Where there is none, the place of its nearest ancestor; nil where the text is no JSON.
    package func location(ofPath path: String) -> SourceLocation? {
        source.location(ofPath: path)
    }

    /// The text of the value at a path as it is written, or nil where there is none.
    ///
    /// Two documents with the same text here mean the same, which makes it a key for a cache.
    package func text(atPath path: String) -> ArraySlice<UInt8>? {
        source.text(atPath: path)
    }
}

/// A configuration that several values share: copying one means hundreds of reference counts.
package final class SharedSpec: Sendable {
    /// The configuration.
    package let spec: Spec

    fileprivate init(_ spec: Spec) {
        self.spec = spec
    }
}

/// A lone `process` object, as `exec --process` takes it.
package struct ProcessDocument: Sendable {
    /// The process; nil where any finding is an error.
    package let process: Process?
    /// What was found, in the order of the text.
    package let findings: [SpecFinding]
    private let source: SourceText

    /// Reads `bytes`; `file` is the name that findings show.
    package init(bytes: [UInt8], file: String) {
        (source, process, findings) = SourceText.decodeWhole(bytes, file: file)
    }

    /// The place of the value at a path such as `user.uid`, or of its nearest ancestor.
    package func location(ofPath path: String) -> SourceLocation? {
        source.location(ofPath: path)
    }
}

/// A lone `resources` object, as `update --resources` takes it.
package struct ResourcesDocument: Sendable {
    /// The resources; nil where any finding is an error.
    package let resources: Resources?
    /// What was found, in the order of the text.
    package let findings: [SpecFinding]
    private let source: SourceText

    /// Reads `bytes`; `file` is the name that findings show.
    package init(bytes: [UInt8], file: String) {
        (source, resources, findings) = SourceText.decodeWhole(bytes, file: file)
    }

    /// The place of the value at a path such as `memory.limit`, or of its nearest ancestor.
    package func location(ofPath path: String) -> SourceLocation? {
        source.location(ofPath: path)
    }
}

/// A container's state, as `state` prints it.
package struct StateDocument: Sendable {
    /// The state; nil where any finding is an error.
    package let state: State?
    /// What was found, in the order of the text.
    package let findings: [SpecFinding]

    /// Reads `bytes`; `file` is the name that findings show.
    package init(bytes: [UInt8], file: String) {
        (_, state, findings) = SourceText.decodeWhole(bytes, file: file)
    }
}

/// What the documents share: the text, where it could be read.
private struct SourceText: Sendable {
    let document: Document?

    static func decode<T: Section>(_ bytes: [UInt8], file: String) -> (SourceText, T?, [SpecFinding]) {
        let document: Document
        do {
            document = try Document(bytes, duplicateKeys: .record)
        } catch {
            return (SourceText(document: nil), nil, [SpecFinding(error, file: file)])
        }
        let decoder = SpecDecoder(document)
        let value: T? = decoder.section(at: document.root)
        let noted = decoder.allFindings
        let findings = noted.isEmpty ? [] : decoder.document.findings(noted, file: file)
        return (SourceText(document: decoder.document), value, findings)
    }

    /// The value only where it has no mistakes.
    static func decodeWhole<T: Section>(_ bytes: [UInt8], file: String) -> (SourceText, T?, [SpecFinding]) {
        let (source, value, findings): (SourceText, T?, [SpecFinding]) = decode(bytes, file: file)
        return (source, findings.contains { $0.severity == .error } ? nil : value, findings)
    }

    func location(ofPath path: String) -> SourceLocation? {
        guard let document else { return nil }
        return document.location(of: document.node(atPath: path).node)
    }

    func text(atPath path: String) -> ArraySlice<UInt8>? {
        guard let document else { return nil }
        let (node, isExact) = document.node(atPath: path)
        return isExact ? document.text(of: node) : nil
    }
}
