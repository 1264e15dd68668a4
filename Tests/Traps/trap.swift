// Does what Swift stops a process for, in the settings of the executable: trap
// overflow|bounds|missing|conversion|range. The numbers come from outside, so that the compiler cannot know.
@main
enum Trap {
    static func main() {
        let words = (0..<Int(cseal_count())).compactMap { cseal_words()[$0].map { String(cString: $0) } }
        let count = words.count
        let numbers = [Int](repeating: count, count: count)
        switch words.last {
        case "overflow": print(Int.max - numbers[0] + count + 1)
        case "bounds": print(numbers[count])
        case "missing":
            // swift-format-ignore: NeverForceUnwrap
            let empty = words.first { $0.utf8.count == 0 }!
            print(empty.utf8.count)
        case "conversion": print(UInt8(count * 1000))
        case "range": print((count..<numbers[0] - 1).count)
        default: print("nothing")
        }
    }
}
