/// All commands.
extension Command {
    static let all: [Command] = [
        .check, .checkpoint, .completion, .create, .delete, .doctor, .events, .exec, .features, .kill, .list, .logs,
        .man,
        .mounts, .pause, .ps, .reload, .restart, .restore, .resume, .run, .spec, .start, .state, .stats, .stop, .update,
        .wait,
    ]

    static func named(_ name: String) -> Command? { all.first { $0.name == name } }
}
