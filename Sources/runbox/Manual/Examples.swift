/// What a manual page shows of a command: paragraphs, those that are indented to be typed as they are.
enum Examples {
    /// - Returns: nil for a command that has none.
    static func of(_ command: String) -> String? {
        switch command {
        case "check": check
        case "checkpoint", "restore": checkpoint
        case "completion": "  source <(runbox completion bash)"
        case "create", "start": life
        case "delete": "  runbox delete web\n  runbox delete --force web    # killed first"
        case "doctor": doctor
        case "events": events
        case "exec": exec
        case "features": "  runbox features | jq .linux.seccomp.actions"
        case "kill": kill
        case "list": list
        case "logs": logs
        case "pause", "resume": "  runbox pause web\n  runbox state web | jq -r .status\n  runbox resume web"
        case "ps": "  runbox ps web\n  runbox ps web -o pid,rss,args\n  runbox ps --format json web"
        case "mounts":
            "  runbox mounts add web data.json    # [{\"destination\": \"/data\", \"source\": \"/srv/data\"}]\n"
                + "  runbox mounts remove web data.json"
        case "reload": "  runbox reload web\n  runbox reload web && runbox logs --tail 1 web"
        case "restart": "  runbox restart web\n  runbox restart web && runbox wait --ready --timeout 30s web"
        case "run": run
        case "spec": spec
        case "state": "  runbox state web\n  runbox state web | jq .exit    # how it ended"
        case "stats": "  runbox stats\n  runbox stats --format json web | jq '.[].memory.usage'"
        case "stop": "  runbox stop web\n  runbox stop --timeout 10s web"
        case "update": update
        case "wait": wait
        default: nil
        }
    }

    private static let check = """
        A bundle in the folder web, and the number of errors for a script:

          runbox check web
          runbox check --strict --format json web | jq .errors
        """

    private static let checkpoint = """
        A container that goes on where it was, under its name; and one that stands still for a shorter
        time, because its memory is saved while it runs:

          runbox checkpoint --image-path saved web
          runbox restore --detach --bundle web --image-path saved web

          runbox checkpoint --pre-dump --image-path first web
          runbox checkpoint --parent-path ../first --image-path last web
        """

    private static let life = """
        The life of a container in single steps, as engines take them:

          runbox create --bundle web --pid-file web.pid web
          runbox start web
          runbox kill web TERM
          runbox wait web
          runbox delete web
        """

    private static let doctor = """
        All that is there and is not; and only what is missing:

          runbox doctor
          runbox doctor --format json | jq '.findings[] | select(.verdict == "missing")'
        """

    private static let events = """
        What a container uses now, and then every ten seconds:

          runbox events --stats web | jq .data.memory.usage
          runbox events --interval 10s web
        """

    private static let exec = """
        A shell on a terminal; a command as another user in another folder; one in the background:

          runbox exec --tty web sh
          runbox exec --user 1000:1000 --cwd /srv --env LANG=C web ls -l
          runbox exec --detach --pid-file job.pid web /bin/job
        """

    private static let kill = """
        The default is TERM. The first process of a container gets no signal that it has no handler for,
        but KILL:

          runbox kill web
          runbox kill web HUP
          runbox kill web KILL
        """

    private static let list = """
        A table; names for a script; everything:

          runbox list
          runbox list --quiet
          runbox list --format json | jq -r '.[] | select(.status == "running") | .id'
        """

    private static let logs = """
        The last lines and what comes; what it complained of within the last hour; what an old file says:

          runbox logs --tail 20 --follow web
          runbox logs --stream stderr --since 1h --timestamps web
          runbox logs --file /var/log/runbox/web.log
        """

    private static let run = """
        In the foreground, named after its folder; in the background under a name of its own:

          runbox run web/
          runbox run --bundle web --detach my-web

        As a service of systemd's: the bundle /var/lib/runbox/web is run by the unit runbox@web.

          systemctl start runbox@web
        """

    private static let spec = """
        A bundle from an empty folder; for an ordinary user; to look at:

          mkdir -p web/rootfs
          runbox spec --bundle web
          runbox spec --rootless --file rootless.json
          runbox spec --file /dev/stdout
        """

    private static let update = """
        Single limits; limits from a document such as linux.resources is:

          runbox update --memory 268435456 --pids-limit 100 web
          echo '{"cpu": {"shares": 512}}' | runbox update --resources - web
        """

    private static let wait = """
        Until it ends, but not longer than ten seconds; how it ended, as JSON:

          runbox wait --timeout 10s web
          runbox wait --format json web | jq .exit
        """
}
