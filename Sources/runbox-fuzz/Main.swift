import Glibc

/// Feeds nonsense to the parts of runbox that read what others wrote, and to what plans containers of it.
///
/// `runbox-fuzz reader|plan|message --seconds N [--seed S] [--count N]`: each round has a seed, written to standard
/// error before the round runs, so that a crash is replayed by `--seed S --count 1`. Exit status 1 means a broken
/// promise, 2 a wrong command line; a trap ends the process as traps do.
@main
struct Main {
    static func main() {
        guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
            complain("usage: runbox-fuzz reader|plan|message --seconds N [--seed S] [--count N]")
            exit(2)
        }
        let end = monotonicSeconds() + options.seconds
        var seed = options.seed
        var rounds = 0
        while rounds < options.count, monotonicSeconds() < end {
            complain("seed \(seed)")
            switch options.target {
            case .reader: ReaderFuzz.round(seed: seed)
            case .plan: PlanFuzz.round(seed: seed)
            case .message: MessageFuzz.round(seed: seed)
            }
            seed &+= 1
            rounds += 1
        }
        PlanFuzz.checkThatItShowsSomething()
        if options.target == .plan { print("\(PlanFuzz.planned) plans, \(PlanFuzz.clean) without a mistake") }
        print("\(rounds) rounds, seeds \(options.seed) to \(seed &- 1): no mistake found")
    }

    private static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

/// Writes a line to standard error, at once: what is buffered is lost in a crash.
func complain(_ line: String) {
    let bytes = Array("\(line)\n".utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

/// The command line.
private struct Options {
    enum Target: String {
        case reader, plan, message
    }

    let target: Target
    var seconds = Double.infinity
    var seed: UInt64 = 1
    var count = Int.max

    init?(_ arguments: [String]) {
        guard let target = arguments.first.flatMap(Target.init(rawValue:)), arguments.count % 2 == 1 else { return nil }
        self.target = target
        for index in stride(from: 1, to: arguments.count, by: 2) {
            let value = arguments[index + 1]
            switch arguments[index] {
            case "--seconds":
                guard let seconds = Double(value) else { return nil }
                self.seconds = seconds
            case "--seed":
                guard let seed = UInt64(value) else { return nil }
                self.seed = seed
            case "--count":
                guard let count = Int(value) else { return nil }
                self.count = count
            default:
                return nil
            }
        }
        guard seconds < .infinity || count < .max else { return nil }
    }
}
