"""What the bench measures: runtimes, each with a state root of its own, and the floor. Each method answers (milliseconds, kilobytes)."""
import contextlib
import os
import pathlib
import select
import shutil
import subprocess

PARENT_CGROUP = pathlib.Path("/sys/fs/cgroup/runbox-bench")


class Failed(Exception):
    pass


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
        """create, start and delete. Waiting for /bin/true to end lies between and is not counted."""
        pid_file = self.bench.state / f"{self.name}.pid"
        spent, memory = self.call("create", "--bundle", str(self.bench.bundles[bundle]), "--pid-file", str(pid_file), self.id)
        calls = [(spent, memory)]
        init = os.pidfd_open(int(pid_file.read_text()))
        calls.append(self.bench.launch(self.command("start", self.id)))
        select.select([init], [], [], 10)
        os.close(init)
        self.bench.reap()
        calls.append(self.bench.launch(self.command("delete", self.id)))
        return sum(spent for spent, _ in calls), max(memory for _, memory in calls)

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
