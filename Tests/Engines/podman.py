"""The cases of Podman: what it must make of a container, whatever runtime it calls."""

import os
import re

from bench import PROJECT, ROOT, RUNBOX, RUNC, RUNTIME_DIR, WORK, Case, Skip, make_image_tree, must, on_terminal, sh, which, write

BOX = "localhost/box"


def settle():
    """Podman's own settings, below the folder of these tests. The file of config/ is read as it would be installed."""
    with open(PROJECT + "/config/containers.conf.d/runbox.conf") as file:
        shipped = file.read().replace("/usr/local/bin/runbox", RUNBOX)
    ours = 'events_logger = "file"\nimage_copy_tmp_dir = "storage"\n'
    # A limit of processes is Podman's habit, which a host without that controller cannot keep.
    limit = "" if "pids" in controllers() else "pids_limit = 0\n"
    # Newer versions raise the limits of every container to what the kernel has, which not every machine allows.
    if ROOT and not may_raise_limits():
        limit += 'default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
    write(WORK + "/containers.conf",
          shipped.replace("[engine]\n", "[engine]\n" + ours, 1) + f'[containers]\nlog_driver = "k8s-file"\nnetns = "none"\n{limit}')
    driver = "overlay" if ROOT else "vfs"
    write(WORK + "/storage.conf",
          f'[storage]\ndriver = "{driver}"\ngraphroot = "{WORK}/graph"\nrunroot = "{RUNTIME_DIR}/containers-engines"\n')
    write(WORK + "/policy.json", '{"default": [{"type": "insecureAcceptAnything"}]}')
    os.environ["CONTAINERS_CONF"] = WORK + "/containers.conf"
    os.environ["CONTAINERS_STORAGE_CONF"] = WORK + "/storage.conf"
    archive = make_image_tree()
    must("podman", "import", archive, BOX)
    # The image for a pod's first container is made at first use, and two at once would be in each other's way.
    for word in ("create", "rm"):
        sh("podman", "--cgroup-manager", "cgroupfs", "--runtime", RUNC, "pod", word, *(["--name", "warm"] if word == "create" else ["-f", "warm"]))


def may_raise_limits():
    with open("/proc/self/status") as file:
        return bool(int(re.search(r"CapEff:\s*(\w+)", file.read())[1], 16) >> 24 & 1)  # CAP_SYS_RESOURCE


def controllers():
    """Those that a container can have here."""
    with open("/proc/self/cgroup") as file:
        own = file.read().strip().rsplit("::", 1)[1]
    # As root, engines begin at the top of the hierarchy.
    with open(f"/sys/fs/cgroup{'' if ROOT else own}/cgroup.controllers") as file:
        return file.read().split()


def need(controller):
    if controller not in controllers():
        raise Skip(f"this host has no controller {controller}")


def version():
    return tuple(int(part) for part in re.search(r"(\d+)\.(\d+)", sh("podman", "--version")[1]).groups())


def since(*least):
    if version() < least:
        raise Skip(f"Podman {'.'.join(map(str, version()))} cannot do that yet")


REASONS = ["no such file or directory", "permission denied", "not a directory", "is a directory", "invalid argument", "operation not permitted", "not found"]


def class_of(line):
    """What Podman makes of an error: the class at the end of its words, or that it knows none, with the kernel's reason, which runtimes word alike."""
    if ": OCI runtime error: " not in line and not line.startswith("Error: OCI runtime error: "):
        return line.rsplit(": ", 1)[1]
    return " ".join(["OCI runtime error"] + [reason for reason in REASONS if reason in line.lower()])


class Podman:
    def __init__(self, manager, runtime, tag):
        self.manager, self.runtime, self.tag = manager, runtime, tag
        self.globals = ["podman", "--cgroup-manager", manager, "--runtime", runtime]

    def name(self, word):
        return f"{word}-{self.tag}"

    def words(self, *words):
        return self.globals + list(words)

    def do(self, *words, input=None):
        """Status, output and the class of an error, in which engines and users find what went wrong."""
        status, out, err = sh(*self.words(*words), input=input)
        return self.told(status, out, err)

    def terminal(self, *words):
        return on_terminal(*self.words(*words))

    def told(self, status, out, err):
        errors, rest = [], []
        for line in err.splitlines():
            if line.startswith("Error:"):
                errors.append(class_of(line))
            # Of a `kill` that comes too late runc's words are a line of its log, runbox's the line alone.
            elif not line.startswith("time=") and not line.startswith(("container not running", "failed to connect to syslog")):
                rest.append("stderr " + line)
        return "\n".join([f"{status}:"] + out.splitlines() + rest + ["error " + word for word in errors])

    def box(self, *words, input=None):
        """A container from start to end."""
        return self.do("run", "--rm", *words, input=input)

    def inspect(self, name, what):
        return self.do("inspect", "--type", "container", "--format", what, self.name(name))

    def pid(self, name):
        return sh(*self.words("inspect", "--format", "{{.State.Pid}}", self.name(name)))[1].strip()


# --- one container, several commands ---------------------------------------------------------------------------------

LONG = "trap 'echo usr1' USR1; trap 'echo term; exit 3' TERM; echo started; sleep 100000 & while :; do wait $!; done"
# Of a terminal whose container ends at once Podman loses the last words now and then, with either runtime.
SHOWN = "tty; sleep 1; exit 2"
LIMITS = "cd /sys/fs/cgroup; cat memory.max pids.max cpu.max memory.swap.max memory.low; exit 5"


def detached(e):
    return e.do("run", "-d", "--name", e.name("long"), "--memory", "64m", "--memory-swap", "64m", "--memory-reservation", "32m", "--pids-limit", "30",
                "--cpus", "0.5", BOX, "sh", "-c", LONG)


def status(e):
    told = e.do("ps", "-a", "--filter", "name=" + e.name("long"), "--format", "{{.Names}} {{.Status}}")
    return re.sub(r"Up .*", "Up", told)


def paused(e):
    first = e.do("pause", e.name("long"))
    frozen = e.inspect("long", "{{.State.Status}}")
    return "\n".join([first, frozen, e.do("unpause", e.name("long")), e.inspect("long", "{{.State.Status}}")])


def signalled(e):
    first = e.do("kill", "--signal", "USR1", e.name("long"))
    sh("sleep", "2")
    return first + "\n" + e.do("logs", e.name("long"))


def stopped(e):
    first = e.do("stop", "-t", "60", e.name("long"))
    return first + "\n" + e.inspect("long", "{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}")


def started_again(e):
    first = e.do("start", e.name("long"))
    return first + "\n" + e.inspect("long", "{{.State.Status}}")


def removed(e):
    return e.do("rm", "-f", "-t", "0", e.name("long")) + "\n" + e.do("ps", "-aq", "--filter", "name=" + e.name("long"))


def cgroup_of(e):
    """Where the manager puts it."""
    with open(f"/proc/{e.pid('long')}/cgroup") as file:
        path = file.read().strip()
    return re.sub(r"user(@|-)\d+", "user", path)


# --- whole containers ------------------------------------------------------------------------------------------------

# Below /proc and /sys only whether a mount is read-only: what lies over masked paths is the runtime's affair.
LOOK = """id; pwd; hostname; cat /v/file; touch /v/made && echo made; touch /x; cat /proc/self/status | grep -E '^(Cap|NoNew|Seccomp:|Umask|Groups)'
cat /proc/self/mountinfo | while read a b c d e f g; do case $e in /proc/*|/sys/*) f=${f%%,*};; esac; echo "$e $f"; done | sort; ls -l /dev | while read a b c d e f; do echo "$a $c $d"; done | sort
ls /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; cat /proc/sys/net/ipv4/ping_group_range; head -3 /proc/self/limits; echo $HOME $TERM $container"""


def flags(e):
    folder = f"{WORK}/volume-podman-{e.tag}"
    write(folder + "/file", "from the host\n")
    os.chmod(folder, 0o777)
    return e.box("--read-only", "--user", "1000:1000", "-v", folder + ":/v", "--tmpfs", "/t:size=1m,mode=1777", "-w", "/v", "--hostname", "inner",
                 "--cap-add", "NET_ADMIN", "--cap-drop", "CHOWN", "--oom-score-adj", "100", "--ulimit", "nofile=77:99", "-e", "A=b", BOX, "sh", "-c", LOOK)


def killed_by_stop(e):
    name = e.name("deaf")
    e.do("run", "-d", "--name", name, BOX, "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    first = e.do("stop", "-t", "1", name)
    return "\n".join([first, e.inspect("deaf", "{{.State.Status}} {{.State.ExitCode}}"), e.do("rm", name)])


def out_of_memory(e):
    name = e.name("oom")
    first = e.do("run", "--name", name, "--memory", "16m", "--memory-swap", "16m", BOX, "tail", "/dev/zero")
    return "\n".join([first, e.inspect("oom", "{{.State.OOMKilled}} {{.State.ExitCode}}"), e.do("rm", name)])


def healthy(e):
    name = e.name("health")
    e.do("run", "-d", "--name", name, "--health-cmd", "test -e /run/fine", "--health-interval", "disable", BOX, "sleep", "1000")
    ill = e.do("healthcheck", "run", name)
    e.do("exec", name, "touch", "/run/fine")
    return "\n".join([ill, e.do("healthcheck", "run", name), e.do("rm", "-f", "-t", "0", name)])


def pod(e):
    name = e.name("pod")
    made = e.do("pod", "create", "--name", name, "--network", "none", "--share", "net,ipc,uts,pid")
    first = e.do("run", "-d", "--pod", name, "--name", e.name("one"), BOX, "sleep", "1000")
    look = "cd /proc/self/ns; for n in net ipc uts pid; do readlink $n; done"
    namespaces = [sh(*e.words("exec", e.name("one"), "sh", "-c", look))[1], e.do("run", "--rm", "--pod", name, BOX, "sh", "-c", look)]
    shared = [kind for kind in ("net", "ipc", "uts", "pid") if all(re.search(kind + r":\[\d+\]", text) for text in namespaces)
              and re.search(kind + r":\[\d+\]", namespaces[0])[0] in namespaces[1]]
    return "\n".join([made, first, "shared " + " ".join(shared), e.do("pod", "rm", "-f", "-t", "0", name)])


def restarted(e):
    name = e.name("again")
    first = e.do("run", "--name", name, "--restart", "on-failure:1", BOX, "sh", "-c", "echo once; exit 3")
    sh("sleep", "3")
    return "\n".join([first, e.inspect("again", "{{.State.ExitCode}} {{.RestartCount}}"), e.do("rm", "-f", "-t", "0", name)])


def two_starts(e):
    name = e.name("made")
    made = e.do("create", "--name", name, BOX, "sh", "-c", "echo run; exit 4")
    return "\n".join([made, e.do("start", "-a", name), e.do("start", "-a", name), e.do("rm", name)])


FIRST = [
    Case("both streams and the status", lambda e: e.box(BOX, "sh", "-c", "echo out; echo err >&2"), "^0: [|] out [|] stderr err$"),
    Case("exit status", lambda e: e.box(BOX, "sh", "-c", "exit 7"), "^7:$"),
    Case("a command that is not there", lambda e: e.box(BOX, "nothere"), "^127: [|] error OCI runtime attempted to invoke a command that was not found$"),
    Case("a path that is not there", lambda e: e.box(BOX, "/bin/nothere"), "^127: [|] error OCI runtime attempted to invoke a command that was not found$"),
    Case("no program", lambda e: e.box(BOX, "/bin/plainfile"), "^126: [|] error OCI permission denied$", clean=True),
    Case("a working directory that is a file", lambda e: e.box("-w", "/etc/passwd", BOX, "true"), "^12[67]: ", clean=True),
]

LIFE = [
    Case("detached, with limits", detached, "^0: [|] ID$"),
    Case("its cgroup", cgroup_of, "^0::/.*ID"),
    Case("limits, and the status of exec", lambda e: e.do("exec", e.name("long"), "sh", "-c", LIMITS),
         r"^5: [|] 67108864 [|] 30 [|] 50000 100000 [|] 0 [|] 33554432$"),
    Case("exec with a terminal", lambda e: e.terminal("exec", "-it", e.name("long"), "sh", "-c", "tty; exit 6"), "^6: [|] /dev/pts/0$"),
    Case("exec as a user, with input", lambda e: e.do("exec", "-i", "-u", "user", "-w", "/tmp", e.name("long"), "sh", "-c", "id; pwd; cat", input="in\n"),
         "^0: [|] uid=1000.* [|] /tmp [|] in$"),
    Case("exec of what is not there", lambda e: e.do("exec", e.name("long"), "nothere"), "^127: .*was not found$"),
    Case("exec of no program", lambda e: e.do("exec", e.name("long"), "/bin/plainfile"), "^126: .*permission denied$"),
    Case("ps", status, "^0: [|] long Up$"),
    Case("top", lambda e: e.do("top", e.name("long"), "user", "args"), "^0: .*root.*sleep"),
    Case("stats", lambda e: e.do("stats", "--no-stream", "--format", "{{.Name}} {{slice .MemUsage 0 0}}{{.PIDs}}", e.name("long")), "^0: [|] long [1-9]$"),
    Case("pause and unpause", paused, "^0: .*paused.*running$"),
    Case("kill with a signal, and logs", signalled, "started [|] usr1$"),
    Case("stop", stopped, "^0: .*exited 3 false$"),
    Case("start again", started_again, "^0: .*running$"),
    Case("rm --force", removed, "^0: .*0:$", clean=True),
    # Before its version 5 Podman reports no container as killed for want of memory, whatever the runtime.
    Case("out of memory", out_of_memory, "^137: [|] 0: [|] (true|false) 137 ", clean=True),
]



def without_cgroup(e):
    """Podman asks its configuration which runtimes can do that; runc is none of them, and crun stands in."""
    runtime = e.runtime if e.tag == "runbox" else which("crun")
    status, out, err = sh("podman", "--cgroup-manager", e.manager, "--runtime", runtime, "run", "--rm", "--cgroups=disabled", BOX, "sh", "-c",
        "echo it runs; exit 3")
    return e.told(status, out, err)


FURTHER = [
    Case("--cgroups=disabled", without_cgroup, "^3: [|] it runs$", clean=True),
    Case("a read-only image, a user, a volume, a tmpfs, capabilities, limits", flags, "inner.*from the host.*made.*CapEff"),
    Case("input", lambda e: e.box("-i", BOX, "cat", input="through\n"), "^0: [|] through$"),
    Case("a terminal", lambda e: e.terminal("run", "--rm", "-it", BOX, "sh", "-c", SHOWN), "^2: [|] /dev/pts/0"),
    Case("--init", lambda e: e.box("--init", BOX, "sh", "-c", "cat /proc/1/comm; exit 4"), "^4: [|] (catatonit|podman-init)$"),
    Case("--network host", lambda e: e.box("--network", "host", BOX, "ls", "/sys/class/net"), "^0: .*lo"),
    Case("--privileged", lambda e: e.box("--privileged", BOX, "sh", "-c", LOOK.replace("cat /v/file; touch /v/made && echo made; ", "")), "CapEff"),
    Case("--pid host --ipc host --uts host", lambda e: e.box("--pid", "host", "--ipc", "host", "--uts", "host", BOX, "sh", "-c",
         "hostname; test $$ != 1 && echo fine"), "fine$", clean=True),
    Case("create, start, start again", two_starts, "^0: .*4: [|] run [|] 4: [|] run [|] 0:", clean=True),
    Case("stop of one that does not listen", killed_by_stop, "exited 137", clean=True),
    Case("health", healthy, "^1: .*0:", clean=True),
    Case("--restart on-failure", restarted, "3 1", clean=True),
]

# With the manager cgroupfs Podman 4.3 forbids all devices to the cgroup of a pod, and neither runc nor crun can start
# its first container.
PODS = [Case("a pod of two", pod, "shared net ipc uts pid", clean=True)]

OWN_IDS = [
    Case("--uidmap", lambda e: e.box("--uidmap", "0:100000:5000", "--gidmap", "0:100000:5000", BOX, "sh", "-c",
         "cat /proc/self/uid_map; id; touch /made; stat -c %u /made /bin/busybox"), "^0: [|] 0 +100000 +5000 [|] uid=0.* 0 [|] 0$", clean=True),
]


def named():
    """The executable by the name that Podman's settings know; what they say of a runtime they say of its name."""
    if os.path.basename(RUNBOX) == "runbox":
        return RUNBOX
    link = WORK + "/bin/runbox"
    os.makedirs(WORK + "/bin", exist_ok=True)
    if not os.path.lexists(link):
        os.symlink(RUNBOX, link)
    return link


def at_top():
    """Whether systemd is at the top of the cgroups, where Podman looks for what it has made."""
    with open("/proc/1/cgroup") as file:
        return "0::/init.scope" in file.read()


def pair(manager):
    return [Podman(manager, named(), "runbox"), Podman(manager, RUNC, "runc")]
