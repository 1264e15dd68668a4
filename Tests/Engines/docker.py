"""Docker as the cases call it: daemons of these tests' own, one or two side by side, and what its words mean."""

import json
import os
import re
import signal
import subprocess
import time

from bench import PROJECT, RUNBOX, RUNC, WORK, make_image_tree, must, sh, write

BOX = "box"
# Its own folder on a disk: an overlay's upper folder must lie there.
DATA = os.environ.get("TMPDIR", "/var/tmp") + "/docker"
KILLER = WORK + "/killer/runbox"


class Daemon:
    """A dockerd with its own daemon.json, folders and socket. `runtime`: the default one; `shipped` is read as config/docker has it."""

    def __init__(self, tag, runtime="runc", **settings):
        self.tag, self.folder = tag, f"{WORK}/dockerd-{tag}"
        self.exec_root, self.data = f"/run/docker-{tag}", f"{DATA}/{tag}"
        self.socket = f"/run/docker-{tag}.sock"
        self.host = "unix://" + self.socket
        self.process = None
        with open(PROJECT + "/config/docker/daemon.json") as file:
            whole = json.loads(file.read().replace("/usr/local/bin/runbox", RUNBOX))
        whole["runtimes"]["killer"] = {"path": KILLER}
        whole |= {"data-root": self.data, "exec-root": self.exec_root, "pidfile": self.folder + "/pid", "hosts": [self.host], "default-runtime": runtime,
                  "experimental": True, "init-path": "/usr/bin/tini-static"} | settings
        self.runtime = runtime
        write(self.folder + "/daemon.json", json.dumps(whole, indent=1))

    def begin(self):
        # BuildKit calls what this variable names, and where it knows no variable the first runc on the PATH.
        program = RUNBOX if self.runtime == "runbox" else RUNC
        os.makedirs(self.folder + "/bin", exist_ok=True)
        os.path.lexists(self.folder + "/bin/runc") or os.symlink(program, self.folder + "/bin/runc")
        environment = dict(os.environ, DOCKER_BUILDKIT_RUNC_COMMAND=program, PATH=f"{self.folder}/bin:{os.environ['PATH']}")
        with open(self.folder + "/log", "a") as log:
            self.process = subprocess.Popen(["dockerd", "--config-file", self.folder + "/daemon.json"], env=environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def ready(self):
        end = time.monotonic() + 120
        while sh("docker", "-H", self.host, "version")[0] != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.folder + "/log") as log:
                    raise RuntimeError(f"engines: dockerd {self.tag} does not answer:\n" + log.read()[-2000:])
            time.sleep(0.2)
        return self

    def end(self, number=signal.SIGTERM):
        with open(self.exec_root + "/containerd/containerd.pid") as file:
            containerd = int(file.read())
        self.process.send_signal(number)
        self.process.wait()
        # Where these tests are process 1, the killed daemon's containerd is theirs to bury; the next daemon would
        # believe it alive.
        if os.getpid() == 1 and number == signal.SIGKILL:
            os.waitpid(containerd, 0)

    def again(self, number=signal.SIGTERM):
        self.end(number)
        # Killed, it leaves its file of the process id and a containerd that it finds again.
        self.begin()
        self.ready()


class Docker:
    """One daemon and one runtime. Where it is the daemon's default no flag names it."""

    def __init__(self, daemon, runtime, tag, flag=True):
        self.daemon, self.runtime, self.tag, self.flag = daemon, runtime, tag, flag
        self.client = ["docker", "-H", daemon.host]

    def name(self, word):
        return f"{word}-{self.tag}"

    def words(self, *words):
        if words[0] in ("run", "create") and self.flag:
            words = (words[0], "--runtime", self.tag) + words[1:]
        return self.client + list(words)

    def do(self, *words, input=None):
        return self.told(*sh(*self.words(*words), input=input))

    def box(self, *words, input=None):
        """A container from start to end."""
        return self.do("run", "--rm", "--network", "none", *words, input=input)

    def long(self, name, *words, command=("sleep", "1000")):
        """A detached container that stays."""
        return self.do("run", "-d", "--network", "none", "--name", self.name(name), *words, BOX, *command)

    def exec(self, name, *words, flags=(), input=None):
        return self.do("exec", *flags, self.name(name), *words, input=input)

    def inspect(self, name, what):
        return sh(*self.words("inspect", "--format", what, self.name(name)))[1].strip()

    def drop(self, *names):
        return self.do("rm", "-f", *map(self.name, names))

    def wait(self, name, what, value, seconds=60):
        """Polls until inspect says so; the last answer."""
        end = time.monotonic() + seconds
        while True:
            found = self.inspect(name, what)
            if re.fullmatch(value, found) or time.monotonic() > end:
                return found
            time.sleep(0.2)

    def until(self, name, text, seconds=60):
        """Polls until the container's log holds the text."""
        end = time.monotonic() + seconds
        while True:
            out = sh(*self.words("logs", self.name(name)))
            if text in out[1] + out[2] or time.monotonic() > end:
                return out[1]
            time.sleep(0.1)

    def pid(self, name):
        return self.inspect(name, "{{.State.Pid}}")

    def told(self, status, out, err):
        # The words of an exec that fails come on its output.
        lines = [f"{status}:"] + [spoken(line) if line.startswith("OCI runtime") else line for line in out.splitlines()]
        return "\n".join(lines + [line for line in map(spoken, err.splitlines()) if line])


CLASSES = ("executable file not found in $PATH", "no such file or directory", "not a directory", "permission denied", "exec format error",
           "operation not permitted", "invalid argument", "cannot be checkpointed")


def spoken(line):
    """A line of the client's errors: of a runtime's own sentence the program and those words that engines and users go by."""
    if re.match(r'time="|failed to resize|See .docker|Run .docker|WARNING: |DEPRECATED|Install the buildx|BuildKit is|\s+environment-variable|\s+Install|$',
        line):
        return None
    found = re.search(r"(.*?OCI runtime \w+ failed):? ?(.*)", line)
    if not found:
        return "stderr " + line
    where, rest = found.groups()
    program = re.search(r'exec: "[^"]*"', rest)
    # A directory as the program: some versions of runc say what it is, and others what follows.
    rest = rest.replace("is a directory: permission denied", "permission denied").replace("is a directory", "permission denied")
    kinds = [kind for kind in CLASSES if kind in rest]
    hint = re.search(r"Are you trying to mount.*", rest)
    return " ".join(["error", where] + ([program[0]] if program else []) + kinds + ([hint[0]] if hint else []))


# --- pairs -----------------------------------------------------------------------------------------------------------


def settle_machine():
    """What Docker wants of a machine and what these tests make of it."""
    os.makedirs(DATA, exist_ok=True)
    os.environ["DOCKER_CONFIG"] = WORK + "/docker-client"
    os.environ["DOCKER_CLI_HINTS"] = "false"
    os.makedirs(WORK + "/docker-client", exist_ok=True)
    os.path.exists(KILLER) or write(KILLER, f'#!/bin/sh\nexec {RUNBOX} "$@"\n', 0o755)
    make_image_tree()
    tree = WORK + "/tree"
    write(tree + "/etc/group", "root:x:0:\nuser:x:1000:\nextra:x:2000:user\nmore:x:3000:\n")
    write(tree + "/bin/lost", "#!/bin/interpreter-that-is-not-there\n", 0o755)
    write(tree + "/bin/text", "echo shells run this\n", 0o755)
    write(tree + "/data/file", "from the image\n")
    must("busybox", "tar", "-C", tree, "-cf", WORK + "/docker.tar", ".")


def load(daemons):
    for daemon in daemons:
        must("docker", "-H", daemon.host, "import", "-c", "ENV PATH=/bin", "-c", 'CMD ["sh"]', WORK + "/docker.tar", BOX)


def end_all(daemons):
    def end():
        for daemon in daemons:
            ids = sh("docker", "-H", daemon.host, "ps", "-aq")[1].split()
            if ids:
                sh("docker", "-H", daemon.host, "rm", "-f", *ids)
            daemon.end()
    return end


def settle(**settings):
    """One daemon for both runtimes, which `--runtime` chooses. Returns the daemon and what ends it."""
    settle_machine()
    daemon = Daemon("one", **settings)
    daemon.begin()
    load([daemon.ready()])
    return daemon, end_all([daemon])


def pair(daemon):
    return [Docker(daemon, RUNBOX, "runbox"), Docker(daemon, RUNC, "runc")]


def settle_two(word, **settings):
    """Two daemons side by side, each with its own default runtime, without a bridge that both would want. Returns the pair and what ends it."""
    settle_machine()
    daemons = [Daemon(f"{word}-{tag}", tag, bridge="none", iptables=False, **settings) for tag in ("runbox", "runc")]
    for daemon in daemons:
        daemon.begin()
    load([daemon.ready() for daemon in daemons])
    engines = [Docker(daemon, {"runbox": RUNBOX, "runc": RUNC}[daemon.runtime], daemon.runtime, flag=False) for daemon in daemons]
    return engines, end_all(daemons)
