internal import CgroupPlanning
internal import Errors
internal import Kernel
internal import KernelTypes

/// Changing the limits of a cgroup that has some already.
extension FSManager {
    /// Writes new values, or none: when one is refused, those before it are put back. Controllers that the container
    /// did without so far are switched on.
    /// - Parameters:
    ///   - agreed: what is written, where it is not just what the update says.
    ///   - confirm: what must succeed as well, when all is written.
    func update(
        _ update: ResourcesUpdate, agreed: [Setting]? = nil, confirm: () throws(CgroupError) -> Void = {}
    ) throws(CgroupError) {
        let settings = agreed ?? update.settings
        if settings.isEmpty { return }
        switch directory {
        case .none: throw gone
        case .some(let directory):
            let host = try CgroupHost.discover(for: "/")
            try ControllerSwitch(root: root, path: path, isHybrid: host.isHybrid).enable(update.controllers, directory)
            var old: [Remembered] = []
            for setting in settings {
                for file in [setting.file] + (setting.alternative.map { [$0.file] } ?? []) {
                    // What cannot be read, as memory.reclaim, holds no value to put back.
                    guard !old.contains(where: { $0.file == file }),
                        let value = try? Files.readText(file, at: directory)
                    else { continue }
                    old.append(Remembered(file: file, value: value))
                }
                do throws(CgroupError) {
                    try apply([setting])
                } catch {
                    throw undo(old.reversed(), settings, error, directory)
                }
            }
            do throws(CgroupError) {
                try confirm()
            } catch {
                throw undo(old.reversed(), settings, error, directory)
            }
        }
    }

    /// What a file held before.
    struct Remembered: Hashable {
        let file: String
        let value: String

        /// What to write so that it holds that again. In files with a line for each device, one that has no line had no
        /// limit.
        func lines(after settings: [Setting]) -> [String] {
            let none: String
            switch file {
            case "io.max": none = "rbps=max wbps=max riops=max wiops=max"
            case "io.weight", "io.bfq.weight": none = "default"
            case "io.latency": none = "target=0"
            // A value with several lines, which are no single devices', cannot be put together again.
            default: return value.containsByte("\n") ? value.parts(by: "\n") : [value]
            }
            let lines = value.parts(by: "\n")
            let known = lines.map(Self.device)
            var written: [String] = []
            for setting in settings where setting.file == file || setting.alternative?.file == file {
                for device in setting.value.parts(by: "\n").map(Self.device)
                where device.containsByte(":") && !known.contains(device) && !written.contains(device) {
                    written.append(device)
                }
            }
            return lines + written.map { "\($0) \(none)" }
        }

        private static func device(_ line: String) -> String { line.parts(by: " ").first ?? "" }
    }

    /// - Returns: the failure that led here, with what could not be put back.
    private func undo(
        _ remembered: [Remembered], _ settings: [Setting], _ cause: CgroupError, _ directory: borrowing Descriptor
    ) -> CgroupError {
        var lost: [String] = []
        // Twice: values that bound each other, as a quota and its burst, may go back in one order only.
        for _ in 0..<2 {
            lost = []
            for one in remembered {
                do throws(SystemError) {
                    guard try Files.readText(one.file, at: directory) != one.value else { continue }
                    let lines = one.lines(after: settings)
                    for line in lines.isEmpty ? [""] : lines {
                        try Files.write("\(line)\n", into: one.file, at: directory)
                    }
                } catch {
                    lost.append(one.file)
                }
            }
            if lost.isEmpty { return cause }
        }
        return CgroupError(
            field: cause.field, controller: cause.controller,
            "\(cause.reason); and \(lost.joined(separator: ", ")) could not be set back to what was there before",
            remedy: cause.remedy, code: cause.code)
    }
}
