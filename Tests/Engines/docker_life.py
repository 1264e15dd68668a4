"""What Docker does with a container from its start to its end."""

import os
import re
import time

from bench import EMULATED, WORK, Case, Skip, named, sh, which, write
from docker import BOX
from docker_terminal import TERMINALS, exec_resized
from podman import LONG


# --- ends ------------------------------------------------------------------------------------------------------------


def killed_from_outside(e):
    """The status after each of a few signals, of a process that does not catch them."""
    found = []
    for number in ("KILL", "TERM", "INT", "USR2"):
        e.long("dies", "--init")
        e.do("kill", "-s", number, e.name("dies"))
        found.append(number + " " + e.do("wait", e.name("dies")).split()[-1])
        e.drop("dies")
    return "\n".join(found)


def wait_and_events(e):
    """The life of a container in the daemon's events."""
    since = sh("date", "+%s.%N")[1].strip()
    made = e.do("create", "--name", e.name("told"), "--network", "none", BOX, "sh", "-c", "sleep 1; exit 5")
    lines = [made, e.do("start", e.name("told")), e.do("wait", e.name("told"))]
    e.wait("told", "{{.State.Status}}", "exited")
    lines += [e.drop("told")]
    until = sh("date", "+%s.%N")[1].strip()
    shown = "{{.Action}} {{.Actor.Attributes.exitCode}}"
    lines.append(e.do("events", "--since", since, "--until", until, "--filter", "type=container", "--filter", "container=" + e.name("told"), "--format", shown))
    return "\n".join(lines)


# --- one container, several commands ---------------------------------------------------------------------------------


def made(e):
    return e.do("run", "-d", "--name", e.name("long"), "--network", "none", "--stop-timeout", "50", BOX, "sh", "-c", LONG)


def cgroup_of(e):
    with open(f"/proc/{e.pid('long')}/cgroup") as file:
        path = [line for line in file if line.startswith("0::")][0].strip()
    return re.sub(r"/room-[^/]*", "", path)


def state(e):
    return e.inspect("long",
        "{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.ExitCode}} {{.State.Error}} {{.HostConfig.Runtime}}").replace(e.tag, "R")


def paused(e):
    lines = [e.do("pause", e.name("long")), e.inspect("long", "{{.State.Status}}"), e.do("pause", e.name("long")), e.exec("long", "true"),
             e.do("ps", "--filter", "status=paused", "--filter", "name=" + e.name("long"), "--format", "{{.Names}}"), e.do("unpause", e.name("long")),
                 e.inspect("long", "{{.State.Status}}"),
             e.do("unpause", e.name("long"))]
    return "\n".join(lines)


def logs(e):
    e.do("kill", "--signal", "USR1", e.name("long"))
    e.until("long", "usr1")
    return "\n".join([e.do("logs", e.name("long")), e.do("logs", "--tail", "1", e.name("long"))])


def detached_exec(e):
    first = e.do("exec", "-d", e.name("long"), "sh", "-c", "echo made > /run/detached")
    for _ in range(100):
        told = e.exec("long", "cat", "/run/detached")
        if "made" in told:
            break
        time.sleep(0.1)
    return first + "\n" + told


def exec_ends(e, name="long"):
    """Statuses of exec: its own, of a signal, and of what cannot be run."""
    runs = [["sh", "-c", "exit 9"], ["sh", "-c", "kill -9 $$"], ["sh", "-c", "kill -TERM $$"], ["nothere"], ["/bin/nothere"], ["/bin/plainfile"], ["/etc"]]
    return "\n".join(f"{' '.join(words)} " + e.exec(name, *words) for words in runs)


def stats(e):
    return e.do("stats", "--no-stream", "--format", "{{.Name}}", e.name("long"))


def renamed(e):
    lines = [e.do("rename", e.name("long"), e.name("other")), e.inspect("other", "{{.State.Status}}"), e.exec("other", "echo", "still there"),
             e.do("rename", e.name("other"), e.name("long"))]
    return "\n".join(lines)


def copied(e):
    """In, out, and what the image had; while it runs and of what lies on a tmpfs."""
    write(f"{WORK}/cp-{e.tag}/in", "carried\n")
    lines = [e.do("cp", f"{WORK}/cp-{e.tag}/in", e.name("long") + ":/tmp/carried"), e.exec("long", "cat", "/tmp/carried"),
             e.do("cp", e.name("long") + ":/data/file", f"{WORK}/cp-{e.tag}/out"), sh("cat", f"{WORK}/cp-{e.tag}/out")[1],
             e.do("cp", e.name("long") + ":/nothere", f"{WORK}/cp-{e.tag}/no"),
             e.do("cp", "-", e.name("long") + ":/tmp", input="")]
    return re.sub(r"Successfully copied.*", "copied", "\n".join(lines))


def diff(e):
    e.exec("long", "sh", "-c", "echo new > /tmp/new; rm /data/file; mkdir -p /var/x")
    return "\n".join(sorted(e.do("diff", e.name("long")).splitlines()))


def committed(e):
    image = f"kept:{e.tag}"
    lines = [e.do("commit", "-c", "ENV KEPT=yes", e.name("long"), image), e.box(image, "sh", "-c", "cat /tmp/new; ls /data; echo $KEPT"),
        e.do("rmi", image).split(":")[0]]
    return re.sub(r"sha256:\w+", "ID", "\n".join(lines))


def stopped(e):
    return "\n".join([e.do("stop", e.name("long")), state(e), e.exec("long", "true"), e.do("kill", e.name("long"))])


def started_again(e):
    return "\n".join([e.do("start", e.name("long")), state(e), e.exec("long", "cat", "/tmp/new"), e.do("restart", "-t", "50", e.name("long")), state(e)])


def killed_by_stop(e):
    e.long("deaf", command=("sh", "-c", "trap '' TERM; while :; do sleep 1; done"))
    return "\n".join([e.do("stop", "-t", "1", e.name("deaf")), e.inspect("deaf", "{{.State.Status}} {{.State.ExitCode}}"), e.drop("deaf")])


def stop_signal(e):
    e.long("asks", "--stop-signal", "USR2", command=("sh", "-c", "trap 'exit 44' USR2; echo ready; while :; do sleep 0.1; done"))
    e.until("asks", "ready")
    return "\n".join([e.do("stop", "-t", "50", e.name("asks")), e.inspect("asks", "{{.State.ExitCode}}"), e.drop("asks")])


def whole(e):
    """A host that lacks capabilities itself can give no container all of them."""
    with open("/proc/sys/kernel/cap_last_cap") as file:
        every = (1 << int(file.read()) + 1) - 1
    with open("/proc/self/status") as file:
        mine = int(re.search(r"CapBnd:\s*(\w+)", file.read())[1], 16)
    if mine != every:
        raise Skip("this host has not all capabilities itself")


def exec_privileged(e):
    whole(e)
    return e.exec("long", "grep", "-E", "^(Cap|Seccomp:|NoNew)", "/proc/self/status", flags=["--privileged"])


def top(e):
    if not which("ps"):
        raise Skip("Docker asks the host's ps, and there is none")
    told = "\n".join([e.do("top", e.name("long"), "-o", "pid,user,args"), e.do("top", e.name("long"), "-o", "wrong")])
    return re.sub(r"[ \t]+", " ", re.sub(r"(?m)^\d+ ", "", told))


# --- policies --------------------------------------------------------------------------------------------------------


def restarted(e):
    e.long("again", "--restart", "on-failure:2", command=("sh", "-c", "echo once; exit 3"))
    lines = [e.wait("again", "{{.RestartCount}} {{.State.Status}}", "2 exited"), e.inspect("again", "{{.State.ExitCode}}"), e.do("logs", e.name("again")),
        e.drop("again")]
    return "\n".join(lines)


def always(e):
    """Its first process is killed on the host: the policy makes a new one, until it is stopped."""
    e.long("ever", "--restart", "always")
    os.kill(int(e.pid("ever")), 9)
    lines = [e.wait("ever", "{{.RestartCount}} {{.State.Status}}", "1 running"), e.do("stop", "-t", "0", e.name("ever")),
        e.inspect("ever", "{{.State.Status}}"), e.drop("ever")]
    return "\n".join(lines)


def healthy(e):
    e.long("well", "--health-cmd", "echo looked; test -e /run/fine", "--health-interval", "1s", "--health-retries", "1", "--health-timeout", "50s")
    lines = [e.wait("well", "{{.State.Health.Status}}", "unhealthy"), e.exec("well", "touch", "/run/fine"),
        e.wait("well", "{{.State.Health.Status}}", "healthy"),
             e.inspect("well", "{{(index .State.Health.Log 0).Output}}"), e.drop("well")]
    return "\n".join(lines)


def never_started(e):
    """What could not start stays, with its status, and can be removed."""
    lines = [e.do("run", "--name", e.name("bad"), "--network", "none", BOX, "nothere"), e.inspect("bad", "{{.State.Status}} {{.State.ExitCode}}"),
             e.do("start", e.name("bad")), e.do("rm", e.name("bad"))]
    return "\n".join(lines)


def twice(e):
    made = e.do("create", "--name", e.name("made"), "--network", "none", BOX, "sh", "-c", "echo run; exit 4")
    return "\n".join([made, e.do("start", "-a", e.name("made")), e.do("start", "-a", e.name("made")), e.do("logs", e.name("made")), e.do("rm", e.name("made"))])


def checkpoint(e):
    """Refused, or done; and the container goes on or can be removed."""
    e.long("froze")
    told = e.do("checkpoint", "create", "--leave-running", e.name("froze"), "point").replace("runc did not", "RUNTIME did not")
    told = re.sub(r"(exit status 1: ).*( path=)", r"\1why\2", told)
    return "\n".join([told, e.inspect("froze", "{{.State.Status}}"), e.exec("froze", "echo", "on"), e.drop("froze")])


def removed(e):
    return "\n".join([e.do("rm", e.name("long")).split("container ")[0], e.drop("long"), e.do("ps", "-aq", "--filter", "name=" + e.name("long"))])


def shim_killed(e):
    """Without its shim a container ends, and the engine has the runtime delete what is left."""
    e.long("bare")
    with open(f"/proc/{e.pid('bare')}/stat") as file:
        parent = file.read().rsplit(")", 1)[1].split()[1]
    os.kill(int(parent), 9)
    return "\n".join([e.wait("bare", "{{.State.Status}}", "exited"), e.inspect("bare", "{{.State.ExitCode}}"), e.do("start", e.name("bare")),
        e.exec("bare", "echo", "on"), e.drop("bare")])


def fifty(e):
    """All run at once; each answers, and nothing stays of them. Emulation cannot do with fifty starts at the same moment."""
    names = [e.name(f"many{number}") for number in range(50)]
    client = e.words("run", "-d", "--network", "none", "--name", "NAME", BOX, "sleep", "1000")
    sh("xargs", "-P", "4" if EMULATED else "50", "-I", "NAME", *client, input="\n".join(names), timeout=900)
    found = e.do("ps", "-q", "--filter", f"name=many.*-{e.tag}", "--filter", "status=running").splitlines()
    said = e.exec("many17", "echo", "here")
    gone = e.told(*sh(*e.words("rm", "-f", *names), timeout=900)).splitlines()
    return f"{len(found) - 1} run\n{said}\n{len([line for line in gone if line in names])} gone"


FIRST = [
    Case("both streams and the status", lambda e: e.box(BOX, "sh", "-c", "echo out; echo err >&2"), "^0: [|] out [|] stderr err$"),
    Case("exit status 1", lambda e: e.box(BOX, "false"), "^1:$"),
    Case("exit status 255", lambda e: e.box(BOX, "sh", "-c", "exit 255"), "^255:$"),
    Case("a command that is not there", lambda e: e.box(BOX, "nothere"), r'^127: [|] error .*exec: "nothere" executable file not found in \$PATH$'),
    Case("a path that is not there", lambda e: e.box(BOX, "/bin/nothere"), '^127: [|] error .*exec: "/bin/nothere" no such file or directory$'),
    Case("no program", lambda e: e.box(BOX, "/bin/plainfile"), '^126: [|] error .*exec: "/bin/plainfile" permission denied$', clean=True),
    Case("a directory as the program", lambda e: e.box(BOX, "/etc"), '^126: [|] error .*exec: "/etc" '),
    Case("a script whose interpreter is not there", lambda e: e.box(BOX, "lost"), "^(127|255|1): "),
    Case("a text without an interpreter", lambda e: e.box(BOX, "text"), "^(125|126|255|1): ", clean=True),
    Case("an image without a program, an empty command", lambda e: e.box("--entrypoint", "", BOX, ""), "^12[5-7]: "),
    Case("no such user", lambda e: e.box("--user", "nobody-here", BOX, "true"), "^12[5-7]: .*nobody-here"),
    Case("no such runtime", lambda e: e.do("run", "--rm", "--runtime", "nothing", BOX, "true"), "^12[5-7]: .*nothing"),
    Case("a sysctl that is not there", lambda e: e.box("--sysctl", "net.ipv4.nothing=1", BOX, "true"), "^12[5-7]: .*(no such file or directory|not found|OCI runtime)", clean=True),
    Case("killed by signals", killed_from_outside, "^KILL 137 [|] TERM 143 [|] INT 130 [|] USR2 140$", clean=True),
    Case("a signal inside", lambda e: e.box("--init", BOX, "sh", "-c", "kill -9 $$"), "^137:$", clean=True),
    Case("input", lambda e: e.box("-i", BOX, "cat", input="through\n"), "^0: [|] through$"),
    Case("what could not start", never_started, r"^127: .*created 127 .*1: .*0: [|] bad$", clean=True),
    Case("create, start, start again", twice, "^0: .*4: [|] run [|] 4: [|] run [|] 0: [|] run [|] run [|] 0:", clean=True),
    Case("wait and events", wait_and_events, "create.*start.*die 5.*destroy", clean=True),
]

LIFE = [
    Case("detached", made, "^0: [|] ID$"),
    Case("its cgroup", cgroup_of, "^0::/.*ID"),
    Case("state", state, "^running true false 0 +R$"),
    Case("the status of exec", lambda e: e.exec("long", "sh", "-c", "grep ^0 /proc/self/cgroup; exit 5"), "^5: [|] 0::/$"),
    Case("statuses of exec", exec_ends, "exit 9 9: .*137: .*143: .*nothere 12[67]: .*/bin/nothere 12[67]: .*/bin/plainfile 126: "),
    Case("exec of a script whose interpreter is not there", lambda e: e.exec("long", "lost"), "^(1|126|127|255): "),
    Case("exec of a text without an interpreter", lambda e: e.exec("long", "text"), "^(1|126|128|255): "),
    Case("exec with a terminal, resized", exec_resized, "^3: [|] 25 81 [|] ready [|] 33 101$"),
    Case("exec as a user, in a directory, with an environment and input", lambda e: e.exec(
        "long", "sh", "-c", "id; pwd; echo $A $HOME; cat", flags=["-i", "-u", "user", "-w", "/tmp", "-e", "A=b"], input="in\n"),
        r"^0: [|] uid=1000.*2000.* [|] /tmp [|] b /tmp [|] in$"),
    Case("exec as numbers", lambda e: e.exec("long", "id", flags=["-u", "77:88"]), "^0: [|] uid=77 gid=88"),
    Case("exec in a directory that is not there", lambda e: e.exec("long", "pwd", flags=["-w", "/not/there"]), "^12[67]: "),
    Case("exec as a user who is not there", lambda e: e.exec("long", "id", flags=["-u", "nobody-here"]), "^(1|126|127): .*nobody-here"),
    Case("exec, privileged", exec_privileged, "^0: .*CapEff"),
    Case("exec, detached", detached_exec, "^0: [|] 0: [|] made$"),
    Case("ps", lambda e: re.sub("Up .*", "Up", e.do("ps", "-a", "--filter", "name=" + e.name("long"), "--format", "{{.Names}} {{.Status}}")),
        "^0: [|] long Up$"),
    Case("top", top, "^0: .*root sh.*root sleep.*1: "),
    Case("stats", stats, "^0: [|] long$"),
    Case("pause and unpause", paused, "^0: [|] long [|] paused [|] 1: .*already paused.*0: [|] long [|] running [|] 1: .*not paused"),
    Case("kill with a signal, and logs", logs, "started [|] usr1 [|] 0: [|] usr1$"),
    Case("rename", renamed, "^0: [|] running [|] 0: [|] still there [|] 0:$"),
    Case("cp", copied, "^0: .*carried .*from the image .*1: "),
    Case("diff", diff, "A /tmp/new.*D /data/file"),
    Case("commit", committed, "new [|] yes [|] 0$"),
    Case("stop", stopped, "^0: [|] long [|] exited false false 3 +R .*1: .*not running"),
    Case("start again, restart", started_again, "^0: [|] long [|] running .*new .*running"),
    Case("rm, rm -f", removed, "^1: .*0: [|] long [|] 0:$", clean=True),
]

FURTHER = TERMINALS + [
    Case("stop of one that does not listen", killed_by_stop, "exited 137", clean=True),
    Case("stop by a signal of its own", stop_signal, "^0: [|] asks [|] 44", clean=True),
    Case("--restart on-failure", restarted, "^2 exited [|] 3 [|] 0: [|] once [|] once [|] once [|] 0:", clean=True),
    Case("--restart always", always, "^1 running [|] 0: [|] ever [|] exited", clean=True),
    Case("health", healthy, "^unhealthy [|] 0: [|] healthy [|] looked", clean=True),
    Case("--init", lambda e: e.box("--init", BOX, "sh", "-c", "cat /proc/1/comm; exit 4"), "^4: [|] (docker-init|tini)$"),
    Case("checkpoint", checkpoint, "^1: .*running [|] 0: [|] on|^0: [|] point", clean=True),
    Case("its shim killed", shim_killed, "^exited [|] .*0: [|] on", clean=True),
]

MANY = [Case("50 at once", fifty, "^50 run [|] 0: [|] here [|] 50 gone$", clean=True)]
# For machines with little time: what is most telling.
SHORT = named(
    FIRST + LIFE + FURTHER, "both streams and the status", "a command that is not there", "no program", "a directory as the program", "a sysctl that is not there", "detached",
    "statuses of exec", "pause and unpause", "rm, rm -f", "a terminal, resized", "its shim killed")
