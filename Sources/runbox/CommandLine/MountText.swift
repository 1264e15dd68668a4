internal import KernelTypes
internal import OCISpec

/// A mount as `spec --mount` writes it: `SOURCE:DESTINATION[:OPTIONS]`, or as engines write it,
/// `type=…,source=…,destination=…`.
enum MountText {
    static func mount(_ text: String) throws(UsageError) -> Mount {
        let words = text.parts(by: ",")
        let keys = ["type", "source", "src", "destination", "dst", "target"]
        guard let first = words.first, keys.contains(where: { first.begins(with: "\($0)=") }) else {
            return try short(text)
        }
        return try long(text, words)
    }

    private static func short(_ text: String) throws(UsageError) -> Mount {
        let parts = text.parts(by: ":", keepingEmpty: true, most: 3)
        guard parts.count >= 2, !parts[0].isEmpty else {
            throw mistake(text, "SOURCE:DESTINATION[:OPTIONS], or type=TYPE,source=SOURCE,destination=DIR[,OPTION...]")
        }
        let options = parts.count == 3 ? parts[2].parts(by: ",") : []
        return try checked(
            Mount(
                destination: parts[1], type: "bind", source: Paths.absolute(parts[0]), options: bindOptions(options)),
            text)
    }

    private static func long(_ text: String, _ words: [String]) throws(UsageError) -> Mount {
        var type = "bind"
        var source: String?
        var destination = ""
        var options: [String] = []
        for word in words {
            let sides = word.parts(by: "=", keepingEmpty: true, most: 2)
            let value = sides.count == 2 ? sides[1] : nil
            switch (sides[0], value) {
            case ("type", .some(let value)): type = value
            case ("source", .some(let value)), ("src", .some(let value)): source = value
            case ("destination", .some(let value)), ("dst", .some(let value)), ("target", .some(let value)):
                destination = value
            case ("readonly", nil), ("readonly", "true"), ("ro", "true"): options.append("ro")
            case ("readonly", "false"), ("ro", "false"): options.append("rw")
            case ("bind-propagation", .some(let value)): options.append(value)
            case ("tmpfs-size", .some(let value)): options.append("size=\(value)")
            case ("tmpfs-mode", .some(let value)): options.append("mode=\(value)")
            default: options.append(word)
            }
        }
        if type == "volume" { throw mistake(text, "runbox has no volumes; type=bind shows a folder of the host") }
        if type == "bind" {
            guard let given = source, !given.isEmpty else { throw mistake(text, "a bind mount needs source=PATH") }
            source = Paths.absolute(given)
            options = bindOptions(options)
        }
        return try checked(Mount(destination: destination, type: type, source: source ?? type, options: options), text)
    }

    /// All that lies below comes along, unless `bind` alone was asked for.
    private static func bindOptions(_ options: [String]) -> [String] {
        options.contains("bind") || options.contains("rbind") ? options : ["rbind"] + options
    }

    private static func checked(_ mount: Mount, _ text: String) throws(UsageError) -> Mount {
        guard mount.destination.isAbsolutePath else { throw mistake(text, "the destination must be an absolute path") }
        return mount
    }

    private static func mistake(_ text: String, _ what: String) -> UsageError {
        UsageError(reason: "invalid value \"\(text)\" for flag --mount: \(what)")
    }
}
