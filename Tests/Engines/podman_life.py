"""The cases of a Podman container's life: attach, exec, logs, signals, what is copied, renamed and committed, and how it ends."""

import fcntl
import os
import re
import select
import struct
import subprocess
import time

from bench import WORK, Case, Skip, sh, wait_for, write
from podman import BOX, since

# Ends at once when it is asked to.
LISTENS = "trap 'echo term; exit 3' TERM; trap 'echo hup' HUP; echo ready; while :; do sleep 0.1; done"


def logs(e, word):
    return sh(*e.words("logs", e.name(word)))[1]


def gone(e, word):
    return e.do("rm", "-f", "-t", "0", e.name(word))


def running(e, word, *words, command=("sh", "-c", LISTENS)):
    """A container in the background that has begun."""
    told = e.do("run", "-d", "--name", e.name(word), *words, BOX, *command)
    if command[0] == "sh":
        wait_for(lambda: "ready" in logs(e, word))
    return told


def with_box(name, expected, ask, *words, word="life", command=("sh", "-c", LISTENS), clean=False, least=(4, 0)):
    """A case that asks something of a running container, and removes it."""
    def run(e):
        since(*least)
        began = running(e, word, *words, command=command)
        try:
            asked = ask(e, e.name(word))
        finally:
            end = gone(e, word)
        return "\n".join([began, asked, end])
    return Case(name, run, expected, clean)


def state(e, word="life", what="{{.State.Status}} {{.State.ExitCode}}"):
    return e.inspect(word, what)


# --- terminals -------------------------------------------------------------------------------------------------------


class Terminal:
    """A command on a terminal whose size can change, and that can be typed on."""

    def __init__(self, words, rows, columns):
        self.master, slave = os.openpty()
        self.seen = ""
        self.resize(rows, columns)
        self.process = subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, 0x540E, 0))  # TIOCSCTTY
        os.close(slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, 0x5414, struct.pack("HHHH", rows, columns, 0, 0))  # TIOCSWINSZ

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, until, timeout=30):
        """Whether the text has come in time."""
        end = time.monotonic() + timeout
        while not re.search(until, self.seen):
            ready = select.select([self.master], [], [], max(0, end - time.monotonic()))[0]
            try:
                text = os.read(self.master, 4096).decode(errors="replace") if ready else ""
            except OSError:
                text = ""  # closed by its last user
            if not text:
                return False
            self.seen += text.replace("\r", "")
        return True

    def end(self):
        try:
            status = self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, 9)
            status = "too late"
        os.close(self.master)
        return status


SIZES = """exec 3<&0; trap 'stty size' WINCH; stty size; echo ready; cat <&3 > /tmp/typed &
while ! grep -q words /tmp/typed; do sleep 0.1; done; echo got $(cat /tmp/typed); exit 9"""


def resized(e, *words):
    """The size is the terminal's, follows it, and what is typed arrives."""
    terminal = Terminal(e.words(*words, "sh", "-c", SIZES), 33, 99)
    seen = [terminal.read(r"33 99\s+ready")]
    terminal.resize(44, 111)
    seen.append(terminal.read("44 111"))
    terminal.type("some words\n")
    seen.append(terminal.read("got some words"))
    return f"{seen}, status {terminal.end()}"


def attached_terminal(e):
    name = e.name("life")
    e.do("run", "-dit", "--name", name, BOX, "sh", "-c", SIZES)
    terminal = Terminal(e.words("attach", name), 22, 88)
    terminal.resize(23, 77)
    seen = [terminal.read("23 77")]
    terminal.type("some words\n")
    seen.append(terminal.read("got some words"))
    return f"{seen}, status {terminal.end()}\n" + gone(e, "life")


def left_alone(e):
    """The keys that leave a container to itself."""
    name = e.name("life")
    terminal = Terminal(e.words("run", "-it", "--name", name, "--detach-keys", "ctrl-x,x", BOX, "sh", "-c", "echo ready; sleep 1000"), 24, 80)
    seen = terminal.read("ready")
    terminal.type("\x18")
    time.sleep(0.5)
    terminal.type("x")
    return f"{seen}, status {terminal.end()}\n{state(e)}\n" + gone(e, "life")


def attached(e):
    name = e.name("life")
    e.do("run", "-di", "--name", name, BOX, "sh", "-c", "while read line; do echo out $line; test $line = end && exit 4; done")
    text = e.do("attach", name, input="one\nend\n")
    return text + "\n" + gone(e, "life")


def attached_streams(e):
    return "\n".join(e.do("run", "--rm", "-a", stream, BOX, "sh", "-c", "echo out; echo err >&2; exit 2") for stream in ("stdout", "stderr"))


def interrupted(e):
    """Ctrl-C on the terminal of a container is the container's affair."""
    terminal = Terminal(e.words("run", "--rm", "-it", BOX, "sh", "-c", "trap 'echo int; exit 5' INT; echo ready; while :; do sleep 0.1; done"), 24, 80)
    seen = [terminal.read("ready")]
    terminal.type("\x03")
    return f"{seen + [terminal.read('int')]}, status {terminal.end()}"


def passed_on(e):
    """Podman's own signals are the container's; its status is then podman run's."""
    name = e.name("life")
    process = subprocess.Popen(e.words("run", "--name", name, BOX, "sh", "-c", LISTENS), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_for(lambda: "ready" in logs(e, "life"))
    process.send_signal(1)
    wait_for(lambda: "hup" in logs(e, "life"))
    process.send_signal(15)
    out = process.communicate(timeout=60)[0].decode()
    return f"{process.returncode}: {out}" + gone(e, "life")


ATTACH = [
    Case("run -it with a size that changes", lambda e: resized(e, "run", "--rm", "-it", BOX), r"^\[True, True, True\], status 9$", clean=True),
    with_box("exec -it with a size that changes", r"\[True, True, True\], status 9", lambda e, name: resized(e, "exec", "-it", name)),
    Case("attach to a terminal", attached_terminal, r"^\[True, True\], status [09]"),
    Case("the keys to leave it", left_alone, r"^True, status 0 [|] 0: [|] running 0"),
    Case("attach with input", attached, "^[04]: [|] out one [|] out end"),
    Case("--attach of one stream", attached_streams, "^2: [|] out [|] 2: [|] stderr err$"),
    Case("ctrl-c on its terminal", interrupted, r"^\[True, True\], status 5$", clean=True),
    Case("signals that podman run gets", passed_on, "^3: ready [|] hup [|] term"),
    Case("kills itself", lambda e: e.box("--init", BOX, "sh", "-c", "kill -9 $$"), "^137:$"),
    Case("ends by a signal", lambda e: e.box("--init", BOX, "sh", "-c", "kill -USR1 $$"), "^138:$"),
    Case("--timeout", lambda e: e.box("--timeout", "1", "--init", BOX, "sleep", "1000"), "^(137|255):", clean=True),
    Case("what Podman refuses", lambda e: e.box("--no-such-flag", BOX, "true") + "\n" + e.box("localhost/not-there", "--pull=never", "true"), "^125: .*125: "),
    Case("a command that is a folder", lambda e: e.box(BOX, "/etc"), "^126: ", clean=True),
    Case("a command without its interpreter", lambda e: e.box(BOX, "sh", "-c", "echo '#!/no/such' > /x; chmod +x /x; /x"), "^127: "),
    Case("an empty command", lambda e: e.box(BOX, ""), "^12[67]: ", clean=True),
]

# --- logs, copies, names ---------------------------------------------------------------------------------------------


def log_of(driver, *words):
    def run(e):
        if driver == "journald" and not os.path.exists("/run/systemd/journal/socket"):
            raise Skip("no journal runs here")
        name = e.name("life")
        e.do("run", "-d", "--name", name, "--log-driver", driver, *words, BOX, "sh", "-c", "echo one; sleep 0.5; echo two >&2; sleep 0.5; printf three; exit 2")
        e.do("wait", name)
        if driver == "none":
            return e.do("logs", name) + "\n" + gone(e, "life")
        wait_for(lambda: "three" in logs(e, "life"), 10)
        stamped = sh(*e.words("logs", "-t", name))[1]
        return "\n".join([e.do("logs", name), e.do("logs", "--tail", "1", name), e.do("logs", "-f", name),
            f"times {len(re.findall('(?m)^20..-..-..T', stamped))}", gone(e, "life")])
    return run


def followed(e, name):
    """The reader of a log ends with the container; whether it still gets the last words is chance, with either runtime."""
    process = subprocess.Popen(e.words("logs", "-f", name), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    e.do("stop", "-t", "60", name)
    return process.communicate(timeout=60)[0].decode().replace("term\n", "")


def copied(e, name):
    folder = f"{WORK}/copied-{e.tag}"
    write(folder + "/file", "from the host\n")
    out = f"{WORK}/copied-out-{e.tag}"
    sh("rm", "-rf", out)
    text = [e.do("cp", folder + "/file", name + ":/tmp/file"), e.do("exec", name, "cat", "/tmp/file"), e.do("cp", folder, name + ":/tmp/folder"), e.do("exec",
        name, "ls", "/tmp/folder"),
            e.do("exec", name, "sh", "-c", "mkdir /tmp/out; echo inside > /tmp/out/x"), e.do("cp", name + ":/tmp/out", out), sh("cat", out + "/x")[1],
            e.do("cp", name + ":/none", out),
            e.do("stop", "-t", "0", name), e.do("cp", name + ":/tmp/file", "-")[:6], e.do("cp", folder + "/file", name + ":/tmp/later")]
    return "\n".join(text)


def changed(e, name):
    """diff, commit and a container of what was committed, export."""
    image = "localhost/made-" + e.tag
    e.do("exec", name, "sh", "-c", "echo new > /new; rm /bin/plainfile; chmod 700 /v")
    text = ["\n".join(sorted(e.do("diff", name).splitlines())), re.sub("sha256:", "", e.do("commit", "-q", "-c", "ENV=MADE=yes", "-c", "USER=user", name,
        image))]
    text += [e.do("run", "--rm", image, "sh", "-c", "cat /new; echo $MADE; id -u"), e.do("rmi", image).splitlines()[0]]
    status, out, _ = sh("sh", "-c", " ".join(e.words("export", name)) + " | busybox tar -t | grep -c -x new")
    return "\n".join(text + [f"exported {status} {out.strip()}"])


def renamed(e, name):
    return "\n".join([e.do("rename", name, e.name("other")), e.inspect("other", "{{.Name}} {{.State.Status}}"), e.do("exec", e.name("other"), "echo", "still"),
                      e.do("rename", e.name("other"), name), e.do("rename", name, "-bad name")])


def waited(e):
    name = e.name("life")
    e.do("run", "-d", "--name", name, BOX, "sh", "-c", "sleep 1; exit 6")
    return "\n".join([e.do("wait", name), e.do("wait", name), e.do("wait", "--condition", "exited", name), e.do("wait", e.name("none")), gone(e, "life")])


def waited_for_running(e, name):
    return e.do("wait", "--condition", "running", name)


def events(e):
    name = e.name("told")
    running(e, "told")
    e.do("exec", name, "true")
    e.do("pause", name), e.do("unpause", name)
    e.do("stop", "-t", "60", name)
    e.do("start", name)
    e.do("kill", name)
    e.do("wait", name)
    gone(e, "told")
    told = e.do("events", "--stream=false", "--since", "10m", "--filter", "container=" + name, "--format", "{{.Status}}")
    # Of a stop Podman tells only if its own cleanup has not looked at the container before, and two of its processes may
    # tell of the same end: matters of chance with either runtime.
    return re.sub(r"\b(\w+)( \1)+\b", r"\1", told.replace("\n", " ").replace(" stop ", " "))


def topped(e, name):
    return "\n".join([e.do("top", name, "pid", "ppid", "user", "group", "comm", "seccomp", "capeff"), e.do("top", name, "hpid").split("\n")[1]])


def counted(e, name):
    status, out, err = sh(*e.words("stats", "--no-stream", "--format", "json", name))
    return f"{status} {sorted(re.findall(chr(34) + '([a-z_]+)' + chr(34) + ':', out))}"


def inspected(e, name):
    """What inspect says of the state, and of the files of the container."""
    told = e.inspect("life",
        "{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.OOMKilled}} {{.State.Dead}} {{.State.ExitCode}} [{{.State.Error}}] {{.OCIRuntime}} "
                     "{{.HostConfig.Privileged}} {{.HostConfig.CgroupMode}} {{.EffectiveCaps}} {{.BoundingCaps}} {{.RestartCount}} {{.Driver}} {{len .Mounts}} {{.IsInfra}}")
    return told + "\n" + str(os.path.exists(sh(*e.words("inspect", "--format", "{{.ConmonPidFile}}", name))[1].strip()))


def informed(e):
    """The lines of --version, which Podman passes on."""
    status, out, err = sh(*e.words("info", "--format", "{{.Host.OCIRuntime.Name}}|{{.Host.OCIRuntime.Path}}|{{.Host.OCIRuntime.Version}}"))
    name, path, version = out.split("|", 2)
    return f"{status}: named {name in (e.runtime, e.tag)}, path {path == e.runtime}, version {bool(re.match(e.tag + r' version [0-9]+[.]', version))}, spec {'spec: ' in version}"


FILES_OF_IT = [Case(f"logs, {driver} {' '.join(words)}".strip(), log_of(driver, *words), expected) for driver, words, expected in (
    ("k8s-file", (), "one .*three.*times [23]"), ("k8s-file", ("--log-opt", "max-size=10k"), "three"), ("journald", (), "one .*three"), ("none", (),
        "^12[56]: "))]
FILES_OF_IT += [
    with_box("logs -f ends with it", "ready", followed),
    with_box("cp", "from the host.*inside", copied),
    with_box("diff, commit, export", "C /bin.*new [|] yes [|] 1000.*exported 0 1", changed, clean=True),
    with_box("rename", "other running.*still", renamed),
    Case("wait", waited, "^0: [|] 6 [|] 0: [|] 6 [|] 0: [|] 6 [|] 125:"),
    with_box("wait --condition running", "0: [|] ", waited_for_running),
    Case("events", events, "create init start attach|create init start"),
    with_box("top, columns", "root", topped, command=("sleep", "1000")),
    with_box("stats, as JSON", "cpu_percent", counted),
    with_box("inspect", "running true false false false 0", inspected),
    Case("info", informed, "^0: .*path True, version True, spec True$"),
]
