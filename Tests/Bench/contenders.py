"""What the bench measures: runtimes, each with a state root of its own, and the floor. Each method answers a Sample."""
import contextlib
import os
import pathlib
import select
import shutil
import subprocess
from typing import NamedTuple

PARENT_CGROUP = pathlib.Path("/sys/fs/cgroup/runbox-bench")


class Failed(Exception):
    pass


class Sample(NamedTuple):
    """What one call, or several, cost; the kilobytes are those of the largest process."""
    milliseconds: float
    kilobytes: int
    faults: int
    switches: int

    @classmethod
    def total(cls, samples):
        samples = list(samples)
        return cls(sum(s.milliseconds for s in samples), max(s.kilobytes for s in samples), sum(s.faults for s in samples), sum(s.switches for s in samples))


class Contender:
    """One runtime with a state root of its own."""

    def __init__(self, name, path, bench, cold=False):
        self.name, self.path, self.bench, self.cold = name, path, bench, cold
        self.root = bench.state / name
        self.id = f"bench-{os.getpid()}-{name}"

    def command(self, *arguments):
        return [self.path, "--root", str(self.root), *arguments]

    def call(self, *arguments):
        if self.cold:  # the next start has to compile its filter again
            shutil.rmtree(self.root / ".cache", ignore_errors=True)
        return self.bench.launch(self.command(*arguments))

    def run(self, bundle):
        return self.call("run", "--bundle", str(self.bench.bundles[bundle]), self.id)

    def version(self):
        return self.bench.launch([self.path, "--version"])

    def life(self, bundle):
        """Name of a command → its sample: create, start, state and delete of /bin/true. Waiting for its end lies between and is not counted."""
        pid_file = self.bench.state / f"{self.name}.pid"
        parts = {"create": self.call("create", "--bundle", str(self.bench.bundles[bundle]), "--pid-file", str(pid_file), self.id)}
        init = os.pidfd_open(int(pid_file.read_text()))
        parts["start"] = self.bench.launch(self.command("start", self.id))
        select.select([init], [], [], 10)
        os.close(init)
        self.bench.reap()
        parts["state"] = self.bench.launch(self.command("state", self.id))
        parts["delete"] = self.bench.launch(self.command("delete", self.id))
        parts["life"] = Sample.total(parts[name] for name in ("create", "start", "delete"))
        return parts

    @contextlib.contextmanager
    def sleeper(self):
        """A container to execute things in."""
        self.call("create", "--bundle", str(self.bench.bundles["sleep"]), self.id)
        try:
            self.bench.launch(self.command("start", self.id))
            yield
        finally:
            self.remove()

    def can(self, command):
        """Whether the runtime has a command at all."""
        return subprocess.run(self.command(command, "--help"), capture_output=True, check=False).returncode == 0

    def execute(self):
        return self.bench.launch(self.command("exec", self.id, "/bin/true"))

    def execute_in_terminal(self):
        return self.bench.launch(["-t", *self.command("exec", "--tty", self.id, "/bin/true")])

    def kill(self):
        return self.bench.launch(self.command("kill", self.id, "0"))

    def remove(self):
        subprocess.run(self.command("delete", "--force", self.id), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        self.bench.reap()


class Floor:
    name, cold = "floor", False

    def __init__(self, path, bench):
        self.path, self.bench = path, bench

    def run(self, bundle):
        PARENT_CGROUP.mkdir(exist_ok=True)
        kind, program = {"plain": ("plain", None), "docker": ("docker", self.bench.program), "unfiltered": ("docker", "/dev/null")}[bundle]
        extra = [str(self.bench.work / "files"), str(program)] if program else []
        return self.bench.launch([self.path, kind, str(self.bench.work / "rootfs"), str(PARENT_CGROUP / "floor"), *extra])

    def version(self):
        return self.bench.launch([self.path, "--version"])

    def remove(self):
        with contextlib.suppress(OSError):
            (PARENT_CGROUP / "floor").rmdir()
