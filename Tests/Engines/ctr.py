"""The cases of containerd, asked by ctr: its shim io.containerd.runc.v2 calls the runtime in runc's words."""

import hashlib
import os
import subprocess
import threading
import time

from bench import RUNBOX, RUNC, WORK, Case, Skip, make_image_tree, must, on_terminal, sh, write
from podman import LONG, LOOK

BOX = "local/box:1"
# One whose configuration names a user, a directory and more.
USER = "local/user:1"
EVENTS = WORK + "/events"


def has_controller(name):
    with open("/sys/fs/cgroup/cgroup.controllers") as file:
        return name in file.read().split()


def need(*controllers):
    for name in controllers:
        if not has_controller(name):
            raise Skip(f"the host gives no controller {name}")


def archive(images):
    """An OCI archive, by hand: one layer, and a configuration and a manifest for each image; `images` has their names and what stands in their `config`."""
    layer, folder = make_image_tree(), WORK + "/oci"

    def blob(data):
        name = hashlib.sha256(data).hexdigest()
        os.makedirs(folder + "/blobs/sha256", exist_ok=True)
        with open(f"{folder}/blobs/sha256/{name}", "wb") as file:
            file.write(data)
        return f'"digest": "sha256:{name}", "size": {len(data)}', name

    with open(layer, "rb") as file:
        layer_text, layer_name = blob(file.read())
    kind, listed = "application/vnd.oci.image", []
    for image, settings in images.items():
        config = (f'{{"architecture": "amd64", "os": "linux", "config": {{{settings}}}, '
                  f'"rootfs": {{"type": "layers", "diff_ids": ["sha256:{layer_name}"]}}}}')
        manifest = (f'{{"schemaVersion": 2, "config": {{"mediaType": "{kind}.config.v1+json", {blob(config.encode())[0]}}}, '
                    f'"layers": [{{"mediaType": "{kind}.layer.v1.tar", {layer_text}}}]}}')
        listed.append(f'{{"mediaType": "{kind}.manifest.v1+json", {blob(manifest.encode())[0]}, "platform": {{"architecture": "amd64", "os": "linux"}}, '
                      f'"annotations": {{"io.containerd.image.name": "{image}"}}}}')
    write(folder + "/oci-layout", '{"imageLayoutVersion": "1.0.0"}')
    write(folder + "/index.json", f'{{"schemaVersion": 2, "manifests": [{", ".join(listed)}]}}')
    must("busybox", "tar", "-C", folder, "-cf", WORK + "/box.oci.tar", ".")
    return WORK + "/box.oci.tar"


def daemon(settings, name):
    """A containerd of these tests' own. Returns the process when it answers."""
    log = open(f"{WORK}/{name}", "a")
    process = subprocess.Popen(["containerd", "-c", settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    for _ in range(240):
        if sh("ctr", "version")[0] == 0:
            break
        time.sleep(0.25)
    return process


def settle():
    """A containerd, and its events in a file. Returns what ends both."""
    write(WORK + "/containerd.toml",
          f'version = 2\nroot = "{WORK}/containerd"\nstate = "/run/containerd"\ndisabled_plugins = ["io.containerd.grpc.v1.cri", '
          '"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", '
          '"io.containerd.snapshotter.v1.aufs"]\n[timeouts]\n"io.containerd.timeout.shim.load" = "60s"\n')
    Server.process = daemon(WORK + "/containerd.toml", "containerd.log")
    plain = '"Env": ["PATH=/bin"], "Cmd": ["sh"]'
    must("ctr", "image", "import", archive({BOX: plain, USER: '"Env": ["PATH=/bin", "A=image"], "Cmd": ["sh"], "User": "user", "WorkingDir": "/tmp"'}))
    open(EVENTS, "w").close()
    listener = listen()

    def end():
        for process in (listener, Server.process):
            process.terminate()
            process.wait()
    return end


class Server:
    """The containerd that runs now, for a case may kill it and start another; and what was there before the first container."""
    process, before = None, set()


GATE = threading.Barrier(2)


def together(action):
    """What concerns both engines, which run side by side: done once, when both have come to it."""
    if GATE.wait(120) == 0:
        action()
    GATE.wait(120)


def killed_daemon(meanwhile=lambda: None):
    """containerd ends without a word, and another takes over what runs."""
    arguments = Server.process.args
    Server.process.kill()
    Server.process.wait()
    meanwhile()
    Server.process = daemon(arguments[2], "again.log")


def listen():
    return subprocess.Popen(["ctr", "events"], stdin=subprocess.DEVNULL, stdout=open(EVENTS, "a"), stderr=subprocess.DEVNULL)


# What an engine, and who reads its error, finds in one. The first of them counts.
CLASSES = ["executable file not found in $PATH", "no users found", "permission denied", "no such file or directory", "not a directory",
           "is a directory", "already exists", "invalid argument", "paused", "not found"]


class Ctr:
    def __init__(self, manager, runtime, tag):
        self.manager, self.runtime, self.tag = manager, runtime, tag

    def name(self, word):
        return f"{word}-{self.tag}"

    def runtime_flags(self, name):
        # ctr asks for a cpu weight unasked; where the host lacks that controller no runtime can give one.
        flags = ["--runc-binary", self.runtime] + ([] if has_controller("cpu") else ["--cpu-shares", "0"])
        if self.manager == "systemd":
            flags += ["--runc-systemd-cgroup", "--cgroup", "system.slice:ctr:" + name]
        return flags

    def do(self, *words, input=None):
        # As long as fifty at once take on an emulated machine.
        # A busy machine's containerd may take longer than its client waits for it.
        return self.told(*sh("ctr", "--connect-timeout", "100s", *words, input=input, timeout=400))

    def told(self, status, out, err):
        """ctr has status 1 for every failure; whose it was stands in the words."""
        lines = [f"{status}:"] + out.splitlines()
        for line in err.splitlines():
            words = next((words for words in CLASSES if words in line), None)
            lines.append("error " + words if words and line.startswith("ctr: ") else "stderr " + line)
        return "\n".join(lines)

    def run(self, name, *words, flags=(), detach=False, input=None, image=BOX):
        name = self.name(name)
        how = ["--detach"] if detach else ["--rm"]
        return self.do("run", *how, *self.runtime_flags(name), *flags, image, name, *words, input=input)

    def exec(self, name, *words, flags=(), input=None):
        return self.do("task", "exec", "--exec-id", f"x{time.monotonic_ns()}", *flags, self.name(name), *words, input=input)

    def task(self, name):
        listed = sh("ctr", "task", "ls")[1]
        return " ".join(line.split()[-1] for line in listed.splitlines() if line.startswith(self.name(name) + " ")) or "none"

    def pid(self, name):
        listed = sh("ctr", "task", "ls")[1]
        return next((line.split()[1] for line in listed.splitlines() if line.startswith(self.name(name) + " ")), None)

    def remove(self, name):
        """A task that has ended, and its container."""
        end = time.monotonic() + 30
        while self.task(name) not in ("STOPPED", "none") and time.monotonic() < end:
            time.sleep(0.5)
        return self.do("task", "delete", self.name(name)) + "\n" + self.do("container", "delete", self.name(name))


def paused(e):
    first = e.do("task", "pause", e.name("long"))
    state = e.task("long")
    return "\n".join([first, state, e.do("task", "resume", e.name("long")), e.task("long")])


def numbers(e):
    """Of the metrics those that the limits and the processes decide."""
    need("memory", "cpu", "pids")
    out = sh("ctr", "task", "metrics", e.name("long"))[1]
    found = dict(line.split()[:2] for line in out.splitlines() if len(line.split()) >= 2)
    return " ".join(f"{key}={'some' if int(found.get(key, 0)) else 'none'}" for key in ("pids.current", "cpu.usage_usec", "memory.usage")) + \
        f" limit={found.get('memory.usage_limit')}"


def cgroup_of(e):
    with open(f"/proc/{e.pid('long')}/cgroup") as file:
        return next(line for line in file.read().splitlines() if line.startswith("0::"))


def limits(e):
    """As the files of its cgroup have them: ctr mounts none in the container."""
    need("memory", "cpu")
    folder = "/sys/fs/cgroup" + cgroup_of(e).removeprefix("0::")
    return sh("cat", *[f"{folder}/{name}" for name in ("memory.max", "cpu.max", "memory.swap.max", "cgroup.type")])[1]


def signalled(e):
    return e.do("task", "kill", "--signal", "SIGTERM", e.name("long")) + "\n" + e.remove("long")


def killed(e):
    made = e.run("deaf", "sh", "-c", "trap '' TERM; sleep 1000 & while :; do sleep 1; done", detach=True)
    polite = e.do("task", "kill", "--signal", "SIGTERM", e.name("deaf"))
    return "\n".join([made, polite, e.do("task", "kill", "--all", "--signal", "SIGKILL", e.name("deaf")), e.remove("deaf")])


def out_of_memory(e):
    need("memory")
    told = e.run("oom", "sh", "-c", "tail /dev/zero; echo $?; sleep 4", flags=["--memory-limit", "16777216"])
    time.sleep(1)
    with open(EVENTS) as file:
        events = [line for line in file if "/tasks/oom" in line and e.name("oom") in line]
    return told + "\n" + ("/tasks/oom" if events else "no event")


def joined(e):
    e.run("first", "sleep", "1000", detach=True)
    pid = e.pid("first")
    here = [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in ("net", "ipc")]
    there = e.run("second", "sh", "-c", "cd /proc/self/ns; readlink net; readlink ipc",
                  flags=["--with-ns", f"network:/proc/{pid}/ns/net", "--with-ns", f"ipc:/proc/{pid}/ns/ipc"])
    e.do("task", "kill", "--signal", "SIGKILL", e.name("first"))
    return ("the same" if all(kind in there for kind in here) else there) + "\n" + e.remove("first")


def flags(e):
    folder = f"{WORK}/volume-ctr-{e.tag}"
    write(folder + "/file", "from the host\n")
    os.chmod(folder, 0o777)
    return e.run("flags", "sh", "-c", LOOK, flags=[
        "--read-only", "--mount", f"type=bind,src={folder},dst=/v,options=rbind:rw",
        "--mount", "type=tmpfs,src=tmpfs,dst=/t,options=size=1m:mode=1777", "--cwd", "/v", "--env", "A=b", "--cap-drop", "CAP_CHOWN", "--seccomp"])


def terminal(e):
    return on_terminal("ctr", "run", "--rm", "--tty", *e.runtime_flags(e.name("tty")), BOX, e.name("tty"), "sh", "-c", "tty; sleep 1; exit 2")


def exec_terminal(e):
    return on_terminal("ctr", "task", "exec", "--tty", "--exec-id", "tty", e.name("long"), "sh", "-c", "tty; sleep 1; exit 6")


# ctr leaves as soon as a detached container runs; whether it still prints what that one says at once is chance.
SILENT = LONG.replace("echo started; ", "")

def detached(e):
    limits = ["--memory-limit", "67108864", "--cpus", "0.5"] if has_controller("memory") and has_controller("cpu") else []
    return e.run("long", "sh", "-c", SILENT, detach=True, flags=limits)


FIRST = [
    Case("both streams and the status", lambda e: e.run("out", "sh", "-c", "echo out; echo err >&2"), "^0: [|] out [|] stderr err$"),
    Case("exit status", lambda e: e.run("seven", "sh", "-c", "exit 7"), "^7:"),
    Case("a command that is not there", lambda e: e.run("absent", "nothere"), r"^1: [|] error executable file not found in \$PATH$"),
    Case("no program", lambda e: e.run("plain", "/bin/plainfile"), "^1: [|] error permission denied$", clean=True),
]
LIFE = [
    Case("detached, with limits", detached, "^0:"),
    Case("its cgroup", cgroup_of, "^0::/.*long"),
    Case("limits", limits, "^67108864 [|] 50000 100000 [|] "),
    Case("the status of exec", lambda e: e.exec("long", "sh", "-c", "grep 0:: /proc/self/cgroup; exit 5"), "^5: [|] 0::/"),
    Case("exec with a terminal", exec_terminal, "^6: [|] /dev/pts/0"),
    Case("exec as a user, with input", lambda e: e.exec("long", "sh", "-c", "id; pwd; cat", flags=["--user", "1000", "--cwd", "/tmp"], input="in\n"),
         "^0: [|] uid=1000.* [|] /tmp [|] in$"),
    Case("exec of what is not there", lambda e: e.exec("long", "nothere"), r"^1: [|] error executable file not found in \$PATH$"),
    Case("exec of no program", lambda e: e.exec("long", "/bin/plainfile"), "^1: [|] error permission denied$"),
    Case("list", lambda e: e.task("long"), "^RUNNING$"),
    Case("processes", lambda e: f"{len(e.do('task', 'ps', e.name('long')).splitlines())} lines", "^[345] lines$"),
    Case("metrics", numbers, "pids.current=some cpu.usage_usec=some memory.usage=some limit=67108864"),
    Case("pause and resume", paused, "^0: [|] PAUSED [|] 0: [|] RUNNING$"),
    Case("a signal, delete", signalled, "^0: .*exit code 3.*[|] 0:", clean=True),
    Case("out of memory", out_of_memory, "^0: [|] 137 [|] .*/tasks/oom$", clean=True),
]
FURTHER = [
    Case("a read-only image, mounts, seccomp", flags, "from the host.*made.*CapEff"),
    Case("a terminal", terminal, "^2: [|] /dev/pts/0"),
    Case("the host's network", lambda e: e.run("net", "ls", "/sys/class/net", flags=["--net-host"]), "^0: .*lo"),
    Case("privileged", lambda e: e.run("all", "sh", "-c", LOOK.replace("cat /v/file; touch /v/made && echo made; ", ""), flags=["--privileged"]), "CapEff",
         clean=True),
    Case("kill --all of one that does not listen", killed, "^0: .*137", clean=True),
    Case("the namespaces of another", joined, "^the same", clean=True),
]


def pair(manager):
    return [Ctr(manager, RUNBOX, "runbox"), Ctr(manager, RUNC, "runc")]
