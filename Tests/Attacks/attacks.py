#!/usr/bin/env python3
"""Attacks on a container runtime: hostile images, processes, configurations and local users against the built program.

    attacks.py --attacker FILE [--runtime PATH] [--long] [--only WORD[,WORD]] [--list]

Each attack prints one line: `name: held (tries)`, `name: LOST (successes of tries: details)`, or `name: skipped: reason`. The runtime may
be runc or crun; what is runbox's alone is skipped for them. --long makes each race 1000 tries or 60 seconds long.
The last line is `N passed, N failed, N skipped`; the exit status is 1 where an attack succeeded.
"""
import argparse
import os
import sys
import time
import traceback

import harness
import cgroups, images, inside, keyrings, losses, mounts, paths, pids, rights, sealed, states  # noqa: F401, E401 - each registers its attacks

V2 = "/sys/fs/cgroup/cgroup.controllers"
AGAIN = "RUNBOX_ATTACKS_INSIDE"


def enter_own_mounts():
    """A mount namespace of the attacks' own, where /sys/fs/cgroup is the cgroup v2 tree: for peers, and so that nothing can stay mounted."""
    if os.environ.get(AGAIN):
        return
    script = "mount --make-rprivate /; "
    if not os.path.exists(V2) and os.path.exists("/sys/fs/cgroup/unified/cgroup.controllers"):
        script += "mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; "
    os.environ[AGAIN] = "1"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c", script + 'exec "$0" "$@"', sys.executable, *sys.argv])


def one(entry, arguments):
    """The word for the sum, and the line."""
    bench = harness.Bench(arguments.runtime, arguments.attacker, arguments.long)
    if entry["only"] and bench.kind not in entry["only"]:
        bench.close()
        return "skipped", "%s: skipped: not for %s" % (entry["name"], bench.kind)
    began, left = time.monotonic(), []
    try:
        entry["act"](bench)
    except harness.Skip as reason:
        bench.close()
        return "skipped", "%s: skipped: %s" % (entry["name"], reason)
    except Exception as error:  # an attack that does not get to its end has shown nothing
        traceback.print_exc(limit=-3)
        bench.lost("the attack broke off: %s" % str(error)[:300])
    left = bench.close()
    if left:
        bench.lost("left behind: %s" % ", ".join(left))
    seconds = time.monotonic() - began
    if bench.losses:
        return "failed", "%s: LOST (%d of %d tries, %d s: %s)" % (entry["name"], bench.losses, bench.tries, seconds, "; ".join(bench.reasons).replace("\n", " "))
    ran = ", %d ran" % bench.ran if bench.ran and bench.ran != bench.tries else ""
    return "passed", "%s: held (%d tries%s, %d s)" % (entry["name"], bench.tries, ran, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runtime", default=os.environ.get("RUNBOX"))
    parser.add_argument("--attacker", required=True)
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join("%s %s" % (entry["family"], entry["name"]) for entry in harness.ATTACKS))
        return
    if os.geteuid() != 0:
        print("attacks: skipped: they are tried as root\n0 passed, 0 failed, 1 skipped")
        return
    arguments.attacker = os.path.realpath(arguments.attacker)
    enter_own_mounts()
    harness.become_subreaper()
    os.umask(0o022)
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for entry in harness.ATTACKS:
        if arguments.only and not any(word in (entry["family"], entry["name"]) or entry["name"].startswith(word) for word in arguments.only.split(",")):
            continue
        word, line = one(entry, arguments)
        counts[word] += 1
        print(line, flush=True)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts)
    sys.exit(1 if counts["failed"] else 0)


if __name__ == "__main__":
    main()
