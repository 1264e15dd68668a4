#!/usr/bin/env python3
"""Measures runbox against whatever of crun and runc is installed, and all of them against the floor (floor.c), in pairs.

    bench.py [--quick] [--rounds N] [--json] [--runbox PATH] [--only CASE[,CASE]]

In each round every contender runs once, and the order turns from round to round, so that what the machine does meanwhile hits all alike. Needs root, a C
compiler with static libc, and static busybox. RUNBOX in the environment names the binary too; without either it is build/runbox.

Cases: run-docker run-unfiltered run-plain exec life start-up memory memory-limit.
"""
import argparse
import contextlib
import ctypes
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # no __pycache__ of root's in the source tree

import bundles
import seccomp_program
import v2view
from contenders import PARENT_CGROUP, Contender, Failed, Floor

HERE = pathlib.Path(__file__).resolve().parent
PR_SET_CHILD_SUBREAPER = 36


class Bench:
    def __init__(self, work, state, options):
        self.work, self.state, self.options = work, state, options
        self.launcher = self.compile("launch")
        self.bundles = bundles.make(work)
        sleeping = json.loads((self.bundles["docker"] / "config.json").read_text())
        sleeping["process"]["args"] = ["/bin/sleep", "1000"]
        self.bundles["sleep"] = bundles.write_bundle(work / "sleep", sleeping)
        unfiltered = json.loads((self.bundles["docker"] / "config.json").read_text())
        del unfiltered["linux"]["seccomp"]
        self.bundles["unfiltered"] = bundles.write_bundle(work / "unfiltered", unfiltered)
        self.program = work / "seccomp.program"
        seccomp_program.compile_profile(bundles.seccomp(), self.program)
        self.contenders = self.find_contenders()

    def compile(self, name):
        program = self.work / name
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-static", "-o", str(program), str(HERE / f"{name}.c")], check=True)
        return str(program)

    def find_contenders(self):
        found = []
        runbox = self.options.runbox or str(HERE.parents[1] / "build" / "runbox")
        if os.access(runbox, os.X_OK):
            path = os.path.abspath(runbox)
            found += [Contender("runbox", path, self), Contender("runbox-cold", path, self, cold=True)]
        elif self.options.runbox:
            sys.exit(f"{runbox}: not a program")
        else:
            print("runbox is not built; measuring the others", file=sys.stderr)
        found += [Contender(name, shutil.which(name), self) for name in ("crun", "runc") if shutil.which(name)]
        return found + [Floor(self.compile("floor"), self)]

    def launch(self, command):
        """Milliseconds and kilobytes of one call."""
        with open(self.work / "errors", "w+") as errors:  # not a pipe: a container that `create` leaves behind would hold it open
            done = subprocess.run([self.launcher, *command], stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
            errors.seek(0)
            complaint = errors.read().strip()
        if done.returncode != 0:
            raise Failed(complaint)
        nanoseconds, kilobytes, status = map(int, done.stdout.split())
        if status != 0:
            raise Failed(f"{' '.join(command)}: exit status {status}: {complaint}")
        return nanoseconds / 1e6, kilobytes

    def reap(self):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def rounds(self, contenders, measure, rounds):
        """name → one (milliseconds, kilobytes) a round. Two rounds before the first one warm the caches up."""
        results = {contender.name: [] for contender in contenders}
        for number in range(-2, rounds):
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                result = measure(contender)
                if number >= 0:
                    results[contender.name].append(result)
        return results

    def clean_up(self):
        for contender in getattr(self, "contenders", []):
            contender.remove()
        if PARENT_CGROUP.exists():
            for cgroup in [*PARENT_CGROUP.glob("*/"), PARENT_CGROUP]:
                with contextlib.suppress(OSError):
                    cgroup.rmdir()


# ---- the cases ----

def run_case(bundle):
    def case(bench, rounds):
        contenders = [c for c in bench.contenders if bundle == "docker" or not c.cold]  # where there is no filter, cold and warm are one
        return bench.rounds(contenders, lambda contender: contender.run(bundle), rounds)

    return case


def runtimes(bench):
    """Those that keep containers, each only once."""
    return [c for c in bench.contenders if isinstance(c, Contender) and not c.cold]


def life_case(bench, rounds):
    return bench.rounds(runtimes(bench), lambda contender: contender.life("docker"), rounds)


def exec_case(bench, rounds):
    contenders = [c for c in runtimes(bench) if c.can("exec")]
    with contextlib.ExitStack() as stack:
        for contender in contenders:
            stack.enter_context(contender.sleeper())
        return bench.rounds(contenders, lambda contender: contender.execute(), rounds)


def start_up_case(bench, rounds):
    contenders = [c for c in bench.contenders if not c.cold]
    return bench.rounds(contenders, lambda contender: contender.version(), rounds)


CASES = {
    "run-docker": ("run /bin/true, Docker-like bundle", run_case("docker")),
    # Runtimes without a cache spend most of the case above in libseccomp; this one compares the rest.
    "run-unfiltered": ("run /bin/true, Docker-like bundle without its seccomp profile", run_case("unfiltered")),
    "run-plain": ("run /bin/true, plain bundle", run_case("plain")),
    "exec": ("exec /bin/true", exec_case),
    "life": ("create + start + delete, Docker-like bundle", life_case),
    "start-up": ("start-up (--version)", start_up_case),
}


def smallest_limit(starts, low=16, high=26):
    """The smallest power of two, in bytes, that `starts`; None where not even 2**high does."""
    if not starts(1 << high):
        return None
    while low < high:
        middle = (low + high) // 2
        if starts(1 << middle):
            high = middle
        else:
            low = middle + 1
    return 1 << high


def memory_limits(bench):
    controllers = (v2view.CGROUP / "cgroup.controllers").read_text().split()
    if "memory" not in controllers:
        return f"skipped: cgroup v2 has no memory controller on this machine (it has: {' '.join(controllers) or 'none'})"
    config = json.loads((bench.bundles["docker"] / "config.json").read_text())
    bench.bundles["limited"] = bundles.write_bundle(bench.work / "limited", config)

    def starts(contender, limit):
        config["linux"]["resources"]["memory"] = {"limit": limit}
        (bench.bundles["limited"] / "config.json").write_text(json.dumps(config))
        try:
            for _ in range(3):  # near the edge the outcome varies
                contender.run("limited")
            return True
        except Failed:
            contender.remove()
            return False

    return {contender.name: smallest_limit(lambda limit, c=contender: starts(c, limit)) for contender in runtimes(bench)}


# ---- the table ----

def summary(samples, base):
    """Of one contender: median, minimum, and both as ratios to the base; the ratio of medians is that of the pairs, round by round."""
    result = {"median": statistics.median(samples), "minimum": min(samples)}
    if base:
        result["ratio"] = statistics.median(mine / theirs for mine, theirs in zip(samples, base))
        result["ratio_minimum"] = min(samples) / min(base)
    return result


def summarise(results, column):
    base = [sample[column] for sample in results.get("crun", [])]
    return {name: summary([sample[column] for sample in samples], base) for name, samples in results.items()}


def print_table(title, unit, rows, scale=1):
    print(f"\n{title}")
    print(f"    {'':12} {'median':>10} {'minimum':>10} {'median/crun':>12} {'minimum/crun':>13}")
    for name, row in rows.items():
        ratios = f" {row['ratio']:>12.2f} {row['ratio_minimum']:>13.2f}" if "ratio" in row else ""
        print(f"    {name:12} {row['median'] / scale:>7.2f} {unit} {row['minimum'] / scale:>7.2f} {unit}{ratios}")


def print_limits(limits):
    print("\nsmallest memory limit that starts /bin/true")
    if isinstance(limits, str):
        print(f"    {limits}")
        return
    for name, limit in limits.items():
        print(f"    {name:12} {f'{limit // 1024} KiB' if limit else 'more than 64 MiB'}")


def measure(bench, options):
    rounds = options.rounds or (8 if options.quick else 60)
    wanted = options.only.split(",") if options.only else [*CASES, "memory", "memory-limit"]
    report = {"rounds": rounds, "versions": {c.name: first_line(c.path) for c in bench.contenders}, "cases": {}}
    for name, (title, case) in CASES.items():
        if name not in wanted and not (name == "run-docker" and "memory" in wanted):
            continue
        results = case(bench, rounds)
        report["cases"][name] = summarise(results, 0)
        if not options.json and name in wanted:
            print_table(title, "ms", report["cases"][name])
        if name == "run-docker" and "memory" in wanted:
            report["cases"]["memory"] = summarise(results, 1)
            if not options.json:
                print_table("peak resident memory of `run`, the largest process", "MB", report["cases"]["memory"], scale=1024)
    if "memory-limit" in wanted:
        report["cases"]["memory-limit"] = memory_limits(bench)
        if not options.json:
            print_limits(report["cases"]["memory-limit"])
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print(f"\n{rounds} rounds; " + "; ".join(f"{name}: {version}" for name, version in report["versions"].items()))


def first_line(path):
    return subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="8 rounds instead of 60")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runbox", default=os.environ.get("RUNBOX"), metavar="PATH")
    parser.add_argument("--only", metavar="CASE[,CASE]", help=" ".join([*CASES, "memory", "memory-limit"]))
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("the bench makes containers of root: run it as root")
    v2view.enter()
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # so that what `create` leaves behind is reaped here
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # by way of the clean-up below
    with tempfile.TemporaryDirectory(prefix="runbox-bench-") as work, tempfile.TemporaryDirectory(prefix="runbox-bench-", dir="/run") as state:
        os.chmod(work, 0o755)
        bench = None
        try:
            bench = Bench(pathlib.Path(work), pathlib.Path(state), options)
            measure(bench, options)
        except Failed as failure:
            sys.exit(f"bench: {failure}")
        finally:
            if bench:
                bench.clean_up()


if __name__ == "__main__":
    main()
