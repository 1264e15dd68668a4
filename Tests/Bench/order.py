#!/usr/bin/env python3
"""Writes the order in which the linker lays out what containers are started with (config/function-order.txt).

    order.py --runbox UNSTRIPPED [--output FILE]

Runs the commands that engines wait for under functions.c, which notes what they call. Functions that the same commands call lie together, those of most
commands first: a command then reads a tenth of the executable instead of all of it. A name that the linker does not find does no harm, so the file is
written anew when it has become old (`make bench` shows the page faults), not with every change. Needs root.
"""
import argparse
import contextlib
import json
import pathlib
import subprocess
import tempfile

import bundles

HERE = pathlib.Path(__file__).resolve().parent
HEAD = """\
# The order of functions in the executable, for the linker: docs/performance.md. Written by `make order`.
"""


def functions(program):
    """Names by address."""
    found = {}
    for line in subprocess.run(["nm", program], check=True, capture_output=True, text=True).stdout.splitlines():
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tTwWi" and not fields[2].startswith("."):
            found.setdefault(int(fields[0], 16), fields[2])
    return found


class Tracer:
    def __init__(self, program, work):
        self.program, self.work = program, work
        self.names = functions(program)
        self.callers = {}  # name: the commands that call it, and in which of their processes
        self.tool = work / "functions"
        subprocess.run(["cc", "-O2", "-static", "-o", str(self.tool), str(HERE / "functions.c")], check=True)
        (work / "addresses").write_text("".join(f"{address:x}\n" for address in self.names))

    def call(self, *arguments):
        """Runs a command without a tracer."""
        subprocess.run([self.program, "--root", str(self.work / "state"), *map(str, arguments)], check=True, timeout=60,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def trace(self, *arguments):
        result = self.work / "result"
        command = [self.program, "--root", str(self.work / "state"), *map(str, arguments)]
        subprocess.run([str(self.tool), self.program, str(self.work / "addresses"), str(result), *command], check=True, timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for line in result.read_text().splitlines():
            address, role = line.split()
            self.callers.setdefault(self.names[int(address, 16)], []).append((arguments[0], role))

    def order(self):
        """Python keeps the order of first calls within a group."""
        groups = {}
        for name, callers in self.callers.items():
            groups.setdefault(frozenset(callers), []).append(name)
        ranked = sorted(groups.items(), key=lambda group: -len({command for command, _ in group[0]}))
        return [name for _, names in ranked for name in names]


def trace_all(tracer, made, sleeping):
    tracer.call("run", "--bundle", made["docker"], "warm")  # the compiled filter is kept from now on
    tracer.trace("run", "--bundle", made["docker"], "run")
    tracer.trace("run", "--bundle", made["plain"], "run")
    tracer.trace("create", "--bundle", sleeping, "traced")
    tracer.call("delete", "--force", "traced")
    tracer.call("create", "--bundle", sleeping, "sleep")
    tracer.trace("start", "sleep")
    tracer.trace("exec", "sleep", "/bin/true")
    tracer.trace("state", "sleep")
    tracer.trace("kill", "sleep", "KILL")
    with contextlib.suppress(subprocess.CalledProcessError):  # its status is the container's
        tracer.call("wait", "sleep")
    tracer.trace("delete", "sleep")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runbox", required=True)
    parser.add_argument("--output", default=str(HERE.parents[1] / "config" / "function-order.txt"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runbox-order-") as folder:
        work = pathlib.Path(folder)
        made = bundles.make(work)
        configuration = json.loads((made["docker"] / "config.json").read_text())
        configuration["process"]["args"] = ["/bin/sleep", "1000"]
        sleeping = bundles.write_bundle(work / "sleep", configuration)
        tracer = Tracer(str(pathlib.Path(options.runbox).resolve()), work)
        try:
            trace_all(tracer, made, sleeping)
        finally:
            for name in ("traced", "sleep", "run"):
                with contextlib.suppress(subprocess.CalledProcessError):
                    tracer.call("delete", "--force", name)
        names = tracer.order()
        pathlib.Path(options.output).write_text(HEAD + "".join(f"{name}\n" for name in names))
        print(f"{options.output}: {len(names)} functions")


if __name__ == "__main__":
    main()
