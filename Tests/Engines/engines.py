#!/usr/bin/env python3
"""engines.py MODE [WORD...]: the engines' cases with runbox and with runc beside it, on a host that is thrown away (Tests/VM).

MODE: root (cgroupfs, no systemd), systemd, user hold a short selection; the others, as docker and docker-flags, each a part of one engine's whole table. Words choose parts of it: the engines' names, with cases or kills. RUNBOX names the executable;
ENGINES_CASES is a regular expression for the names of cases that stand alone;
ENGINES_RESULTS a file that takes what docs/engines.md is made of (table.py).
A line for each case and engine, differences marked; at the end the sums of each engine and one line `N passed, N failed, N skipped`."""

import os
import sys
import time

import bench
import buildah
import ctr
import docker
import docker_build
import docker_daemon
import docker_flags
import docker_life
import docker_share
import kills
import podman
import podman_ends
import podman_exec
import podman_flags
import podman_life
import podman_net
import podman_pods
import podman_units
import vectors

try:
    import cri
    import pods
except ImportError:
    cri = None  # python3-grpcio is not installed


def main():
    mode, chosen = sys.argv[1], sys.argv[2:]
    chosen += [part for part, _ in PARTS[mode]] if not set(chosen) & {part for part, _ in PARTS[mode]} else []
    chosen += ["cases", "kills"] if not set(chosen) & {"cases", "kills"} else []
    count = bench.Count()
    count.record(kind="versions", mode=mode, versions=bench.versions())
    began = time.monotonic()
    os.makedirs(bench.WORK, exist_ok=True)
    # conmon leaves a file called oom where it was started.
    os.chdir(bench.WORK)
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
                for group in cases:
                    bench.run_cases(f"ctr {manager}", pair, group, count)
            if "kills" in chosen:
                kills.run(kills.WithCtr(manager), ["create", "start", "exec", "kill", "delete"], rounds, count)
        finally:
            end()
    return run


def with_cri(manager, groups):
    def run(count, chosen):
        if not has("containerd", count):
            return
        if cri is None:
            count.tell("skipped", f"cri {manager}", "python3-grpcio is not installed here")
            return
        end = cri.settle(manager)
        try:
            if "cases" in chosen:
                pods.run_groups(f"cri {manager}", cri.pair(manager), groups(), count)
        finally:
            end()
    return run


def with_calls(manager):
    def run(count, chosen):
        vectors.settle()
        if "cases" in chosen:
            bench.run_cases(f"calls {manager}", vectors.pair(manager), vectors.CASES, count)
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


def with_buildah(cases):
    def run(count, chosen):
        if has("buildah", count) and "cases" in chosen:
            buildah.settle()
            pair = buildah.pair("systemd")
            pair[1].run("--", "true")
            bench.run_cases("buildah" if bench.ROOT else "buildah rootless", pair, cases, count)
    return run


def with_docker(manager, cases, phases=(), rounds=2):
    """One daemon, whose runtimes are chosen by --runtime."""
    def run(count, chosen):
        if not has("dockerd", count):
            return
        if manager == "systemd" and not os.path.isdir("/run/systemd/system"):
            return count.tell("skipped", "docker systemd", "systemd is not process 1 here")
        daemon, end = docker.settle(**{"exec-opts": ["native.cgroupdriver=" + manager]})
        try:
            pair = docker.pair(daemon)
            pair[1].box(docker.BOX, "true")
            if "cases" in chosen:
                bench.run_cases(f"docker {manager}", pair, cases, count)
            if "kills" in chosen and phases:
                kills.run(kills.WithDocker(daemon, manager), phases, rounds, count)
        finally:
            end()
            # Podman would look there, too.
            os.environ.pop("DOCKER_CONFIG", None)
    return run


def with_two_daemons(word, cases, **settings):
    """A daemon for each runtime, which is its default."""
    def run(count, chosen):
        if "cases" not in chosen or not has("dockerd", count):
            return
        if "userns-remap" in settings:
            docker_daemon.settle_remap()
        pair, end = docker.settle_two(word, **settings)
        try:
            for engine in pair:
                engine.long("base")
            bench.run_cases(f"docker {word}", pair, cases, count)
        finally:
            end()
            # Podman would look there, too.
            os.environ.pop("DOCKER_CONFIG", None)
    return run


PODMAN = podman.FIRST + podman.LIFE + podman.FURTHER
# What a manager of cgroups has a part in, in two halves, and what none has.
PODMAN_LIFE = podman_ends.STOPS + podman_ends.LIMITS
PODMAN_ENDS = podman.PODS + podman_ends.ENDS + podman_pods.POD_CASES + podman_units.UNIT_CASES
PODMAN_EXEC = podman_life.ATTACH + podman_exec.EXEC + podman_life.FILES_OF_IT + podman_net.NET + podman_net.USERS
# What tells most of those, for the machines of every change.
PODMAN_SHORT = bench.named(
    PODMAN_LIFE + PODMAN_ENDS + podman_flags.FLAGS + PODMAN_EXEC, "run -it with a size that changes", "exec where no folder is", "exec that is killed", "--volume with ':ro'", "--device-cgroup-rule", "--cgroups=split", "kube play",
    "its monitor is killed", "update", "namespaces by path", "generate systemd --new")
CTR_SHORT = [ctr.FIRST + ctr.LIFE + ctr.FURTHER]
DOCKER = docker_life.FIRST + docker_life.LIFE + docker_life.FURTHER
DOCKER_FLAGS = docker_flags.WHO + docker_flags.MOUNTS + docker_flags.RIGHTS
DOCKER_SHARE = docker_share.NAMESPACES + docker_share.NETWORKS + docker_share.LIMITS
DOCKER_SYSTEMD = docker_life.FIRST[:1] + docker_life.LIFE + docker_share.LIMITS
DOCKER_SHORT = docker_life.SHORT + docker_flags.WHO[:1] + bench.named(docker_share.LIMITS, "update", "a child out of memory")
# Software emulation is slow: each case runs where it can differ, and what no manager of cgroups has a part in runs
# once.
PARTS = {
    "root": [("ctr", with_ctr("cgroupfs", CTR_SHORT)), ("podman", with_podman("cgroupfs", podman.LIFE + podman.OWN_IDS, rounds=1))],
    "systemd": [("docker", with_docker("cgroupfs", DOCKER_SHORT)), ("ctr", with_ctr("systemd", [ctr.LIFE], rounds=1)), ("cri", with_cri("systemd", lambda: pods.PODS_SHORT)),
                ("podman", with_podman("systemd", PODMAN + podman.PODS + PODMAN_SHORT)), ("buildah", with_buildah(buildah.SHORT))],
    "user": [("podman", with_podman("systemd", podman.FIRST[:3] + podman.LIFE + podman.FURTHER[:3] + podman.PODS, rounds=1)),
             ("podman", with_podman("cgroupfs", podman.FIRST[:1] + podman.LIFE[:3] + podman.LIFE[-2:], rounds=0))],
    # Whole tables: `make test-vm VM_MODES=engines` in machines, `make engines` in rooms. Of each engine as many modes
    # as keep an emulated one below 20 minutes. All on a machine with systemd; rootless as its ordinary user.
    "docker": [("docker", with_docker("cgroupfs", DOCKER, ["create", "start", "exec", "kill", "delete"], rounds=1))],
    "docker-flags": [("docker", with_docker("cgroupfs", DOCKER_FLAGS + DOCKER_SHARE))],
    "docker-many": [("docker", with_docker("cgroupfs", docker_life.MANY))],
    "docker-systemd": [("docker", with_docker("systemd", DOCKER_SYSTEMD, ["create", "delete"], rounds=1)),
                       ("docker-remap", with_two_daemons("userns-remap", docker_daemon.REMAPPED, **{"userns-remap": docker_daemon.REMAP}))],
    "docker-daemons": [("docker-daemon", with_two_daemons("live-restore", docker_daemon.DEFAULT + docker_daemon.RESTORE, **{"live-restore": True})),
                       ("docker-build", with_two_daemons("build", docker_build.CLASSIC + docker_build.BUILDKIT))],
    "containerd": [("ctr", with_ctr("cgroupfs", pods.CTR if cri else CTR_SHORT)), ("ctr", with_ctr("systemd", pods.CTR_LIFE if cri else CTR_SHORT, rounds=1)),
                   ("calls", with_calls("cgroupfs")), ("calls", with_calls("systemd"))],
    "cri": [("cri", with_cri("cgroupfs", lambda: pods.PODS)), ("cri", with_cri("systemd", lambda: pods.PODS_LIFE))],
    "podman": [("podman", with_podman("systemd", PODMAN + podman.OWN_IDS + PODMAN_LIFE))],
    "podman-ends": [("podman", with_podman("systemd", PODMAN_ENDS, rounds=0)),
                    ("podman", with_podman("cgroupfs", podman.LIFE + podman_ends.LIMITS + podman_ends.STOPS[:7]))],
    "podman-flags": [("podman", with_podman("systemd", podman_flags.FLAGS, rounds=0))],
    "podman-exec": [("podman", with_podman("systemd", PODMAN_EXEC, rounds=0)), ("podman", with_podman("cgroupfs", podman.FIRST + podman_exec.EXEC[:10], rounds=0))],
    "rootless": [("podman", with_podman("systemd", PODMAN + PODMAN_LIFE))],
    "rootless-ends": [("podman", with_podman("systemd", PODMAN_ENDS, rounds=0)), ("podman", with_podman("cgroupfs", podman.LIFE + podman_ends.STOPS[:7], rounds=0))],
    "rootless-flags": [("podman", with_podman("systemd", podman_flags.FLAGS, rounds=0))],
    "rootless-exec": [("podman", with_podman("systemd", PODMAN_EXEC, rounds=0))],
    "buildah": [("buildah", with_buildah(buildah.CASES))],
    "rootless-buildah": [("buildah", with_buildah(buildah.CASES))],
}

if __name__ == "__main__":
    sys.exit(main())
