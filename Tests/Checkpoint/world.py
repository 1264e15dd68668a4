"""What the cases of Tests/Checkpoint have in common: bundles, the runtimes beside each other, waiting, and what may be left of a container: nothing."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
RUNBOX = os.environ.get("RUNBOX", os.path.join(HERE, "../../build/runbox"))
COUNTER = os.environ.get("COUNTER", os.path.join(HERE, "../../build/counter"))
WORK = os.environ.get("CHECKPOINT_WORK", "/var/scratch/checkpoint" if os.path.isdir("/var/scratch") else "/tmp/runbox-checkpoint")


class Skip(Exception):
    """The case cannot be shown here; the reason is its text."""


def join(config, network):
    """The container's network namespace is the one with that name, which `ip netns` has made."""
    for entry in config["linux"]["namespaces"]:
        if entry["type"] == "network":
            entry["path"] = f"/run/netns/{network}"


def sh(*words, **options):
    """The status and both outputs of a command, as one text with the status in front where it is not 0."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=options.pop("timeout", 120), stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout, done.stderr


def wait(what, seconds=20):
    """What a function returns once it is true; None after a while."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = what()
        if result:
            return result
        time.sleep(0.05)
    return None


def lacking():
    """Why CRIU does not work here; None where it does."""
    if os.geteuid() != 0:
        return "saving processes needs root"
    if not shutil.which("criu"):
        return "there is no criu"
    place = f"{WORK}/probe"
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    with subprocess.Popen(["setsid", "sleep", "100"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sleeper:
        time.sleep(0.3)
        status, out, err = sh("criu", "dump", "-t", sleeper.pid, "-D", place, "-R", "-o", "log")
        sleeper.kill()
    if status == 0:
        return None
    with open(f"{place}/log") as log:
        errors = re.findall(r"Error \([^)]*\): (.*)", log.read())
    return f"this kernel ({os.uname().release}) and {sh('criu', '--version')[1].splitlines()[0]}: {errors[0] if errors else err}"


class Side:
    """One runtime with containers of its own."""

    def __init__(self, name, binary):
        self.name, self.binary = name, binary
        self.root = f"{WORK}/state-{name}"
        # What goes wrong in a detached command: its standard error would be the container's.
        self.log = f"{WORK}/log-{name}"
        self.number = 0
        self.begun = []

    # Bundles

    def bundle(self, *arguments, name="b", change=None, terminal=False):
        """A fresh bundle whose program is the counter, as runbox spec writes it but for what the change does."""
        self.number += 1
        self.base = f"{WORK}/{self.name}-{self.number}"
        shutil.rmtree(self.base, ignore_errors=True)
        path = f"{self.base}/{name}"
        for folder in ("bin", "proc", "dev", "sys", "tmp", "etc", "data"):
            os.makedirs(f"{path}/rootfs/{folder}")
        shutil.copy("/bin/busybox", f"{path}/rootfs/bin/busybox")
        shutil.copy(COUNTER, f"{path}/rootfs/bin/counter")
        for link in ("sh", "cat", "sleep", "ls", "stat", "grep", "id", "touch", "mknod", "hostname"):
            os.symlink("busybox", f"{path}/rootfs/bin/{link}")
        sh(RUNBOX, "spec", "--bundle", path)
        with open(f"{path}/config.json") as file:
            config = json.load(file)
        config["ociVersion"] = "1.0.2"
        config["process"]["terminal"] = terminal
        config["process"]["args"] = ["/bin/counter", "out=/data/n", *arguments]
        config["root"]["readonly"] = False
        config["linux"]["cgroupsPath"] = f"/checkpoint-{self.name}/c{self.number}"
        if change:
            change(config)
        self.write(path, config)
        self.path = path
        self.id = f"{self.name}-{self.number}"
        return path

    def write(self, path, config):
        with open(f"{path}/config.json", "w") as file:
            json.dump(config, file)

    def config(self, path=None):
        with open(f"{path or self.path}/config.json") as file:
            return json.load(file)

    # Commands

    def words(self, *words):
        return [self.binary, "--root", self.root, "--log", self.log, *map(str, words)]

    def do(self, *words, **options):
        return sh(*self.words(*words), **options)

    def told(self, *words, **options):
        """`done`, or the first line of what was wrong."""
        status, out, err = self.do(*words, **options)
        if status == 0:
            return "done"
        return "refused"

    def start(self, *words, id=None, **options):
        """A detached container; its streams are the null device unless they are given."""
        id = id or self.id
        self.begun.append(id)
        code, said = self.detached(self.words("run", "-d", "--bundle", self.path, *words, id), options)
        if code != 0:
            raise AssertionError(f"run: {said}")
        if not wait(lambda: self.last() > 0):
            raise AssertionError("the counter does not begin")

    def checkpoint(self, *words, id=None, image="image"):
        # crun makes no folder for CRIU's work.
        os.makedirs(f"{self.base}/work", exist_ok=True)
        return self.do("checkpoint", "--image-path", f"{self.base}/{image}", "--work-path", f"{self.base}/work", *words, id or self.id)

    def restore(self, *words, id=None, image="image", bundle=None, **options):
        id = id or self.id
        self.begun.append(id)
        os.makedirs(f"{self.base}/work", exist_ok=True)
        code, said = self.detached(
            self.words("restore", "-d", "--image-path", f"{self.base}/{image}", "--work-path", f"{self.base}/work", "--bundle", bundle or self.path, *words, id), options)
        return code, "", said

    def detached(self, words, options):
        """The status and message of a command whose container keeps its streams: a pipe would have no end."""
        with open(self.log, "w"):
            options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
        code = subprocess.run(words, timeout=120, **options).returncode
        with open(self.log) as log:
            return code, log.read()

    def state(self, id=None):
        status, out, _ = self.do("state", id or self.id)
        return json.loads(out) if status == 0 else {}

    def status(self, id=None):
        return self.state(id).get("status", "gone")

    def pid(self, id=None):
        return self.state(id).get("pid", 0)

    def cgroup(self, id=None):
        with open(f"/proc/{self.pid(id)}/cgroup") as file:
            return "/sys/fs/cgroup" + file.read().strip().split(":")[-1]

    # The count

    def numbers(self, path=None):
        try:
            with open(path or f"{self.path}/rootfs/data/n") as file:
                return [int(line) for line in file.read().split("\n")[:-1] if line]
        except FileNotFoundError:
            return []

    def last(self, path=None):
        numbers = self.numbers(path)
        return numbers[-1] if numbers else 0

    def counts_on(self, path=None):
        """Whether it goes on, and no number is lost or comes twice."""
        before = self.last(path)
        if not wait(lambda: self.last(path) > before + 3):
            return "stands"
        numbers = self.numbers(path)
        return "counts" if numbers == list(range(1, len(numbers) + 1)) else "loses"

    # The end

    def clean(self):
        for id in dict.fromkeys(self.begun):
            self.do("delete", "--force", id)
        self.begun = []

    def leftovers(self, *ids):
        """What is left of containers: state, cgroups, mounts."""
        found = [f"state {id}" for id in ids if os.path.exists(f"{self.root}/{id}")]
        tree = f"/sys/fs/cgroup/checkpoint-{self.name}"
        if os.path.isdir(tree):
            found += [f"cgroup {name}" for name in os.listdir(tree) if os.path.isdir(f"{tree}/{name}")]
        with open("/proc/self/mountinfo") as file:
            found += [line.split()[4] for line in file if f"{WORK}/{self.name}-" in line]
        return ", ".join(found) or "nothing left"
