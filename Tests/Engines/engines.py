#!/usr/bin/env python3
"""engines.py MODE [WORD...]: the engines' cases with runbox and with runc beside it, on a host that is thrown away (Tests/VM).

MODE: root (cgroupfs, no systemd), systemd, user hold a short selection; docker, containerd, podman, rootless, buildah hold one engine's whole table. Words choose parts
of it: the engines' names, with cases or kills. RUNBOX names the executable; ENGINES_RESULTS a file that takes what docs/engines.md is made of (table.py).
A line for each case and engine, differences marked; at the end the sums of each engine and one line `N passed, N failed, N skipped`."""

import os
import sys
import time

import bench
import ctr
import kills
import podman


def main():
    mode, chosen = sys.argv[1], sys.argv[2:]
    chosen += [part for part, _ in PARTS[mode]] if not set(chosen) & {part for part, _ in PARTS[mode]} else []
    chosen += ["cases", "kills"] if not set(chosen) & {"cases", "kills"} else []
    count = bench.Count()
    count.record(kind="versions", mode=mode, versions=bench.versions())
    began = time.monotonic()
    os.makedirs(bench.WORK, exist_ok=True)
    for part, run in PARTS[mode]:
        if part in chosen:
            start = time.monotonic()
            run(count, chosen)
            print(f"    {part}: {time.monotonic() - start:.0f} s", flush=True)
    count.sums()
    print(f"    engines, {mode}: {time.monotonic() - began:.0f} s")
    print(f"{count.passed} passed, {count.failed} failed, {count.skipped} skipped")
    return 1 if count.failed else 0


def has(program, count):
    if bench.which(program):
        return True
    count.tell("skipped", program, f"{program} is not installed here")
    return False


def with_ctr(manager, cases, rounds=2):
    def run(count, chosen):
        if not has("containerd", count):
            return
        end = ctr.settle()
        try:
            pair = ctr.pair(manager)
            pair[1].run("warm", "true")
            if "cases" in chosen:
                bench.run_cases(f"ctr {manager}", pair, cases, count)
            if "kills" in chosen:
                kills.run(kills.WithCtr(manager), ["create", "start", "exec", "kill", "delete"], rounds, count)
        finally:
            end()
    return run


def with_podman(manager, cases, rounds=2):
    def run(count, chosen):
        if not has("podman", count):
            return
        podman.settle()
        pair = podman.pair(manager)
        pair[1].box(podman.BOX, "true")
        title = "podman" if bench.ROOT else "podman rootless"
        if "cases" in chosen:
            bench.run_cases(f"{title} {manager}", pair, cases, count)
        if "kills" in chosen and rounds:
            kills.run(kills.WithPodman(manager), ["create", "start", "exec", "delete"], rounds, count)
    return run


PODMAN = podman.FIRST + podman.LIFE + podman.FURTHER
CTR = ctr.FIRST + ctr.LIFE + ctr.FURTHER
# Software emulation is slow: each case runs where it can differ, and what no manager of cgroups has a part in runs once.
PARTS = {
    "root": [("ctr", with_ctr("cgroupfs", CTR)), ("podman", with_podman("cgroupfs", podman.LIFE + podman.OWN_IDS, rounds=1))],
    "systemd": [("ctr", with_ctr("systemd", ctr.LIFE, rounds=1)), ("podman", with_podman("systemd", PODMAN + podman.PODS))],
    "user": [("podman", with_podman("systemd", podman.FIRST[:3] + podman.LIFE + podman.FURTHER[:3] + podman.PODS, rounds=1)),
             ("podman", with_podman("cgroupfs", podman.FIRST[:1] + podman.LIFE[:3] + podman.LIFE[-2:], rounds=0))],
    # Whole tables: `make test-vm VM_MODES=engines`. All on a machine with systemd; rootless as its ordinary user.
    "containerd": [("ctr", with_ctr("cgroupfs", CTR)), ("ctr", with_ctr("systemd", CTR))],
    "podman": [("podman", with_podman("cgroupfs", PODMAN + podman.OWN_IDS)), ("podman", with_podman("systemd", PODMAN + podman.PODS + podman.OWN_IDS))],
    "rootless": [("podman", with_podman("systemd", PODMAN + podman.PODS)), ("podman", with_podman("cgroupfs", PODMAN))],
}

if __name__ == "__main__":
    sys.exit(main())
