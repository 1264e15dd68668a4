/// How what has been made is taken back, should a later step fail: each step pushes its own way, and the last one comes
/// first.
struct UndoStack<Subject: ~Copyable>: ~Copyable {
    private var steps: [(inout Subject) -> Void] = []

    /// - Parameter step: takes back what has just been made. An error of its own cannot be returned: it warns.
    mutating func push(_ step: @escaping (inout Subject) -> Void) { steps.append(step) }

    /// Takes everything back.
    mutating func unwind(_ subject: inout Subject) {
        while let step = steps.popLast() { step(&subject) }
    }
}
