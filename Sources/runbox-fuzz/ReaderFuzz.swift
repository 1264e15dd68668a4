import Glibc
import JSON
import OCISpec

/// Mutated configurations for the JSON reader and the decoders.
enum ReaderFuzz {
    private static let documentsARound = 4096

    /// Runs one round: a few thousand documents that follow from the seed.
    static func round(seed: UInt64) {
        var random = Random(seed: seed)
        for _ in 0..<documentsARound {
            var bytes = Array(random.element(of: Samples.texts).utf8)
            for _ in 0...random.below(6) {
                change(&bytes, &random)
            }
            check(bytes, seed: seed)
        }
    }

    /// Holds the reader and the decoders to what they promise of any bytes whatever.
    private static func check(_ bytes: [UInt8], seed: UInt64) {
        let document = SpecDocument(bytes: bytes, file: "fuzz")
        let errors = document.findings.filter { $0.severity == .error }
        expect((document.spec == nil) == !errors.isEmpty, "a configuration xor an error", bytes, seed)
        expect(document.findings.count <= 2000, "a bounded number of findings", bytes, seed)
        let places = document.findings.map { ($0.location.line, $0.location.column) }
        expect(zip(places, places.dropFirst()).allSatisfy { $0 <= $1 }, "findings in order", bytes, seed)
        for finding in document.findings {
            expect(isPrintable(finding.description), "one printable line a finding", bytes, seed)
            _ = document.location(ofPath: finding.path)
            _ = document.text(atPath: finding.path)
        }
        _ = ProcessDocument(bytes: bytes, file: "fuzz")
        _ = ResourcesDocument(bytes: bytes, file: "fuzz")
        _ = StateDocument(bytes: bytes, file: "fuzz").state?.json()
        checkDocument(bytes, seed: seed)
    }

    /// A text that is read can be asked anything, and says the same when it is read back from its own writing.
    private static func checkDocument(_ bytes: [UInt8], seed: UInt64) {
        guard let document = try? Document(bytes) else { return }
        var writer = Writer(style: .tabs)
        copy(document, document.root, to: &writer)
        let text = writer.finish()
        guard let again = try? Document(text) else {
            expect(false, "what is written can be read", bytes, seed)
            return
        }
        var second = Writer(style: .tabs)
        copy(again, again.root, to: &second)
        expect(second.finish() == text, "reading and writing lose nothing", bytes, seed)
        expect(hasPaths(document, document.root), "every value is found by its path", bytes, seed)
    }

    private static func copy(_ document: Document, _ node: NodeIndex, to writer: inout Writer) {
        switch document.kind(of: node) {
        case .null: writer.null()
        case .boolean: writer.boolean(document.boolean(node) ?? false)
        case .number: copyNumber(document, node, to: &writer)
        case .string: writer.string(document.string(node) ?? "")
        case .array:
            writer.array { writer in
                for element in document.elements(of: node) {
                    copy(document, element, to: &writer)
                }
            }
        case .object:
            writer.object { writer in
                for (key, value) in document.members(of: node) {
                    writer.key(document.string(key) ?? "")
                    copy(document, value, to: &writer)
                }
            }
        }
    }

    /// A number that is not an integer of 64 bits is written as its text, in quotes: the writer has no other numbers.
    private static func copyNumber(_ document: Document, _ node: NodeIndex, to writer: inout Writer) {
        if let value = try? document.signed(node) {
            writer.integer(value)
        } else if let value = try? document.unsigned(node) {
            writer.integer(value)
        } else {
            writer.string(String(decoding: document.text(of: node), as: UTF8.self))
        }
    }

    private static func hasPaths(_ document: Document, _ node: NodeIndex) -> Bool {
        guard document.node(atPath: document.path(of: node)) == (node, true) else { return false }
        return document.elements(of: node).allSatisfy { hasPaths(document, $0) }
            && document.members(of: node).allSatisfy { hasPaths(document, $0.value) }
    }

    private static func isPrintable(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    private static func expect(_ holds: Bool, _ promise: String, _ bytes: [UInt8], _ seed: UInt64) {
        if holds { return }
        let text = String(decoding: bytes, as: UTF8.self)
        complain("seed \(seed): the promise \"\(promise)\" is broken by:\n\(text)")
        exit(1)
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout Random) {
        let position = random.below(bytes.count)
        let end = min(bytes.count, position + random.below(24))
        switch random.below(7) {
        case 0: bytes.insert(UInt8(random.below(256)), at: position)
        case 1: bytes.removeSubrange(position..<end)
        case 2: bytes.insert(contentsOf: bytes[position..<end], at: random.below(bytes.count))
        case 3: bytes.insert(contentsOf: random.element(of: Samples.pieces).utf8, at: position)
        case 4: bytes.replaceSubrange(position..<end, with: random.element(of: Samples.pieces).utf8)
        case 5: replaceValue(&bytes, &random)
        default: bytes.insert(random.element(of: [0x22, 0x2C, 0x5B, 0x5D, 0x7B, 0x7D, 0x5C, 0x80]), at: position)
        }
    }

    /// Puts another value in the place of one, so that the text stays JSON and the decoders are reached.
    private static func replaceValue(_ bytes: inout [UInt8], _ random: inout Random) {
        guard let document = try? Document(bytes, duplicateKeys: .record) else { return }
        var node = document.root
        while document.count(of: node) > 0, random.below(8) > 0 {
            let children = Array(document.elements(of: node)) + document.members(of: node).map(\.value)
            node = random.element(of: children)
        }
        bytes.replaceSubrange(document.range(of: node), with: random.element(of: Samples.pieces).utf8)
    }
}
