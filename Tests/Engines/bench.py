"""What the cases of the engines share: commands with an end, an image of busybox, and what a container must not leave behind."""

import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.realpath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
RUNBOX = os.environ["RUNBOX"]
WORK = "/tmp/engines"
ROOT = os.geteuid() == 0
RUNTIME_DIR = os.environ.get("XDG_RUNTIME_DIR", "/run")


def which(program):
    """Where a program is. (python3-minimal has no shutil.)"""
    places = [f"{folder}/{program}" for folder in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]]
    return next((place for place in places if os.access(place, os.X_OK)), None)


RUNC = which("runc")

APPLETS = "sh cat sleep echo id ls stat mount dd head tail tr kill grep ps true false touch hostname stty tty wc readlink sort test seq".split()


def sh(*words, input=None, timeout=100):
    """The status and both streams of a command, which is ended when it takes too long."""
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE if input is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        out, err = process.communicate(None if input is None else input.encode(), timeout)
        status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        out, err = process.communicate()
        status = "too late"
    return status, out.decode(errors="replace"), err.decode(errors="replace")


def must(*words):
    status, out, err = sh(*words)
    if status != 0:
        sys.exit(f"engines: {' '.join(words)}: {status}: {err or out}")
    return out


def quote(words):
    return " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)


def on_terminal(*words):
    """Status and output of the command with a terminal of its own, without what the terminal echoes and what ctr says of the size of one that is gone."""
    status, out, _ = sh("script", "-qec", quote(words), "/dev/null")
    lines = [line.replace("^@", "").replace("^D", "").replace("\b", "").replace("\0", "") for line in out.splitlines() if "resize" not in line]
    return "\n".join([f"{status}:"] + lines)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def make_image_tree():
    """The folder that images are made of; nothing is fetched from anywhere."""
    tree = WORK + "/tree"
    for folder in "bin etc proc sys dev tmp run v data".split():
        os.makedirs(f"{tree}/{folder}", exist_ok=True)
    must("busybox", "cp", which("busybox"), tree + "/bin/busybox")
    for applet in APPLETS:
        os.path.lexists(f"{tree}/bin/{applet}") or os.symlink("busybox", f"{tree}/bin/{applet}")
    write(tree + "/etc/passwd", "root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n")
    write(tree + "/etc/group", "root:x:0:\nuser:x:1000:\n")
    write(tree + "/bin/plainfile", "no program\n")
    must("busybox", "tar", "-C", tree, "-cf", WORK + "/tree.tar", ".")
    return WORK + "/tree.tar"


# --- what is left behind ---------------------------------------------------------------------------------------------

# What engines make once and keep, and what starts by itself.
KEPT = re.compile(
    r"^cgroup .*/(libpod_parent(/conmon)?|(machine|user|session|background|app|init)[^/]*\.(slice|scope)|[^/]*\.service|default|user\.slice)$"
    r"|^mount .*/graph/overlay$"
    r"|^state .*/[.]cache$"
    r"|^unit \S+\.(slice|service)"
    r"|^process .*(systemd|dbus-daemon|catatonit -P|/podman/podman-pause|agetty|\(sd-pam\))"
    r"|^process (systemctl|ctr|containerd) ")


def mounts():
    found = set()
    for pid in ["self"] + pause_processes():
        try:
            with open(f"/proc/{pid}/mountinfo") as file:
                found |= {"mount " + line.split()[4] for line in file}
        except OSError:
            pass  # gone since
    return found


def pause_processes():
    """Rootless Podman keeps its mounts in the namespace of a process that does nothing else."""
    try:
        with open(RUNTIME_DIR + "/libpod/tmp/pause.pid") as file:
            return [file.read().strip()]
    except OSError:
        return []


def processes():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                words = file.read().replace("\0", " ").strip()
            with open(f"/proc/{pid}/comm") as file:
                name = file.read().strip()
        except OSError:
            continue
        if words and int(pid) != os.getpid():
            found.add(f"process {name} {words}")
    return found


def state_folders():
    roots = [f"{RUNTIME_DIR}/{name}" for name in ("runbox", "runc", "crun")]
    roots += [f"/run/containerd/runc/default", "/run/containerd/io.containerd.runtime.v2.task/default"]
    found = set()
    for root in roots:
        try:
            found |= {f"state {root}/{name}" for name in os.listdir(root)}
        except OSError:
            pass  # nothing was ever made there
    return found


def units():
    if not os.path.isdir("/run/systemd/system"):
        return set()
    words = ["systemctl"] + ([] if ROOT else ["--user"])
    listed = sh(*words, "list-units", "--all", "--plain", "--no-legend", "--type=scope,slice,service")[1]
    return {"unit " + " ".join(line.split()[:4:3]) for line in listed.splitlines() if line.strip()}


def things():
    cgroups = {"cgroup " + folder for folder, _, _ in os.walk("/sys/fs/cgroup")}
    everything = mounts() | cgroups | processes() | state_folders() | units()
    return {thing for thing in everything if not KEPT.search(thing)}


def left_behind(before, timeout=25):
    """What is there now and was not before, when whoever cleans up has had the time for it."""
    end = time.monotonic() + timeout
    while True:
        left = things() - before
        if not left or time.monotonic() > end:
            return sorted(left)
        time.sleep(0.3)


# --- cases -----------------------------------------------------------------------------------------------------------


class Case:
    """One thing that is asked of an engine; `expected` must be found in what comes of it, and it must be the same with either runtime."""

    def __init__(self, name, run, expected, clean=False):
        self.name, self.run, self.expected, self.clean = name, run, expected, clean


class Skip(Exception):
    pass


class Count:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def tell(self, word, title, text=""):
        attribute = {"ok": "passed", "FAILED": "failed", "skipped": "skipped"}[word]
        setattr(self, attribute, getattr(self, attribute) + 1)
        print(f"{word:7} {title}{': ' + text if text else ''}", flush=True)


def normal(engine, text):
    """Without what differs from one container to the next."""
    text = text.replace("\r", "").replace(engine.runtime, "RUNTIME")
    text = re.sub(rf"(?<=[a-z])-{engine.tag}\b(?!-)", "", text)
    text = re.sub(r'time="[^"]*"', "time", text)
    text = re.sub(r"\b[0-9a-f]{64}\b|\b[0-9a-f]{12}\b", "ID", text)
    return " | ".join(line.strip() for line in text.strip().splitlines())


def both(engines, case):
    """The outcomes of a case with each runtime, which run side by side."""
    outcomes = [None] * len(engines)

    def one(index):
        engine = engines[index]
        try:
            outcomes[index] = normal(engine, case.run(engine))
        except Skip as reason:
            outcomes[index] = reason
        except Exception as error:
            outcomes[index] = f"{type(error).__name__}: {error}"

    threads = [threading.Thread(target=one, args=(index,)) for index in range(len(engines))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return outcomes


def show(engines, outcomes):
    """Both outcomes in one line: what is the same only once, and of what is long and differs the parts that do."""
    if len(set(outcomes)) == 1:
        return f"both=[{outcomes[0] if len(outcomes[0]) < 200 else outcomes[0][:200] + ' ...'}]"
    lines = [outcome.split(" | ") for outcome in outcomes]
    if max(map(len, outcomes)) > 400:
        common = set(lines[0]) & set(lines[1])
        lines = [[line for line in part if line not in common] for part in lines]
    return "  ".join(f"{engine.tag}=[{' | '.join(part)}]" for engine, part in zip(engines, lines))


def run_cases(title, engines, cases, count):
    """Engines: the same one with runbox and with another runtime."""
    before = things()
    for case in cases:
        began = time.monotonic()
        outcomes = both(engines, case)
        left = left_behind(before) if case.clean else []
        name = f"{title}: {case.name}"
        if any(isinstance(outcome, Skip) for outcome in outcomes):
            count.tell("skipped", name, next(str(o) for o in outcomes if isinstance(o, Skip)))
            continue
        problems = ["DIFFERENT"] if len(set(outcomes)) != 1 else []
        shown = show(engines, outcomes)
        if not re.search(case.expected, outcomes[0]):
            problems.append(f"expected /{case.expected}/")
        if left:
            problems.append("LEFT BEHIND " + ", ".join(left))
            before |= set(left)
        seconds = f" ({time.monotonic() - began:.0f} s)"
        count.tell("FAILED" if problems else "ok", name, "; ".join(problems + [shown]) + seconds)
