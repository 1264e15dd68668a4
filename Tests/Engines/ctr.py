"""The cases of containerd, asked by ctr: its shim io.containerd.runc.v2 calls the runtime in runc's words."""

import hashlib
import os
import re
import subprocess
import time

from bench import RUNBOX, RUNC, WORK, Case, make_image_tree, must, on_terminal, sh, write
from podman import LONG, LOOK

BOX = "local/box:1"
EVENTS = WORK + "/events"


def archive():
    """The image as an OCI archive, by hand: one layer, its configuration, a manifest and the index."""
    layer, folder = make_image_tree(), WORK + "/oci"

    def blob(data):
        name = hashlib.sha256(data).hexdigest()
        os.makedirs(folder + "/blobs/sha256", exist_ok=True)
        with open(f"{folder}/blobs/sha256/{name}", "wb") as file:
            file.write(data)
        return f'"digest": "sha256:{name}", "size": {len(data)}', name

    with open(layer, "rb") as file:
        layer_text, layer_name = blob(file.read())
    config = ('{"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]}, '
              f'"rootfs": {{"type": "layers", "diff_ids": ["sha256:{layer_name}"]}}}}')
    config_text, _ = blob(config.encode())
    kind = "application/vnd.oci.image"
    manifest = (f'{{"schemaVersion": 2, "config": {{"mediaType": "{kind}.config.v1+json", {config_text}}}, '
                f'"layers": [{{"mediaType": "{kind}.layer.v1.tar", {layer_text}}}]}}')
    manifest_text, _ = blob(manifest.encode())
    write(folder + "/oci-layout", '{"imageLayoutVersion": "1.0.0"}')
    write(folder + "/index.json", f'{{"schemaVersion": 2, "manifests": [{{"mediaType": "{kind}.manifest.v1+json", {manifest_text}, '
          f'"platform": {{"architecture": "amd64", "os": "linux"}}, "annotations": {{"io.containerd.image.name": "{BOX}"}}}}]}}')
    must("busybox", "tar", "-C", folder, "-cf", WORK + "/box.oci.tar", ".")
    return WORK + "/box.oci.tar"


def settle():
    """A containerd of these tests' own, and its events in a file. Returns what ends both."""
    write(WORK + "/containerd.toml",
          f'version = 2\nroot = "{WORK}/containerd"\nstate = "/run/containerd"\ndisabled_plugins = ["io.containerd.grpc.v1.cri", '
          '"io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", '
          '"io.containerd.snapshotter.v1.aufs"]\n[timeouts]\n"io.containerd.timeout.shim.load" = "60s"\n')
    log = open(WORK + "/containerd.log", "w")
    daemon = subprocess.Popen(["containerd", "-c", WORK + "/containerd.toml"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    for _ in range(120):
        if sh("ctr", "version")[0] == 0:
            break
        time.sleep(0.5)
    must("ctr", "image", "import", archive())
    listener = subprocess.Popen(["ctr", "events"], stdin=subprocess.DEVNULL, stdout=open(EVENTS, "w"), stderr=subprocess.DEVNULL)

    def end():
        for process in (listener, daemon):
            process.terminate()
            process.wait()
    return end


class Ctr:
    def __init__(self, manager, runtime, tag):
        self.manager, self.runtime, self.tag = manager, runtime, tag

    def name(self, word):
        return f"{word}-{self.tag}"

    def runtime_flags(self, name):
        flags = ["--runc-binary", self.runtime]
        if self.manager == "systemd":
            flags += ["--runc-systemd-cgroup", "--cgroup", "system.slice:ctr:" + name]
        return flags

    def do(self, *words, input=None):
        return self.told(*sh("ctr", *words, input=input))

    def told(self, status, out, err):
        """ctr has status 1 for every failure; whose it was stands in the words."""
        lines = [f"{status}:"] + out.splitlines()
        for line in err.splitlines():
            words = re.search(r"executable file not found in \$PATH|permission denied|not found", line)
            lines.append("error " + words[0] if words else "stderr " + line)
        return "\n".join(lines)

    def run(self, name, *words, flags=(), detach=False, input=None):
        name = self.name(name)
        how = ["--detach"] if detach else ["--rm"]
        return self.do("run", *how, *self.runtime_flags(name), *flags, BOX, name, *words, input=input)

    def exec(self, name, *words, flags=(), input=None):
        return self.do("task", "exec", "--exec-id", f"x{time.monotonic_ns()}", *flags, self.name(name), *words, input=input)

    def task(self, name):
        listed = sh("ctr", "task", "ls")[1]
        return " ".join(line.split()[-1] for line in listed.splitlines() if line.startswith(self.name(name) + " ")) or "none"

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
    out = sh("ctr", "task", "metrics", e.name("long"))[1]
    found = dict(line.split()[:2] for line in out.splitlines() if len(line.split()) >= 2)
    return " ".join(f"{key}={'some' if int(found.get(key, 0)) else 'none'}" for key in ("pids.current", "cpu.usage_usec", "memory.usage")) + \
        f" limit={found.get('memory.usage_limit')}"


def cgroup_of(e):
    pid = [line.split()[1] for line in sh("ctr", "task", "ls")[1].splitlines() if line.startswith(e.name("long") + " ")][0]
    with open(f"/proc/{pid}/cgroup") as file:
        return file.read().strip()


def limits(e):
    """As the files of its cgroup have them: ctr mounts none in the container."""
    folder = "/sys/fs/cgroup" + cgroup_of(e).removeprefix("0::")
    return sh("cat", *[f"{folder}/{name}" for name in ("memory.max", "cpu.max", "memory.swap.max", "cgroup.type")])[1]


def signalled(e):
    return e.do("task", "kill", "--signal", "SIGTERM", e.name("long")) + "\n" + e.remove("long")


def killed(e):
    made = e.run("deaf", "sh", "-c", "trap '' TERM; sleep 1000 & while :; do sleep 1; done", detach=True)
    polite = e.do("task", "kill", "--signal", "SIGTERM", e.name("deaf"))
    return "\n".join([made, polite, e.do("task", "kill", "--all", "--signal", "SIGKILL", e.name("deaf")), e.remove("deaf")])


def out_of_memory(e):
    told = e.run("oom", "sh", "-c", "tail /dev/zero; echo $?; sleep 4", flags=["--memory-limit", "16777216"])
    time.sleep(1)
    with open(EVENTS) as file:
        events = [line for line in file if "/tasks/oom" in line and e.name("oom") in line]
    return told + "\n" + ("/tasks/oom" if events else "no event")


def joined(e):
    e.run("first", "sleep", "1000", detach=True)
    pid = [line.split()[1] for line in sh("ctr", "task", "ls")[1].splitlines() if line.startswith(e.name("first") + " ")][0]
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

FIRST = [
    Case("both streams and the status", lambda e: e.run("out", "sh", "-c", "echo out; echo err >&2"), "^0: [|] out [|] stderr err$"),
    Case("exit status", lambda e: e.run("seven", "sh", "-c", "exit 7"), "^7:"),
    Case("a command that is not there", lambda e: e.run("absent", "nothere"), r"^1: [|] error executable file not found in \$PATH$"),
    Case("no program", lambda e: e.run("plain", "/bin/plainfile"), "^1: [|] error permission denied$", clean=True),
]
LIFE = [
    Case("detached, with limits", lambda e: e.run("long", "sh", "-c", SILENT, detach=True, flags=["--memory-limit", "67108864", "--cpus", "0.5"]), "^0:"),
    Case("its cgroup", cgroup_of, "^0::/.*long"),
    Case("limits", limits, "^67108864 [|] 50000 100000 [|] "),
    Case("the status of exec", lambda e: e.exec("long", "sh", "-c", "cat /proc/self/cgroup; exit 5"), "^5: [|] 0::/"),
    Case("exec with a terminal", exec_terminal, "^6: [|] /dev/pts/0"),
    Case("exec as a user, with input", lambda e: e.exec("long", "sh", "-c", "id; pwd; cat", flags=["--user", "1000", "--cwd", "/tmp"], input="in\n"),
         "^0: [|] uid=1000.* [|] /tmp [|] in$"),
    Case("exec of what is not there", lambda e: e.exec("long", "nothere"), r"^1: [|] error executable file not found in \$PATH$"),
    Case("exec of no program", lambda e: e.exec("long", "/bin/plainfile"), "^1: [|] error permission denied$"),
    Case("list", lambda e: e.task("long"), "^RUNNING$"),
    Case("processes", lambda e: f"{len(e.do('task', 'ps', e.name('long')).splitlines())} lines", "^[34] lines$"),
    Case("metrics", numbers, "pids.current=some cpu.usage_usec=some memory.usage=some limit=67108864"),
    Case("pause and resume", paused, "^0: [|] PAUSED [|] 0: [|] RUNNING$"),
    Case("a signal, delete", signalled, "^0: .*exit code 3.*[|] 0:", clean=True),
    Case("out of memory", out_of_memory, "^0: [|] 137 [|] .*/tasks/oom$", clean=True),
]
FURTHER = [
    Case("a read-only image, mounts, seccomp", flags, "from the host.*made.*CapEff"),
    Case("a terminal", terminal, "^2: [|] /dev/pts/0"),
    Case("the host's network", lambda e: e.run("net", "ls", "/sys/class/net", flags=["--net-host"]), "^0: .*lo"),
    Case("privileged", lambda e: e.run("all", "sh", "-c", LOOK.replace("cat /v/file; touch /v/made && echo made; ", ""), flags=["--privileged"]), "CapEff", clean=True),
    Case("kill --all of one that does not listen", killed, "^0: .*137", clean=True),
    Case("the namespaces of another", joined, "^the same", clean=True),
]


def pair(manager):
    return [Ctr(manager, RUNBOX, "runbox"), Ctr(manager, RUNC, "runc")]
