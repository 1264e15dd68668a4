#!/usr/bin/env python3
"""speed.py STOPWATCH [ROUNDS]: how long an operator waits for `docker|podman|ctr run --rm` and `exec`, with runc, crun and runbox in turn, and which part of
it is the runtime's own time. For a host that is thrown away (Tests/VM, room-run); STOPWATCH is stopwatch.c's program, RUNBOX names the executable.
Prints the tables of docs/engines.md."""

import os
import shutil
import statistics
import subprocess
import sys
import time

from bench import HERE, RUNBOX, RUNTIME_DIR, WORK, make_image_tree, must, sh, which, write

sys.path.insert(0, HERE + "/../Bench")
import v2view

RUNTIMES = {"runc": which("runc"), "crun": which("crun"), "runbox": RUNBOX}
WATCHED = WORK + "/watched"
BOX = "localhost/box"
# Without all controllers no engine's container runs with every runtime: then each of them is asked through the
# stopwatch, which takes the limits away.
with open("/sys/fs/cgroup/cgroup.controllers") as controllers:
    LIMITLESS = not {"cpu", "io", "memory", "pids"} <= set(controllers.read().split())


def watch(stopwatch):
    """For each runtime a folder with the stopwatch before it."""
    for name, path in RUNTIMES.items():
        folder = f"{WATCHED}/{name}"
        os.makedirs(folder, exist_ok=True)
        shutil.copy(stopwatch, f"{folder}/{name}")
        os.symlink(path, f"{folder}/real")
        if LIMITLESS:
            write(f"{folder}/strip", "")


def program(runtime, watched):
    return f"{WATCHED}/{runtime}/{runtime}" if watched or LIMITLESS else RUNTIMES[runtime]


def calls(name):
    """What the runtime's calls took since the last look, in milliseconds, by command."""
    path, found = f"{WATCHED}/{name}/log", {}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                nanoseconds, command = line.split()
                found[command] = found.get(command, 0) + int(nanoseconds) / 1e6
        os.unlink(path)
    return found


class Docker:
    name = "docker"

    def __init__(self):
        runtimes = {f"{word}-{name}": program(name, word == "watched") for name in RUNTIMES for word in ("plain", "watched")}
        listed = ", ".join(f'"{name}": {{"path": "{path}"}}' for name, path in runtimes.items())
        data = os.environ.get("TMPDIR", "/var/tmp") + "/speed-docker"
        write(WORK + "/speed-docker.json", f'{{"data-root": "{data}", "runtimes": {{{listed}}}}}')
        self.daemon = subprocess.Popen(["dockerd", "--config-file", WORK + "/speed-docker.json"], stdin=subprocess.DEVNULL,
                                       stdout=open(WORK + "/speed-docker.log", "w"), stderr=subprocess.STDOUT)
        wait_for("docker", "version")
        must("docker", "import", make_image_tree(), BOX)

    def words(self, runtime, watched):
        return ["docker", "run", "--runtime", f"{'watched' if watched else 'plain'}-{runtime}"]

    def run(self, runtime, watched):
        return [*self.words(runtime, watched), "--rm", "--network", "none", BOX, "true"]

    def begin(self, runtime, watched):
        must(*self.words(runtime, watched), "-d", "--network", "none", "--name", f"e-{runtime}-{watched}", BOX, "sleep", "10000")

    def exec(self, runtime, watched):
        return ["docker", "exec", f"e-{runtime}-{watched}", "true"]

    def end(self, runtime, watched):
        sh("docker", "rm", "-f", f"e-{runtime}-{watched}")

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait()


class Podman:
    name = "podman"

    def __init__(self):
        os.environ["CONTAINERS_CONF"], os.environ["CONTAINERS_STORAGE_CONF"] = WORK + "/speed-containers.conf", WORK + "/speed-storage.conf"
        write(WORK + "/speed-containers.conf", '[engine]\nevents_logger = "file"\nimage_copy_tmp_dir = "storage"\n[containers]\nlog_driver = "k8s-file"\n')
        graph = os.environ.get("TMPDIR", "/var/tmp") + "/speed-graph"
        write(WORK + "/speed-storage.conf", f'[storage]\ndriver = "overlay"\ngraphroot = "{graph}"\nrunroot = "{RUNTIME_DIR}/speed-containers"\n')
        must("podman", "import", make_image_tree(), BOX)

    def words(self, runtime, watched):
        return ["podman", "--cgroup-manager", "cgroupfs", "--runtime", program(runtime, watched)]

    def run(self, runtime, watched):
        return [*self.words(runtime, watched), "run", "--rm", "--network", "none", BOX, "true"]

    def begin(self, runtime, watched):
        must(*self.words(runtime, watched), "run", "-d", "--network", "none", "--name", f"e-{runtime}-{watched}", BOX, "sleep", "10000")

    def exec(self, runtime, watched):
        return [*self.words(runtime, watched), "exec", f"e-{runtime}-{watched}", "true"]

    def end(self, runtime, watched):
        sh(*self.words(runtime, watched), "rm", "-f", "-t", "0", f"e-{runtime}-{watched}")

    def stop(self):
        pass


class Ctr:
    name = "ctr"

    def __init__(self):
        import ctr
        self.box, self.count = ctr.BOX, 0
        self.stop = ctr.settle()

    def words(self, runtime, watched):
        self.count += 1
        return ["--runc-binary", program(runtime, watched)]

    def run(self, runtime, watched):
        return ["ctr", "run", "--rm", "--cpu-shares", "0", *self.words(runtime, watched), self.box, f"r{self.count}", "true"]

    def begin(self, runtime, watched):
        must("ctr", "run", "--detach", "--cpu-shares", "0", *self.words(runtime, watched), self.box, f"e-{runtime}-{watched}", "sleep", "10000")

    def exec(self, runtime, watched):
        self.count += 1
        return ["ctr", "task", "exec", "--exec-id", f"x{self.count}", f"e-{runtime}-{watched}", "true"]

    def end(self, runtime, watched):
        sh("ctr", "task", "delete", "--force", f"e-{runtime}-{watched}")
        sh("ctr", "container", "delete", f"e-{runtime}-{watched}")


def wait_for(*words):
    for _ in range(200):
        if sh(*words)[0] == 0:
            return
        time.sleep(0.2)
    sys.exit(f"speed: no answer to {' '.join(words)}")


def timed(words):
    began = time.monotonic()
    process = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if process.returncode != 0:
        sys.exit(f"speed: {' '.join(words)}: {process.returncode}: {process.stderr.decode(errors='replace')}")
    return (time.monotonic() - began) * 1000


def measure(engine, rounds):
    """By command and runtime the times of the engine's command, and of the runtime's calls within it."""
    times, parts = {}, {}
    names = list(RUNTIMES)
    for watched in (False, True):
        for name in names:
            engine.begin(name, watched)
            timed(engine.run(name, watched)), timed(engine.exec(name, watched)), calls(name)
        for turn in range(rounds):
            for name in names[turn % 3:] + names[:turn % 3]:
                for what in ("run", "exec"):
                    took = timed(getattr(engine, what)(name, watched))
                    if not watched:
                        times.setdefault((what, name), []).append(took)
                        continue
                    # What an engine does after it has answered (containerd's shim deletes later) belongs to the call
                    # all the same.
                    time.sleep(0.05)
                    parts.setdefault((what, name), []).append((sum(calls(name).values()), took))
        for name in names:
            engine.end(name, watched)
    return times, parts


def main():
    stopwatch, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    os.makedirs(WORK, exist_ok=True)
    watch(stopwatch)
    v2view.let_memlock_pass()
    print("| Command | runc | crun | runbox | runbox/runc | runbox/crun | runtime's part: runc | crun | runbox |")
    print("|---|---|---|---|---|---|---|---|---|")
    for make, program in ((Docker, "dockerd"), (Podman, "podman"), (Ctr, "containerd")):
        if not which(program):
            continue
        engine = make()
        times, parts = measure(engine, rounds)
        for what in ("run", "exec"):
            middle = {name: statistics.median(times[what, name]) for name in RUNTIMES}
            least = {name: min(times[what, name]) for name in RUNTIMES}
            own = {name: statistics.median(part for part, _ in parts[what, name]) for name in RUNTIMES}
            whole = {name: statistics.median(took for _, took in parts[what, name]) for name in RUNTIMES}
            cells = [f"{middle[name]:.0f} ms (min {least[name]:.0f})" for name in RUNTIMES]
            cells += [f"{middle['runbox'] / middle[other]:.2f}" for other in ("runc", "crun")]
            cells += [f"{own[name]:.1f} ms, {100 * own[name] / whole[name]:.0f} %" for name in RUNTIMES]
            print(f"| {engine.name} {what}{' --rm' if what == 'run' else ''} | " + " | ".join(cells) + " |", flush=True)
        engine.stop()


if __name__ == "__main__":
    main()
