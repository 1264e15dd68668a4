"""runbox is killed at random moments of what an engine asks of it; then the engine removes the container with a runbox that lives, and nothing is left."""

import os

import ctr
import docker
import podman
from bench import RUNBOX, WORK, left_behind, sh, things, write

FOLDER = WORK + "/killer"
# What the engine is given as its runtime. Random numbers are drawn beforehand, so that only the delay lies between
# start and end.
KILLER = f"""#!/bin/sh
read -r which within < {FOLDER}/plan
case " $* " in *" $which "*) ;; *) exec {RUNBOX} "$@" ;; esac
delay=$(($(od -An -N4 -tu4 /dev/urandom) % within))
{RUNBOX} "$@" <&0 &
busybox usleep $delay
kill -9 $! 2> /dev/null
wait $!
code=$?
[ $code = 137 ] && echo "$delay" >> {FOLDER}/killed || echo "$delay" >> {FOLDER}/missed
exit $code
"""


# How long a command may last here, in microseconds: where the draw begins. It follows what is seen.
WITHIN = {"create": 120_000, "start": 30_000, "exec": 80_000, "kill": 30_000, "delete": 50_000}


def lines(name):
    try:
        with open(f"{FOLDER}/{name}") as file:
            return [int(line) for line in file]
    except OSError:
        return []


def plan(word, within=1):
    write(FOLDER + "/plan", f"{word} {within}\n")


class WithPodman:
    def __init__(self, manager):
        self.engine = podman.Podman(manager, FOLDER + "/runbox", "kill")
        self.title = f"{'podman' if os.geteuid() == 0 else 'podman rootless'} {manager}"
        self.name = self.engine.name("k")

    def live(self, phase):
        sh(*self.engine.words("run", "-d", "--name", self.name, podman.BOX, "sleep", "1000"))
        if phase == "exec":
            sh(*self.engine.words("exec", self.name, "true"))
        if phase == "delete":
            sh(*self.engine.words("rm", "-f", "-t", "0", self.name))

    def recover(self):
        """None, or what the engine said."""
        status, out, err = sh(*self.engine.words("rm", "-f", "-t", "0", self.name))
        there = sh(*self.engine.words("ps", "-aq", "--filter", "name=" + self.name))[1]
        return f"podman rm -f: {status} {err.strip()}" if there.strip() else None

    def again(self):
        return self.engine.box("--name", self.name, podman.BOX, "echo", "fine").endswith("fine")


class WithCtr:
    def __init__(self, manager):
        self.engine = ctr.Ctr(manager, FOLDER + "/runbox", "kill")
        self.title, self.name = f"ctr {manager}", self.engine.name("k")

    def live(self, phase):
        self.engine.run("k", "sleep", "1000", detach=True)
        if phase == "exec":
            self.engine.exec("k", "true")
        if phase in ("kill", "delete"):
            self.engine.do("task", "kill", "--signal", "SIGKILL", self.name)
            self.engine.do("task", "delete", self.name)

    def recover(self):
        self.engine.do("task", "kill", "--all", "--signal", "SIGKILL", self.name)
        task = self.engine.do("task", "delete", "--force", self.name)
        container = self.engine.do("container", "delete", self.name)
        there = [line for what in ("task", "container") for line in sh("ctr", what, "ls")[1].splitlines() if line.startswith(self.name)]
        return f"{task}; {container}" if there else None

    def again(self):
        return "fine" in self.engine.run("k", "echo", "fine")


class WithDocker:
    """Through a runtime of the daemon's that is called killer."""

    def __init__(self, daemon, manager):
        self.engine = docker.Docker(daemon, FOLDER + "/runbox", "killer")
        self.title, self.name = f"docker {manager}", self.engine.name("k")

    def live(self, phase):
        self.engine.long("k")
        if phase == "exec":
            self.engine.exec("k", "true")
        if phase == "kill":
            self.engine.do("kill", self.name)
        if phase == "delete":
            self.engine.drop("k")

    def recover(self):
        said = self.engine.drop("k")
        there = self.engine.do("ps", "-aq", "--filter", "name=" + self.name)
        return f"docker rm -f: {said}" if len(there.splitlines()) > 1 else None

    def again(self):
        return self.engine.box("--name", self.name, docker.BOX, "echo", "fine").endswith("fine")


def end_shim(container):
    """Docker 28 leaves the shim of a container whose `delete` failed, with any runtime; containerd cleans up behind a shim that ends."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                words = file.read().split("\0")
            if "shim" in words[0] and container in words:
                os.kill(int(pid), 9)
        except OSError:
            pass  # gone since
    return 1


def by_hand(thing):
    """An engine whose `delete` failed can have forgotten the container, with any runtime; then it is for `delete --force`. Whether it was called for."""
    kind, path = thing.split(" ", 1)
    if kind == "process" and path.startswith("containerd-shim ") and "moby" in path:
        return end_shim(path.split(" -id ")[1].split()[0])
    if kind != "state" or "/io.containerd" in path:
        return 0
    root, name = path.rsplit("/", 1)
    sh(RUNBOX, "--root", root, "delete", "--force", name)
    return 1


def run(subject, phases, rounds, count):
    plan("nothing")
    write(FOLDER + "/runbox", KILLER, 0o755)
    before = things()
    for phase in phases:
        problems, within, turn, forgotten = [], WITHIN[phase], 0, 0
        for name in ("killed", "missed"):
            write(f"{FOLDER}/{name}", "")
        while len(lines("killed")) < rounds and turn < (2 if lines("killed") else 4) * rounds:
            turn, missed = turn + 1, len(lines("missed"))
            plan(phase, within)
            subject.live(phase)
            plan("nothing")
            trouble = subject.recover()
            left = left_behind(before, 8)
            for thing in left:
                forgotten += by_hand(thing)
            left = left_behind(before) if left else []
            if trouble or left:
                problems.append(f"round {turn}: {trouble or ''} LEFT BEHIND {', '.join(left)}")
                before |= set(left)
            # So that about as many moments lie before the end as can be drawn.
            within = int(within * (0.5 if len(lines("missed")) > missed else 1.2))
        if not subject.again():
            problems.append("no container can be made after that")
        killed = sorted(lines("killed"))
        text = f"{turn} rounds, killed {len(killed)} times, after ms {[delay // 1000 for delay in killed]}"
        if forgotten:
            text += f"; {forgotten} that the engine had forgotten went by delete --force, or with the shim"
        if not killed:
            count.tell("skipped", f"{subject.title}: killed in {phase}", "it was always faster")
            continue
        count.tell("FAILED" if problems else "ok", f"{subject.title}: killed in {phase}", "; ".join(problems + [text]))
