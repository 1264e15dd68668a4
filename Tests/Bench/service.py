#!/usr/bin/env python3
"""What it needs to keep one service running: runbox, Podman with conmon, and systemd-nspawn, whichever are there, with the same payload.

    service.py [--runbox PATH] [--nspawn PATH] [--runtime PATH] [--payload PATH] [--rounds N] [--seconds N] [--only NAME[,NAME]]

Prints a table: how long a start takes until the payload runs, which processes stay beside the payload, their memory while the service does nothing (Rss and
what of it is nobody else's, smaps_rollup), and how often they were woken in that time. Then a service of runbox's that sleeps: its supervisor alone, and the
time from a connection to the first byte, beside that of `runbox run`. Needs root, a C compiler with static libc, and cgroup v2.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAME = f"bench-service-{os.getpid()}"


def processes():
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            yield int(entry)


def status(pid):
    """The fields of /proc/PID/status; empty for a process that has gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def memory(pid):
    """Kilobytes: resident, and private."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value = line.split(":")
        fields[name] = int(value.split()[0])
    return fields["Rss"], fields["Private_Clean"] + fields["Private_Dirty"]


def wake_ups(pid):
    fields = status(pid)
    return int(fields.get("voluntary_ctxt_switches", 0)) + int(fields.get("nonvoluntary_ctxt_switches", 0))


class Contender:
    """One way to keep a service running. `starts` begins it and returns the seconds until the payload runs."""

    def __init__(self, options, work):
        self.options, self.work = options, work
        self.rootfs = work / self.name / "rootfs"
        for folder in ("bin", "dev", "proc", "sys", "run", "etc", "tmp", "usr"):
            (self.rootfs / folder).mkdir(parents=True)
        (self.rootfs / "etc/os-release").write_text("ID=bench\n")
        shutil.copy(work / "hello", self.rootfs / "bin/hello")

    @property
    def mark(self):
        return self.rootfs / "started"

    def begin(self):
        self.mark.unlink(missing_ok=True)
        before = time.monotonic()
        self.start()
        while not self.mark.exists():
            if time.monotonic() - before > 20:
                raise RuntimeError(f"{self.name}: the payload has not begun")
            time.sleep(0.0005)
        return time.monotonic() - before

    def call(self, *words, check=True):
        # To a file: what stays behind may keep it open.
        with open(self.work / "output", "w+") as output:
            result = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
            output.seek(0)
            text = output.read()
        if check and result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, words))}: {text}")
        return text

    def beside(self):
        """The processes that were not there before, but for the payload."""
        return [pid for pid in processes() if pid not in self.before and status(pid).get("Name") not in (None, "hello") and "VmRSS" in status(pid)]


class Runbox(Contender):
    name = "runbox"

    def __init__(self, options, work):
        super().__init__(options, work)
        self.program = options.runbox
        self.bundle = work / self.name
        self.root = work / "state"
        self.call(self.program, "spec", "--bundle", self.bundle, "--no-terminal", "--", "/bin/hello")
        config = json.loads((self.bundle / "config.json").read_text())
        config["root"]["readonly"] = False
        (self.bundle / "config.json").write_text(json.dumps(config))

    def runbox(self, *words, **others):
        return self.call(self.program, "--root", self.root, *words, **others)

    def start(self, *flags):
        log = ["--log-path", self.work / "log"]
        self.runbox("run", "--detach", "--restart", "on-failure", *log, *flags, "--bundle", self.bundle, NAME)

    def stop(self):
        self.runbox("delete", "--force", NAME, check=False)

    def version(self):
        return self.call(self.program, "--version").split("\n")[0]


class Podman(Contender):
    name = "podman"

    @property
    def podman(self):
        return ["podman", "--cgroup-manager=cgroupfs", *(["--runtime", self.options.runtime] if self.options.runtime else [])]

    def start(self):
        self.call(
            *self.podman, "run", "--detach", "--rm", "--restart=no", "--name", NAME, "--network=none", "--pids-limit=-1", "--log-driver=k8s-file",
            "--rootfs", self.rootfs, "/bin/hello")

    def stop(self):
        self.call(*self.podman, "rm", "--force", "--time", "0", NAME, check=False)

    def version(self):
        return self.call("podman", "--version").strip() + ", " + self.call("conmon", "--version").split("\n")[0]


class Nspawn(Contender):
    name = "systemd-nspawn"

    def start(self):
        words = [self.options.nspawn or "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--as-pid2"]
        log = open(self.work / "nspawn.log", "w")
        self.child = subprocess.Popen([*words, "-D", str(self.rootfs), "/bin/hello"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self):
        for pid in processes():
            if status(pid).get("Name") == "hello" and pid not in self.before:
                os.kill(pid, signal.SIGKILL)
        self.child.wait(10)

    def version(self):
        return self.call(self.options.nspawn or "systemd-nspawn", "--version").split("\n")[0]


def available(kind, options):
    if kind is Nspawn:
        return bool(options.nspawn or shutil.which("systemd-nspawn"))
    return kind is Runbox or shutil.which("podman")


def measure(contender, options):
    contender.before = set(processes())
    times = []
    for _ in range(options.rounds):
        times.append(contender.begin())
        contender.stop()
        time.sleep(0.3)
    contender.before = set(processes())
    contender.begin()
    time.sleep(2)
    pids = contender.beside()
    names = sorted(status(pid)["Name"] for pid in pids)
    woken = {pid: wake_ups(pid) for pid in pids}
    time.sleep(options.seconds)
    sizes = [memory(pid) for pid in pids]
    woken = sum(wake_ups(pid) - woken[pid] for pid in pids)
    contender.stop()
    return {
        "start": statistics.median(times) * 1000, "names": ", ".join(names), "count": len(pids), "resident": sum(size[0] for size in sizes),
        "private": sum(size[1] for size in sizes), "woken": woken, "version": contender.version(),
    }


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def first_byte(port):
    before = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), 20) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        client.recv(1)
    return time.monotonic() - before


def sleeping(runbox, options):
    """A service that sleeps: its supervisor, and how long the first one who comes waits."""
    port = free_port()
    runbox.before = set(processes())
    runbox.start("--listen", f"tcp:127.0.0.1:{port}", "--on-demand", "--idle", "100ms")
    time.sleep(1)
    pids = runbox.beside()
    woken = sum(wake_ups(pid) for pid in pids)
    time.sleep(options.seconds)
    woken = sum(wake_ups(pid) for pid in pids) - woken
    size = memory(pids[0])
    times = []
    for _ in range(options.rounds):
        state = {}
        while state.get("service", {}).get("status") != "sleeping":
            time.sleep(0.05)
            state = json.loads(runbox.runbox("state", NAME))
        times.append(first_byte(port))
    runbox.stop()
    # The same payload by `run` alone, until it runs.
    direct = []
    for _ in range(options.rounds):
        runbox.mark.unlink(missing_ok=True)
        before = time.monotonic()
        child = subprocess.Popen(
            [runbox.program, "--root", str(runbox.root), "run", "--bundle", str(runbox.bundle), NAME], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not runbox.mark.exists():
            time.sleep(0.0005)
        direct.append(time.monotonic() - before)
        runbox.runbox("kill", NAME, "KILL", check=False)
        child.wait(10)
    first, run = statistics.median(times) * 1000, statistics.median(direct) * 1000
    print(f"\nrunbox, asleep: {size[0]} KiB resident, {size[1]} KiB private, woken {woken} times in {options.seconds} s")
    print(f"first byte of a sleeping service: {first:.1f} ms; `runbox run` until the payload runs: {run:.1f} ms; difference {first - run:+.1f} ms (medians)")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runbox", default=os.environ.get("RUNBOX") or str(HERE.parents[1] / "build/runbox"))
    parser.add_argument("--nspawn", help="another systemd-nspawn than the one on PATH")
    parser.add_argument("--runtime", help="Podman's runtime, instead of its own choice")
    parser.add_argument("--payload", help="Tests/Demo/hello.c, static and compiled with -DMARK='\"/started\"', where there is no compiler")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=60, help="how long nothing is done")
    parser.add_argument("--only", default="runbox,podman,systemd-nspawn")
    options = parser.parse_args()
    if "SERVICE_BENCH_INSIDE" not in os.environ:
        # A pid namespace of its own: the host's other processes are none of ours, and nothing is left when it ends.
        os.environ["SERVICE_BENCH_INSIDE"] = "yes"
        unshare = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "--propagation", "private"]
        os.execvp("unshare", [*unshare, sys.executable, *sys.argv])
    work = pathlib.Path(tempfile.mkdtemp(prefix="runbox-service-bench-"))
    try:
        if options.payload:
            shutil.copy(options.payload, work / "hello")
        else:
            compiler = [os.environ.get("CC", "cc"), "-O2", "-static", "-DMARK=\"/started\""]
            subprocess.run([*compiler, "-o", str(work / "hello"), str(HERE.parent / "Demo/hello.c")], check=True)
        print("| | start, ms | processes | resident, KiB | private, KiB | woken in", options.seconds, "s | version |")
        print("|---|---|---|---|---|---|---|")
        for kind in (Runbox, Podman, Nspawn):
            if kind.name not in options.only.split(","):
                continue
            if not available(kind, options):
                print(f"| {kind.name} | is not there | | | | | |")
                continue
            row = measure(kind(options, work), options)
            print(
                f"| {kind.name} | {row['start']:.1f} | {row['count']}: {row['names']} | {row['resident']} | {row['private']} | {row['woken']} | {row['version']} |",
                flush=True)
        if "runbox" in options.only.split(","):
            shutil.rmtree(work / "runbox")
            sleeping(Runbox(options, work), options)
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
