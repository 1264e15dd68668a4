"""What the cases of the engines share: commands with an end, an image of busybox, and what a container must not leave behind."""

import json
import os
import re
import subprocess
import sys
import threading
import time

from explained import explanation

HERE = os.path.dirname(os.path.realpath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
RUNBOX = os.environ["RUNBOX"]
WORK = "/tmp/engines"
ROOT = os.geteuid() == 0
with open("/proc/cpuinfo") as file:
    EMULATED = "QEMU TCG" in file.read()
RUNTIME_DIR = os.environ.get("XDG_RUNTIME_DIR", "/run")


def which(program):
    """Where a program is. (python3-minimal has no shutil.)"""
    places = [f"{folder}/{program}" for folder in os.environ["PATH"].split(":") + ["/usr/sbin", "/sbin"]]
    return next((place for place in places if os.access(place, os.X_OK)), None)


RUNC = which("runc")

# What says which version a program has, as the table's heading tells it.
VERSIONED = {"runbox": [RUNBOX, "--version"], "runc": ["runc", "--version"], "crun": ["crun", "--version"], "containerd": ["containerd", "--version"],
             "Docker": ["dockerd", "--version"], "Podman": ["podman", "--version"], "Buildah": ["buildah", "--version"], "conmon": ["conmon", "--version"]}


def versions():
    """By name the first thing that looks like a version in what each program says of itself."""
    found = {}
    for name, words in VERSIONED.items():
        if which(words[0]) or os.path.exists(words[0]):
            number = re.search(r"\d+\.\d+[.\d]*", sh(*words)[1])
            if number:
                found[name] = number[0]
    with open("/etc/os-release") as file:
        found["system"] = re.search(r'PRETTY_NAME="([^"]*)"', file.read())[1]
    found["kernel"] = os.uname().release
    return found


APPLETS = (
    "sh cat sleep echo id ls stat mount dd head tail tr kill grep ps true false touch hostname stty tty wc readlink sort test seq "
    "awk chmod chown cut date df env find ip ln mkdir mknod mv nc ping ping6 printf pwd rm rmdir sed sync umount uname unshare usleep vi wget").split()


def sh(*words, input=None, timeout=300):
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


def wait_for(done, timeout=90):
    """Whether it has come true in time; emulated machines are slow."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


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
    r"^cgroup .*/(libpod_parent(/conmon)?|(machine|user|session|background|app|init)[^/]*\.(slice|scope)|[^/]*\.service|default|kubepods|kubepods\.slice|user\.slice)$"
    r"|^mount .*/graph/overlay$"
    r"|^state .*/[.](cache|empty-directory)$"
    r"|^unit \S+\.(slice|service)"
    r"|^process .*(systemd|dbus-daemon|catatonit -P|/podman/podman-pause|agetty|\(sd-pam\))"
    r"|^mount .*/netns/default$|^cgroup .*/docker(/buildkit)?$|^process docker-buildx "
    r"|^process (systemctl|ctr|containerd|dockerd) ")


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
    roots += [f"/run/containerd/{place}/{namespace}" for place in ("runc", "io.containerd.runtime.v2.task") for namespace in ("default", "k8s.io")]
    for folder in os.listdir("/run") if ROOT else []:
        if folder.startswith("docker-") and os.path.isdir("/run/" + folder):
            roots += [f"/run/{folder}/{name}/moby" for name in os.listdir("/run/" + folder) if name.startswith("runtime-")]
            roots += [f"/run/{folder}/containerd/daemon/io.containerd.runtime.v2.task/moby"]
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


def left_behind(before, timeout=120 if EMULATED else 25):
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
    """What was found, told in lines and, for the table of docs/engines.md, as JSON lines in the file that ENGINES_RESULTS names."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.engines = {}
        self.results = os.environ.get("ENGINES_RESULTS")
        if self.results:
            open(self.results, "w").close()

    def tell(self, word, title, text="", **more):
        attribute = {"ok": "passed", "FAILED": "failed", "skipped": "skipped"}[word]
        setattr(self, attribute, getattr(self, attribute) + 1)
        print(f"{word:7} {title}{': ' + text if text else ''}", flush=True)
        engine, case = title.split(": ", 1) if ": " in title else (title, "")
        self.record(kind="case", engine=engine, case=case, outcome=word, text=text, **more)

    def record(self, **what):
        if self.results:
            with open(self.results, "a") as file:
                file.write(json.dumps(what) + "\n")

    def judge(self, engine, **verdicts):
        """Adds to an engine's sums: how often each runtime did what the case expects, and how often they differ."""
        sums = self.engines.setdefault(engine, {"cases": 0})
        sums["cases"] += 1
        for key, value in verdicts.items():
            sums[key] = sums.get(key, 0) + int(value)

    def sums(self):
        for engine, sums in self.engines.items():
            print(f"    {engine}: {sums['cases']} cases, passed with runc {sums['runc']}, with runbox {sums['runbox']}, "
                  f"different {sums['different']} ({sums['explained']} explained)")


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


def named(cases, *names):
    """Those with these names, in their order. One that is called otherwise now would be missed by nobody."""
    lost = set(names) - {case.name for case in cases}
    if lost:
        sys.exit(f"engines: no case has the name {sorted(lost)}")
    return [case for case in cases if case.name in names]


def run_cases(title, engines, cases, count):
    """Engines: the same one with runbox and with another runtime."""
    before = things()
    wanted = os.environ.get("ENGINES_CASES", "")
    for case in (case for case in cases if re.search(wanted, case.name)):
        began = time.monotonic()
        outcomes = both(engines, case)
        left = left_behind(before) if case.clean else []
        name = f"{title}: {case.name}"
        skips = [str(outcome) for outcome in outcomes if isinstance(outcome, Skip)]
        if skips:
            count.tell("skipped", name, skips[0])
            continue
        good = [bool(re.search(case.expected, outcome)) for outcome in outcomes]
        different = outcomes[0] != outcomes[1]
        why = explanation(title, case.name) if different or not good[1] else None
        problems = ["DIFFERENT"] if different and not why else []
        if not good[0] or not (good[1] or why):
            problems.append(f"expected /{case.expected}/")
        if left:
            problems.append("LEFT BEHIND " + ", ".join(left))
            before |= set(left)
        count.judge(title, runbox=good[0] and not left, runc=good[1], different=different, explained=different and bool(why))
        text = "; ".join(problems + ([f"different, explained: {why}"] if why else []) + [show(engines, outcomes)])
        count.tell("FAILED" if problems else "ok", name, text + f" ({time.monotonic() - began:.0f} s)",
                   runbox=good[0], runc=good[1], different=different, why=why)
