import ContainerRuntime
import Foundation

/// `HelloContainer BUNDLE ROOT`: creates a container of a bundle, starts it, waits for its end and deletes it. Its
/// state is kept below ROOT meanwhile. Ends with the exit status of the container's program. Needs root.
@main
enum HelloContainer {
    static func main() {
        let words = CommandLine.arguments
        guard words.count == 3 else {
            complain("usage: HelloContainer BUNDLE ROOT")
            exit(2)
        }
        do throws(RuntimeError) {
            // First of all: from here on, no container can get at this program's own file (CVE-2019-5736).
            try SealedExecutable.ensure(arguments: words)
            exit(try hello(bundle: words[1], root: words[2]))
        } catch {
            // One line, with what was done, to what, why it failed, and the remedy.
            complain("\(error)")
            exit(error.exitStatus)
        }
    }

    static func hello(bundle path: String, root: String) throws(RuntimeError) -> Int32 {
        let bundle = try ContainerBundle(path)
        let container = Container(try ContainerID("hello-\(getpid())"), store: Store(root: root))
        try container.create(bundle) { complain("warning: \($0)") }
        // Whatever happens from here on, nothing of the container stays behind.
        defer { try? container.delete(force: true) }

        let state = try container.state()
        print("\(state.id) is \(state.status.rawValue), process \(state.pid)")
        try container.start()
        let status = try container.wait(timeout: .seconds(60))
        print("it ended with \(status) and is \(try container.state().status.rawValue)")
        try container.delete()
        return status
    }

    static func complain(_ line: String) {
        let text = "\(line)\n"
        _ = write(STDERR_FILENO, text, text.utf8.count)
    }
}
