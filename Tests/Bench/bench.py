#!/usr/bin/env python3
"""Measures runbox against whatever of crun and runc is installed, and all of them against the floor (floor.c), in pairs.

    bench.py [--quick] [--rounds N] [--json] [--baseline FILE] [--runbox PATH] [--only CASE[,CASE]]

In each round every contender runs once, and the order turns from round to round, so that what the machine does meanwhile hits all alike. Needs root, a C
compiler with static libc, and static busybox. RUNBOX in the environment names the binary too; without either it is build/runbox.

Cases: run-docker run-unfiltered run-plain exec exec-terminal life kill start-up system-calls many storm memory-limit. What `--json` prints can be given to
a later run as its baseline.
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
import time

sys.dont_write_bytecode = True  # no __pycache__ of root's in the source tree

import bundles
import seccomp_program
import v2view
from contenders import PARENT_CGROUP, Contender, Failed, Floor, Sample

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
        """The sample of one call."""
        with open(self.work / "errors", "w+") as errors:  # not a pipe: a container that `create` leaves behind would hold it open
            done = subprocess.run([self.launcher, *command], stdout=subprocess.PIPE, stderr=errors, text=True, check=False)
            errors.seek(0)
            complaint = errors.read().strip()
        if done.returncode != 0:
            raise Failed(complaint)
        nanoseconds, kilobytes, faults, switches, status = map(int, done.stdout.split())
        if status != 0:
            raise Failed(f"{' '.join(command)}: exit status {status}: {complaint}")
        return Sample(nanoseconds / 1e6, kilobytes, faults, switches)

    def own_bundle(self, kind, number):
        """A copy of a bundle's configuration with a cgroup of its own, for containers that are there at the same time."""
        folder = self.work / f"{kind}-{number}"
        if not folder.exists():
            config = json.loads((self.bundles[kind] / "config.json").read_text())
            config["linux"]["cgroupsPath"] = f"/{PARENT_CGROUP.name}/{kind}-{number}"
            bundles.write_bundle(folder, config)
        return str(folder)

    def reap(self):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass

    def rounds(self, contenders, measure, rounds):
        """name → what was measured, one a round. Two rounds before the first one warm the caches up."""
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


# ---- the cases: each answers name of a row's table → contender → samples ----

def run_case(bundle):
    def case(bench, rounds):
        contenders = [c for c in bench.contenders if bundle == "docker" or not c.cold]  # where there is no filter, cold and warm are one
        return {f"run-{bundle}": bench.rounds(contenders, lambda contender: contender.run(bundle), rounds)}

    return case


def runtimes(bench):
    """Those that keep containers, each only once."""
    return [c for c in bench.contenders if isinstance(c, Contender) and not c.cold]


def life_case(bench, rounds):
    lives = bench.rounds(runtimes(bench), lambda contender: contender.life("docker"), rounds)
    return {part: {name: [life[part] for life in samples] for name, samples in lives.items()} for part in ("create", "start", "state", "delete", "life")}


def beside_a_sleeper(name, measure):
    def case(bench, rounds):
        with contextlib.ExitStack() as stack:
            for contender in runtimes(bench):
                stack.enter_context(contender.sleeper())
            return {name: bench.rounds(runtimes(bench), measure, rounds)}

    return case


def start_up_case(bench, rounds):
    contenders = [c for c in bench.contenders if not c.cold]
    return {"start-up": bench.rounds(contenders, lambda contender: contender.version(), rounds)}


CASES = {
    "run-docker": run_case("docker"),
    # Runtimes without a cache spend most of the case above in libseccomp; this one compares the rest.
    "run-unfiltered": run_case("unfiltered"),
    "run-plain": run_case("plain"),
    "exec": beside_a_sleeper("exec", lambda contender: contender.execute()),
    "exec-terminal": beside_a_sleeper("exec-terminal", lambda contender: contender.execute_in_terminal()),
    "life": life_case,
    "kill": beside_a_sleeper("kill", lambda contender: contender.kill()),
    "start-up": start_up_case,
}
TITLES = {
    "run-docker": "run /bin/true, Docker-like bundle",
    "run-unfiltered": "run /bin/true, Docker-like bundle without its seccomp profile",
    "run-plain": "run /bin/true, plain bundle",
    "exec": "exec /bin/true",
    "exec-terminal": "exec --tty /bin/true",
    "create": "create, Docker-like bundle",
    "start": "start",
    "state": "state",
    "delete": "delete",
    "life": "create + start + delete, Docker-like bundle",
    "kill": "kill (signal 0)",
    "start-up": "start-up (--version)",
}


def system_calls(bench):
    """Of one `run` of the Docker-like bundle, in all its processes; strace counts them."""
    if not shutil.which("strace"):
        return "skipped: there is no strace"
    counts = {}
    launch, report = bench.launch, bench.work / "calls"
    for contender in bench.contenders:
        bench.launch = lambda command: launch(["strace", "-f", "-c", "-o", str(report), *command])
        try:
            contender.run("docker")
        finally:
            bench.launch = launch
        total = [line.split() for line in report.read_text().splitlines() if line.endswith(" total")]
        counts[contender.name] = int(total[0][3])
    return counts


def many(bench, numbers):
    """Contender → number of containers → milliseconds of a detached run, of list, of state and of delete, with so many there."""
    found = {}
    for contender in runtimes(bench):
        rows, there = {}, 0
        name = contender.id

        def start(number):
            contender.id = f"{name}-{number}"
            contender.call("create", "--bundle", bench.own_bundle("sleep", number), contender.id)
            return bench.launch(contender.command("start", contender.id)).milliseconds

        try:
            for number in numbers:
                while there < number - 1:
                    start(there)
                    there += 1
                last = {"start": start(there)}
                there += 1
                for word in ("list", "state", "delete"):
                    arguments = {"list": ["list"], "state": ["state", contender.id], "delete": ["delete", "--force", contender.id]}[word]
                    last[word] = bench.launch(contender.command(*arguments)).milliseconds
                there -= 1
                rows[number] = last
        finally:
            for number in range(there + 1):
                contender.id = f"{name}-{number}"
                contender.remove()
            contender.id = name
        found[contender.name] = rows
    return found


def storm(bench, count):
    """Contender → throughput and the slowest of `count` runs of the plain bundle that start at once."""
    found = {}
    for number in range(count):
        bench.own_bundle("plain", number)
    for contender in runtimes(bench):
        began = time.monotonic()
        calls = [
            subprocess.Popen([bench.launcher, *contender.command("run", "--bundle", bench.own_bundle("plain", n), f"{contender.id}-{n}")], stdout=subprocess.PIPE, text=True)
            for n in range(count)
        ]
        lines = [call.communicate()[0].split() for call in calls]
        spent = time.monotonic() - began
        if any(line[-1] != "0" for line in lines):
            raise Failed(f"{contender.name}: {sum(line[-1] != '0' for line in lines)} of {count} runs at once failed")
        waits = sorted(int(line[0]) / 1e6 for line in lines)
        found[contender.name] = {"per second": count / spent, "median": statistics.median(waits), "p99": waits[min(count - 1, int(count * 0.99))]}
    return found


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

COLUMNS = ("milliseconds", "kilobytes", "faults", "switches")


def summary(samples, base, floor):
    """Of one contender: median and minimum, and the median's ratios to crun and to the floor, each the median over the pairs, round by round."""
    result = {"median": statistics.median(samples), "minimum": min(samples)}
    for name, others in (("ratio", base), ("floor", floor)):
        if others and all(others):
            result[name] = statistics.median(mine / theirs for mine, theirs in zip(samples, others))
            result[f"{name}_minimum"] = min(samples) / min(others)
    return result


def summarise(results):
    """Column → contender → its summary."""
    found = {}
    for column in COLUMNS:
        values = {name: [getattr(sample, column) for sample in samples] for name, samples in results.items()}
        found[column] = {name: summary(own, values.get("crun"), values.get("floor")) for name, own in values.items()}
    return found


def print_table(name, table, earlier):
    print(f"\n{TITLES[name]}")
    print(f"    {'':12} {'median':>10} {'minimum':>10} {'of crun':>8} {'of floor':>9} {'peak MB':>8} {'faults':>7} {'switches':>9}{'  of the baseline' if earlier else ''}")
    for contender, row in table["milliseconds"].items():
        ratios = "".join(f" {row[key]:>{width}.2f}" if key in row else " " * (width + 1) for key, width in (("ratio", 8), ("floor", 9)))
        others = [table[column][contender]["median"] for column in COLUMNS[1:]]
        before = earlier.get("milliseconds", {}).get(contender, {}).get("median") if earlier else None
        print(
            f"    {contender:12} {row['median']:>7.2f} ms {row['minimum']:>7.2f} ms{ratios} {others[0] / 1024:>8.1f} {others[1]:>7.0f} {others[2]:>9.0f}"
            + (f" {row['median'] / before:>16.2f}" if before else "")
        )


def print_counts(counts):
    print("\nsystem calls of one `run`, Docker-like bundle, all processes")
    for name, count in [("", counts)] if isinstance(counts, str) else counts.items():
        print(f"    {name:12} {count}")


def print_many(found):
    print("\nwith so many containers there: the last start, list, state and delete, in ms")
    for name, rows in found.items():
        for number, row in rows.items():
            print(f"    {name:12} {number:>5} " + "  ".join(f"{word} {spent:7.2f}" for word, spent in row.items()))


def print_storm(found, count):
    print(f"\n{count} runs of the plain bundle at once, on {os.cpu_count()} processors")
    for name, row in found.items():
        print(f"    {name:12} {row['per second']:7.1f} a second, median {row['median']:8.1f} ms, p99 {row['p99']:8.1f} ms")


def print_limits(limits):
    print("\nsmallest memory limit that starts /bin/true")
    if isinstance(limits, str):
        print(f"    {limits}")
        return
    for name, limit in limits.items():
        print(f"    {name:12} {f'{limit // 1024} KiB' if limit else 'more than 64 MiB'}")


def measure(bench, options):
    rounds = options.rounds or (8 if options.quick else 60)
    wanted = options.only.split(",") if options.only else [*CASES, *SINGLE]
    earlier = json.loads(pathlib.Path(options.baseline).read_text())["cases"] if options.baseline else {}
    report = {"rounds": rounds, "versions": {c.name: first_line(c.path) for c in bench.contenders}, "cases": {}}
    for name in wanted:
        if name in CASES:
            for part, results in CASES[name](bench, rounds).items():
                report["cases"][part] = summarise(results)
                if not options.json:
                    print_table(part, report["cases"][part], earlier.get(part))
        else:
            ask, show = SINGLE[name]
            report["cases"][name] = ask(bench, options)
            if not options.json:
                show(report["cases"][name])
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        print(f"\n{rounds} rounds; " + "; ".join(f"{name}: {version}" for name, version in report["versions"].items()))


STORM = 50
SINGLE = {
    "system-calls": (lambda bench, _: system_calls(bench), print_counts),
    "many": (lambda bench, options: many(bench, (1, 10) if options.quick else (1, 10, 100, 1000)), print_many),
    "storm": (lambda bench, _: storm(bench, STORM), lambda found: print_storm(found, STORM)),
    "memory-limit": (lambda bench, _: memory_limits(bench), print_limits),
}


def first_line(path):
    return subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True, check=False).stdout.splitlines()[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="8 rounds instead of 60")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runbox", default=os.environ.get("RUNBOX"), metavar="PATH")
    parser.add_argument("--only", metavar="CASE[,CASE]", help=" ".join([*CASES, *SINGLE]))
    parser.add_argument("--baseline", metavar="FILE", help="what --json printed earlier, to compare the medians with")
    options = parser.parse_args()
    unknown = [name for name in (options.only or "").split(",") if name and name not in CASES and name not in SINGLE]
    if unknown:
        parser.error(f"unknown case {unknown[0]}")
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
