#!/usr/bin/env python3
"""Lets each system call of the runtime and of the init fail in turn, and looks at what is said and what is left.

    faults.py --runtime PATH --tools FOLDER [--only WORD[,WORD]] [--sample N [--seed N]] [--seconds N] [--report FILE] [--list]

FOLDER holds `inject` and `payload`, built from the sources beside this file. Each command is run once and its calls are
counted; then it is run again for each (process, call, n, ending), where the ending is ENOMEM, EIO, EPERM, EMFILE, EINTR (the
last two where the call can give them) or SIGKILL. --sample takes so many points of each command, at random.
Ends with a line `N passed, N failed, N skipped` of points; those that a run does not come to are skipped.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import grouping
from points import ERRORS, points
from scenarios import SCENARIOS
from world import World, cgroup_tree

TIMEOUT = 20
REMOVALS = ("unlink", "unlinkat", "rmdir", "umount2")
CRASHES = ("Fatal error", "Illegal instruction", "Crash", "*** Signal", "precondition", "malloc():", "core dumped")


class Result:
    """What the injector wrote."""
    def __init__(self, path):
        self.hit = self.status = self.signal = None
        self.counts = {}
        for line in open(path, errors="replace").read().splitlines() if os.path.exists(path) else ():
            word, _, rest = line.partition(" ")
            if word == "hit":
                self.hit = rest
            elif word == "exit":
                self.status = int(rest)
            elif word == "signal":
                self.signal = int(rest)
            elif word == "count":
                role, call, count = rest.split()
                self.counts[int(role), call] = int(count)


class Injection:
    def __init__(self, world, tools):
        self.world, self.inject = world, os.path.join(tools, "inject")
        self.paths = [os.path.join(world.folder, name) for name in ("result", "stdout", "stderr")]

    def run(self, scenario, point):
        """The command with one fault: what the injector saw, standard output and error, and whether it came to an end."""
        role, call, n, ending = point
        action = {"SIGKILL": "kill", "count": "count"}.get(ending) or str(ERRORS[ending])
        for path in self.paths:
            if os.path.exists(path):
                os.unlink(path)
        streams = scenario.around(self.world)
        words = [self.inject, self.paths[0], str(role), call, str(n), action, self.world.runtime, "--root", self.world.root]
        with open(self.paths[1], "wb") as out, open(self.paths[2], "wb") as errors:
            process = subprocess.Popen(words + scenario.words(self.world), stdin=streams.get("stdin", subprocess.DEVNULL),
                                       stdout=streams.get("stdout", out), stderr=errors, cwd=self.world.bundle)
            output = b""
            try:
                if "stdout" in streams:
                    output = self.drain(process, scenario.master)
                ended = self.world.ended(process, TIMEOUT)
            except subprocess.TimeoutExpired:
                ended = False
            if not ended:
                process.kill()
                process.wait()
        text = output.decode(errors="replace") + open(self.paths[1], errors="replace").read()
        return Result(self.paths[0]), text, open(self.paths[2], errors="replace").read(), ended

    def drain(self, process, master):
        """What comes out of the terminal while the command runs."""
        os.set_blocking(master, False)
        output, end, last = b"", time.monotonic() + TIMEOUT, False
        while True:
            # The kernel passes a terminal's output on a little later.
            if process.poll() is not None and not last:
                time.sleep(0.03)
                last = True
            ended = last
            try:
                output += os.read(master, 65536)
                continue
            except OSError:
                pass
            if ended:
                return output
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("inject", TIMEOUT)
            time.sleep(0.002)


def judge(world, scenario, point, result, output, errors, ended, files):
    """What is wrong after one point: (kind, details) each."""
    role, call, n, ending = point
    wrong = []
    killed = ending == "SIGKILL" and role == 0
    no_memory = call in ("brk", "mmap", "mremap", "mprotect") and ending == "ENOMEM"
    said = [line for line in errors.splitlines() if line and not line.startswith(("warning: ", "note: "))]
    if not ended:
        wrong.append(("hang", "no end after %d s" % TIMEOUT))
    elif result.signal and not killed and not no_memory:
        wrong.append(("crash", "signal %d: %s" % (result.signal, errors[-300:])))
    elif any(word in errors for word in CRASHES) and not no_memory:
        wrong.append(("crash", errors[-300:]))
    elif result.status == 0:
        missing = scenario.missing(world, output, role)
        if missing and "differs" in missing and "warning: " in errors:
            missing = None
        # The program has run, and what is lost of its output was told.
        if missing and "the output of the terminal was lost" in errors:
            missing = None
        if missing:
            wrong.append(("false success", missing))
    elif result.status and not killed and not no_memory:
        # Its status says of what a program died, or what was about to become it.
        if not said and not (ending == "SIGKILL" and result.status == 137):
            wrong.append(("no message", "exit %d, nothing on standard error" % result.status))
        elif len(said) > 1:
            wrong.append(("several lines", errors.strip()))
    dead = killed or not ended or result.signal
    if not dead and result.status and scenario.creates:
        # What could not be taken away is ended by `delete --force`, which follows.
        found = world.settled() if call not in REMOVALS else []
        if found:
            wrong.append(("left", "; ".join(found)))
    after = scenario.after(world)
    if after and not dead and "the settings of the terminal could not be restored" not in errors:
        wrong.append(("changed", after))
    if not (scenario.keeps and not dead and not wrong):
        wrong += clean(world, scenario)
    changes = world.changed(files)
    if changes:
        wrong.append(("host changed", "; ".join(changes)))
    return wrong


def clean(world, scenario):
    """Whatever is there has to go by `delete --force`."""
    world.expected = set()
    wrong = []
    if os.path.isdir(os.path.join(world.root, world.id)) or world.left():
        status, text = scenario.stop(world)
        found = world.settled()
        if status:
            wrong.append(("delete --force fails", text))
        if found:
            wrong.append(("left after delete --force", "; ".join(found)))
            world.purge()
    return wrong


def record(injection, world, scenario):
    """A first run for what comes out, and a second, counted one."""
    scenario.configure(world)
    for _ in range(2):
        scenario.prepare(world)
        result, output, errors, ended = injection.run(scenario, (0, "openat", 0, "count"))
        assert ended and result.status == 0, "%s without a fault: %s %s" % (scenario.name, result.status, errors)
        scenario.known = output
        missing = scenario.missing(world, output)
        after = scenario.after(world)
        assert not missing and not after, "%s without a fault: %s\n%s%s" % (scenario.name, missing or after, output, errors)
        if not scenario.keeps:
            wrong = clean(world, scenario)
            assert not wrong, wrong
    return points(result.counts)


def try_all(arguments, world, injection, report):
    tried = skipped = failed = 0
    began = time.monotonic()
    chosen = random.Random(arguments.seed)
    for scenario in SCENARIOS:
        if arguments.only and scenario.name not in arguments.only.split(","):
            continue
        if scenario.name == "update" and not os.path.exists("/sys/kernel/mm/hugepages/hugepages-2048kB"):
            print("update: skipped: no huge pages of 2 MB, whose limit is changed")
            continue
        before = world.files()
        try:
            todo = record(injection, world, scenario)
        except AssertionError as error:
            print("%s: FAILED: %s" % (scenario.name, str(error)[:1000]), flush=True)
            failed += 1
            world.purge()
            continue
        files = {"before": before, "after": world.files()}
        if arguments.sample and arguments.sample < len(todo):
            todo = chosen.sample(todo, arguments.sample)
        counts = [0, 0, 0]
        start = time.monotonic()
        for point in todo:
            if arguments.seconds and time.monotonic() - began > arguments.seconds:
                break
            scenario.prepare(world)
            result, output, errors, ended = injection.run(scenario, point)
            wrong = judge(world, scenario, point, result, output, errors, ended, files)
            counts[0 if result.hit and not wrong else 1 if wrong else 2] += 1
            for kind, details in wrong:
                report.write(json.dumps(dict(scenario=scenario.name, role=point[0], call=point[1], n=point[2], ending=point[3],
                                             hit=result.hit, status=result.status, stderr=errors.strip()[-500:], kind=kind, details=details)) + "\n")
                report.flush()
        world.expected = set()
        scenario.stop(world)
        world.purge()
        print("%s: %d points, %d failed, %d not reached, %d s" % (scenario.name, sum(counts), counts[1], counts[2], time.monotonic() - start), flush=True)
        tried, failed, skipped = tried + counts[0], failed + counts[1], skipped + counts[2]
    return tried, failed, skipped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runtime", default=os.environ.get("RUNBOX"))
    parser.add_argument("--tools", required=True)
    parser.add_argument("--only")
    parser.add_argument("--sample", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--report")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(scenario.name for scenario in SCENARIOS))
        return
    if os.geteuid() != 0 or not cgroup_tree():
        print("skipped: faults are tried as root, with a cgroup v2 tree\n0 passed, 0 failed, 1 skipped")
        return
    folder = tempfile.mkdtemp(prefix="runbox-faults-")
    report_path = arguments.report or os.path.join(folder, "faults.json")
    world = World(folder, os.path.realpath(arguments.runtime), os.path.join(arguments.tools, "payload"))
    if arguments.sample:
        print("sample of %d points a command, seed %d" % (arguments.sample, arguments.seed))
    try:
        with open(report_path, "w") as report:
            passed, failed, skipped = try_all(arguments, world, Injection(world, arguments.tools), report)
        text = grouping.group(report_path)
        if text:
            print(text)
        print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    finally:
        world.purge()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
