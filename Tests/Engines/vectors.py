"""The calls of engines that can't be run here (CRI-O, BuildKit by itself) and of those that are, word for word as they emit them, on a real bundle: go-runc (containerd,
BuildKit, Docker), conmon (Podman, CRI-O), Podman, Buildah, CRI-O, Docker's daemon. What each reads of the answer is compared with runc's."""

import array
import json
import os
import re
import socket
import subprocess
import time

from bench import RUNBOX, RUNC, WORK, Case, make_image_tree, sh, write
from ctr import need

PROCESS = {"terminal": False, "user": {"uid": 0, "gid": 0}, "cwd": "/", "env": ["PATH=/bin"], "noNewPrivileges": True,
           "capabilities": {kind: ["CAP_KILL", "CAP_SYS_ADMIN"] for kind in ("bounding", "effective", "permitted")}}
CONFIG = {"ociVersion": "1.0.2", "root": {"path": WORK + "/tree"}, "hostname": "vector", "annotations": {"note": "kept"},
          "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
                     {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
                     {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
                     "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
                     {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}],
          "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network", "cgroup")], "resources": {}}}
LIVES = ["sh", "-c", "trap 'exit 3' TERM; while :; do sleep 0.05; done"]


def settle():
    os.path.isdir(WORK + "/tree/bin") or make_image_tree()
    return lambda: None


class Direct:
    """A runtime that is called as an engine calls it."""

    def __init__(self, manager, runtime, tag):
        self.manager, self.runtime, self.tag = manager, runtime, tag
        self.root, self.log, self.number = f"{WORK}/vectors-{tag}", f"{WORK}/vectors-{tag}.log", 0
        self.calls = 0
        os.makedirs(f"{WORK}/bundles-{tag}", exist_ok=True)

    def bundle(self, *args, terminal=False):
        """A new one; its path, and the id for its container."""
        self.number += 1
        identity = f"v{self.number}-{self.tag}"
        path = f"{WORK}/bundles-{self.tag}/{identity}"
        parent = f"system.slice:vec:{identity}" if self.manager == "systemd" else f"/vectors-{identity}"
        config = {**CONFIG, "process": {**PROCESS, "args": list(args) or LIVES, "terminal": terminal}, "linux": {**CONFIG["linux"], "cgroupsPath": parent}}
        write(path + "/config.json", json.dumps(config))
        return path, identity

    def document(self, *args, terminal=False):
        self.number += 1
        path = f"{WORK}/bundles-{self.tag}/process{self.number}.json"
        write(path, json.dumps({**PROCESS, "args": list(args), "terminal": terminal}))
        return path

    def call(self, *words, input=None):
        """Files for output, as engines have them: what is started holds them open, so that each call has its own."""
        self.calls += 1
        out, err = f"{WORK}/bundles-{self.tag}/out{self.calls}", f"{WORK}/bundles-{self.tag}/err{self.calls}"
        with open(out, "w") as first, open(err, "w") as second:
            process = subprocess.Popen([self.runtime, *words], stdin=subprocess.PIPE if input else subprocess.DEVNULL, stdout=first, stderr=second,
                close_fds=True)
            process.communicate(input.encode() if input else None, timeout=60)
        with open(out) as first, open(err) as second:
            return process.returncode, first.read(), second.read()

    def systemd(self):
        return ["--systemd-cgroup"] if self.manager == "systemd" else []

    def go(self, *words, input=None):
        """go-runc's globals, in its order."""
        open(self.log, "w").close()
        return self.call("--root", self.root, "--log", self.log, "--log-format", "json", *self.systemd(), *words, input=input)

    def crio(self, *words, input=None):
        return self.call("--root", self.root, *self.systemd(), *words, input=input)

    def podman(self, *words, input=None):
        return self.call("--log-format=json", "--log", self.log, "--root", self.root, *self.systemd(), *words, input=input)

    def becomes(self, status, identity):
        end = time.monotonic() + 20
        while f'"status": "{status}"' not in (text := self.go("state", identity)[1]) and time.monotonic() < end:
            time.sleep(0.02)
        return json.loads(text)["status"]

    def ends(self, identity):
        self.becomes("stopped", identity)
        return told(self.go("delete", identity))


WORDS = re.compile("container not running|container does not exist|does not exist|no such process|executable file not found in \\$PATH|no such file or directory|"
                   "permission denied|is a directory|not a directory|already exists|not stopped|cannot start|unknown signal|invalid|paused|CRIU|criu")


def told(answer):
    """Success and what came, or failure and what an engine finds in the words."""
    status, out, err = answer
    if status == 0:
        return f"0 {out.strip()}".strip() + (f" stderr {err.strip()}" if err.strip() else "")
    found = WORDS.search(err)
    return f"fails, {found[0] if found else err.strip()}"


def kinds(text, names):
    """Of a document the fields that are read, by their kinds."""
    found = json.loads(text)
    return " ".join(f"{name}={type(found.get(name)).__name__}" for name in names)


def digits(path):
    with open(path) as file:
        return bool(re.fullmatch(r"[1-9]\d*", file.read()))


STATE = ["id", "pid", "status", "bundle", "rootfs", "created", "annotations", "ociVersion"]


# --- go-runc: containerd's shim, BuildKit, Docker --------------------------------------------------------------------


def shim_life(e):
    path, identity = e.bundle()
    lines = [told(e.go("create", "--bundle", path, "--pid-file", path + "/init.pid", identity)), f"digits {digits(path + '/init.pid')}",
        e.becomes("created", identity),
             told(e.go("start", identity)), e.becomes("running", identity)]
    status, out, err = e.go("state", identity)
    lines.append(kinds(out + err, STATE))
    exec_pid = path + "/exec.pid"
    lines += [told(e.go("exec", "--process", e.document("sleep", "1000"), "--detach", "--pid-file", exec_pid, identity)), f"digits {digits(exec_pid)}"]
    numbers = json.loads(e.go("ps", "--format", "json", identity)[1])
    lines.append(f"ps {len(numbers) >= 2} {all(isinstance(number, int) for number in numbers)}")
    table = e.go("ps", "--format", "table", identity, "-o", "pid,cmd")[1].splitlines()
    lines.append(" ".join(table[0].split()) + f" {any('sleep 1000' in line for line in table)}")
    listed = json.loads(e.go("list", "--format=json")[1])
    lines.append(kinds(json.dumps(next(one for one in listed if one["id"] == identity)), STATE))
    lines += [told(e.go("pause", identity)), e.becomes("paused", identity), told(e.go("resume", identity)), e.becomes("running", identity)]
    lines += [told(e.go("update", "--resources=-", identity, input='{"unknown": 1}')), told(e.go("delete", identity))]
    lines += [told(e.go("kill", identity, "15")), told(e.go("kill", "--all", identity, "9")), e.becomes("stopped", identity), told(e.go("kill", identity, "9"))]
    lines += [told(e.go("delete", identity)), told(e.go("state", identity)), told(e.go("delete", identity)),
        told(e.go("delete", "--force", identity)).split()[0]]
    return "\n".join(lines)


def statistics(e):
    need("memory", "pids")
    path, identity = e.bundle()
    e.go("create", "--bundle", path, identity)
    e.go("start", identity)
    found = json.loads(e.go("events", "--stats", identity)[1])
    streamed = subprocess.Popen([e.runtime, "--root", e.root, *e.systemd(), "events", "--interval=1s", identity], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, text=True)
    first = json.loads(streamed.stdout.readline())
    e.go("kill", identity, "9")
    streamed.wait(timeout=30)
    read = {"cpu", "memory", "pids", "blkio", "hugetlb"}
    return "\n".join([f"{one['type']} {one['id'] == identity} {' '.join(sorted(read & set(one['data'])))}" for one in (found, first)]
                     + [f"ends {streamed.returncode}", e.ends(identity)])


def master(server, act):
    """What `act` does while a console socket waits; its answer, and the name and the use of what came by the socket."""
    path = f"{WORK}/console-{server.tag}-{server.number}"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    listener.settimeout(30)
    answer = act(path)
    connection = listener.accept()[0]
    numbers = array.array("i")
    data, extra, _, _ = connection.recvmsg(4096, socket.CMSG_LEN(16))
    for _, kind, content in extra:
        numbers.frombytes(content[:len(content) - len(content) % numbers.itemsize])
    os.unlink(path)
    listener.close()
    return answer, data.decode(errors="replace"), list(numbers)


def console(e):
    """The shim's and conmon's way to a terminal, for the first process and for another."""
    path, identity = e.bundle("sh", "-c", "tty; while :; do sleep 0.05; done", terminal=True)
    made, name, numbers = master(e, lambda place: e.go("create", "--bundle", path, "--console-socket", place, "--pid-file", path + "/p", identity))
    lines = [told(made), f"{name.startswith('/dev/')} {len(numbers)} {os.isatty(numbers[0])}", told(e.go("start", identity))]
    lines.append(reads(numbers[0], "/dev/pts/0"))
    second, _, more = master(e, lambda place: e.go("exec", "--process", e.document("sh", "-c", "tty; exec sleep 1000", terminal=True), "--console-socket",
        place, "--detach",
                                                    "--pid-file", path + "/q", identity))
    lines += [told(second), reads(more[0], "/dev/pts/1")]
    e.go("kill", identity, "9")
    for number in numbers + more:
        os.close(number)
    return "\n".join(lines + [e.ends(identity)])


def reads(number, word, timeout=20):
    os.set_blocking(number, False)
    found, end = b"", time.monotonic() + timeout
    while word.encode() not in found and time.monotonic() < end:
        try:
            found += os.read(number, 4096)
        except OSError:
            time.sleep(0.02)
    return found.decode().strip()


def build_step(e):
    path, identity = e.bundle("sh", "-c", "echo out; echo err >&2; exit 42")
    ended = e.go("run", "--bundle", path, "--keep", identity)
    lines = [f"{ended[0]} {ended[1].strip()} {ended[2].strip()}", e.becomes("stopped", identity), told(e.go("delete", identity))]
    path, identity = e.bundle("nothere")
    failed = e.go("run", "--bundle", path, "--keep", identity)
    return "\n".join(lines + [told(failed), errors(e), told(e.go("delete", "--force", identity)).split()[0]])


def errors(e):
    """What containerd takes of the log: the last entry of the level error; there is one."""
    with open(e.log) as file:
        entries = [json.loads(line) for line in file if line.strip()]
    wrong = [entry for entry in entries if entry["level"] == "error"]
    time_ok = all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", entry["time"]) for entry in entries)
    found = WORDS.search(wrong[-1]["msg"]) if wrong else None
    return f"{len(wrong)} error, {found[0] if found else wrong[-1]['msg'] if wrong else ''}, time {time_ok}"


def failing(*args, edit=None):
    def run(e):
        path, identity = e.bundle(*args)
        if edit:
            with open(path + "/config.json") as file:
                config = json.load(file)
            edit(config)
            write(path + "/config.json", json.dumps(config))
        answer = e.go("create", "--bundle", path, "--pid-file", path + "/p", identity)
        lines = [told(answer), errors(e), f"pid file {os.path.exists(path + '/p')}", told(e.go("state", identity)),
            told(e.go("delete", "--force", identity)).split()[0]]
        return "\n".join(lines)
    return run


def exec_fails(e):
    """Each as an engine asks it; the pid file that is not there tells conmon."""
    path, identity = e.bundle()
    e.go("create", "--bundle", path, identity)
    e.go("start", identity)
    lines = []
    for args in (["nothere"], ["/bin/nothere"], ["/bin/plainfile"]):
        answer = e.go("exec", "--process", e.document(*args), "--detach", "--pid-file", path + "/x", identity)
        lines.append(f"{told(answer)}; {errors(e)}; {os.path.exists(path + '/x')}")
    code = e.go("exec", "--process", e.document("sh", "-c", "echo out; exit 7"), identity)
    signal = e.go("exec", "--process", e.document("sh", "-c", "kill -9 $$"), identity)
    lines += [f"{code[0]} {code[1].strip()}", str(signal[0])]
    e.go("kill", identity, "9")
    lines.append(e.becomes("stopped", identity))
    lines.append(told(e.go("exec", "--process", e.document("true"), "--detach", "--pid-file", path + "/x", identity)).replace("stopped container", ""))
    return "\n".join(lines + [e.ends(identity)])


def refusals(e):
    path, identity = e.bundle()
    lines = [told(e.go(*words)) for words in (["state", "nobody"], ["start", "nobody"], ["kill", "nobody", "9"], ["delete", "nobody"], ["pause", "nobody"])]
    e.go("create", "--bundle", path, identity)
    lines.append(told(e.go("create", "--bundle", path, identity)))
    e.go("start", identity)
    lines += [told(e.go("start", identity)), told(e.go("kill", identity, "NOSIGNAL"))]
    e.go("kill", identity, "9")
    e.becomes("stopped", identity)
    lines += [told(e.go("start", identity)), told(e.go("pause", identity)), told(e.go("kill", "--all", identity, "9"))]
    return "\n".join(lines + [e.ends(identity)])


def checkpoint(e):
    path, identity = e.bundle()
    e.go("create", "--bundle", path, identity)
    early = told(e.go("checkpoint", "--image-path", path + "/image", "--work-path", path + "/work", "--file-locks", identity))
    e.go("kill", identity, "9")
    return early.split(",")[0] + "\n" + e.ends(identity)


# --- conmon, Podman, CRI-O, Buildah, Docker's daemon -----------------------------------------------------------------


def conmon_life(e):
    """conmon makes, Podman does the rest."""
    path, identity = e.bundle()
    words = ["create", "--bundle", path, "--pid-file", path + "/pidfile", "--no-new-keyring", identity]
    made = subprocess.run([e.runtime, "--log-format=json", "--log", e.log, "--root", e.root, *e.systemd(), *words], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "LISTEN_PID": "1"})
    lines = [str(made.returncode), f"digits {digits(path + '/pidfile')}", told(e.podman("start", identity))]
    answer = e.podman("exec", "--pid-file", path + "/e", "--process", e.document("sleep", "1000"), "--detach", identity)
    write(path + "/resources.json", '{"devices": []}')
    lines += [told(answer), f"digits {digits(path + '/e')}", told(e.podman("update", f"--resources={path}/resources.json", identity)),
        told(e.podman("pause", identity)),
              told(e.podman("resume", identity)), told(e.podman("kill", identity, "15")), e.becomes("stopped", identity),
              told(e.podman("delete", "--force", identity)),
              told(e.podman("delete", "--force", identity)).split()[0]]
    return "\n".join(lines)


def questions(e):
    """What Podman asks before it offers checkpoints."""
    probe, restore = e.call("checkpoint", "--help"), e.call("restore", "--lsm-mount-context")
    return f"{probe[0]} {bool(re.search('flag needs an argument|requires an argument', restore[1] + restore[2]))}"


def crio_life(e):
    path, identity = e.bundle()
    lines = [told(e.crio("create", "--bundle", path, "--pid-file", path + "/pidfile", identity)), told(e.crio("start", identity))]
    status, out, err = e.crio("state", identity)
    lines.append(kinds(out + err, ["status", "pid", "created"]))
    code = e.crio("exec", "--process", e.document("sh", "-c", "echo probe; exit 3"), identity)
    lines += [f"{code[0]} {code[1].strip()}", told(e.crio("update", "--resources", "-", identity, input='{"devices": []}')), told(e.crio("pause", identity)),
              told(e.crio("resume", identity)), told(e.crio("kill", identity, "KILL")), e.becomes("stopped", identity), told(e.crio("kill", identity, "KILL")),
              told(e.crio("delete", "--force", identity)), told(e.crio("state", identity))]
    return "\n".join(lines)


def crio_checkpoint(e):
    path, identity = e.bundle()
    e.crio("create", "--bundle", path, identity)
    told_ = told(e.crio("checkpoint", "--file-locks", "--image-path", path + "/i", "--work-path", path + "/w", "--leave-running", identity)).split(",")[0]
    e.crio("kill", identity, "9")
    return told_ + "\n" + e.ends(identity)


def features(e):
    """CRI-O, containerd 2 and Docker read it; both streams together are one object. Its namespaces, mount options and hooks hold what runc's do."""
    status, out, err = e.call("features")
    found = json.loads(out + err)
    theirs = json.loads(sh(RUNC, "features")[1])
    missing = [f"{name}: {word}" for name, mine, its in (
        ("hooks", found["hooks"], theirs["hooks"]), ("mountOptions", found["mountOptions"], theirs["mountOptions"]),
        ("namespaces", found["linux"]["namespaces"], theirs["linux"]["namespaces"]),
        ("actions", found["linux"]["seccomp"]["actions"], theirs["linux"]["seccomp"]["actions"]),
        ("operators", found["linux"]["seccomp"]["operators"], theirs["linux"]["seccomp"]["operators"])) for word in its if word not in mine
        and word not in ("acl", "noacl")]  # runc 1.1 has these two; crun never had them, and later runcs have them no more
    linux = sorted(set(theirs["linux"]) - set(found["linux"]))
    return f"{found['ociVersionMin']} {bool(re.match(r'1[.][0-9]', found['ociVersionMax']))} missing {missing + linux}"


def version(e):
    """Docker takes the last line with the word, go-runc the first; Podman shows it."""
    status, out, err = e.call("--version")
    lines = out.splitlines()
    first = re.fullmatch(r"(runc|runbox) version \S+", lines[0])
    return f"{status} {bool(first)} {sum('version' in line for line in lines)} {any(re.match(r'spec: 1[.]', line) for line in lines)} {err.strip()}"


def buildah_life(e):
    """A step of a build: made, polled until it stops, deleted."""
    path, identity = e.bundle("sh", "-c", "echo built; exit 5")
    lines = [str(e.call("--root", e.root, *e.systemd(), "create", "--bundle", path, "--pid-file", path + "/pid", "--no-new-keyring", identity)[0]),
             kinds(e.call("--root", e.root, "state", identity)[1], ["ociVersion", "id", "status", "pid", "bundle"]),
             told(e.call("--root", e.root, *e.systemd(), "start", identity)),
             e.becomes("stopped", identity), told(e.call("--root", e.root, *e.systemd(), "delete", identity))]
    return "\n".join(lines)


GONE = "^fails, (container )?does not exist|^fails, container does not exist"
CASES = [
    Case("go-runc: a task's life", shim_life,
         "^0 [|] digits True [|] created [|] 0 [|] running .*fails, container not running [|] 0 [|] fails, container does not exist .*0$", clean=True),
    Case("go-runc: statistics", statistics, "^stats True .*[|] stats True .*ends 0", clean=True),
    Case("go-runc, conmon: a terminal by its socket", console, "^0 [|] True 1 True [|] 0 [|] /dev/pts/0 [|] 0 [|] /dev/pts/1 [|] 0$", clean=True),
    Case("BuildKit: a step", build_step, "^42 out err [|] stopped [|] 0 [|] fails, executable file not found in .PATH [|] 1 error", clean=True),
    Case("go-runc: a program that is not there", failing("nothere"), "^fails, executable file not found.*pid file False", clean=True),
    Case("go-runc: a path that is not there", failing("/bin/nothere"), "^fails, no such file or directory.*pid file False", clean=True),
    Case("go-runc: no program", failing("/bin/plainfile"), "^fails, permission denied.*pid file False", clean=True),
    Case("go-runc: a directory that is a file", failing("true", edit=lambda config: config["process"].update(cwd="/etc/passwd")), "^fails, not a directory",
         clean=True),
    Case("go-runc: a source that is not there", failing("true", edit=lambda config: config["mounts"].append({"destination": "/v", "source": "/nowhere/to/be/found",
         "type": "bind", "options": ["rbind"]})),
         "^fails, (no such file or directory|.*not found)", clean=True),
    Case("go-runc: exec that fails", exec_fails, "^fails, executable file not found.*7 out [|] 137 [|] stopped [|] fails", clean=True),
    Case("go-runc: what is refused", refusals, "^fails, container does not exist.*already exists", clean=True),
    Case("go-runc: a checkpoint of what has not started", checkpoint, "^fails", clean=True),
    Case("conmon and Podman: a container's life", conmon_life, "^0 [|] digits True [|] 0 .*stopped [|] 0 [|] 0$", clean=True),
    Case("Podman: can it restore", questions, "^0 True$"),
    Case("CRI-O: a container's life", crio_life,
         "^0 [|] 0 [|] status=str pid=int created=str [|] 3 probe .*fails, container not running [|] 0 [|] fails, container does not exist$", clean=True),
    Case("Buildah: a container's life", buildah_life, "^0 .*stopped [|] 0$", clean=True),
    Case("CRI-O, containerd 2, Docker: features", features, r"missing \[\]$"),
    Case("Docker, go-runc, Podman: --version", version, "^0 True 1 True"),
]


def pair(manager):
    return [Direct(manager, RUNBOX, "runbox"), Direct(manager, RUNC, "runc")]
