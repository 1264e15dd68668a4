#!/usr/bin/env python3
"""Makes the two bundles that the bench runs.

    bundles.py DIR      makes DIR/plain and DIR/docker, both with the one root file system DIR/rootfs

plain   what `spec` writes by default, with /bin/true for its program and no terminal
docker  what an engine hands over for `docker run`: 14 capabilities, 10 mounts, 6 namespaces, 8 device rules, 12 masked and 5 read-only paths and
        the default seccomp profile
"""
import json
import os
import pathlib
import platform
import shutil
import sys

BUSYBOX = "/bin/busybox"
PROFILE = pathlib.Path(__file__).resolve().parents[2] / "config" / "seccomp.json"
CONTAINER = "5f1d7c0e9b3a42688d14c6f0a7e25b93d48f6a1c0b7e3d92586fa4c1e07b9d3c"  # as long as an engine's IDs are

# Docker's default set, the 14 that every image may count on.
CAPABILITIES = [
    "CAP_" + name
    for name in "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split()
]
ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
ARCHITECTURES = {
    "x86_64": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
    "aarch64": ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
}


def mount(destination, kind, source, *options):
    return {"destination": destination, "type": kind, "source": source, **({"options": list(options)} if options else {})}


def file_systems(proc_options=(), cgroup_options=()):
    """The seven kernel file systems that every bundle has."""
    return [
        mount("/proc", "proc", "proc", *proc_options),
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k"),
        mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev"),
        mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro"),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", *cgroup_options, "ro"),
    ]


def plain(rootfs):
    capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
    return {
        "ociVersion": "1.0.0",  # the oldest runtime that is measured refuses 1.1 and up
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/bin/true"],
            "env": ENVIRONMENT,
            "cwd": "/",
            "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
            "noNewPrivileges": True,
        },
        "root": {"path": rootfs, "readonly": True},
        "hostname": "runbox",
        "mounts": file_systems(cgroup_options=["relatime"]),
        "linux": {
            "resources": {"devices": [{"allow": False, "access": "rwm"}]},
            "namespaces": [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                            "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
            "readonlyPaths": READONLY,
        },
    }


def seccomp():
    """The default profile as an engine hands it over: with the architectures of this machine only."""
    profile = json.loads(PROFILE.read_text())
    profile["architectures"] = ARCHITECTURES.get(platform.machine(), profile["architectures"])
    return profile


def device(allow, major, minor):
    return {"allow": allow, "type": "c", "major": major, "minor": minor, "access": "rwm"}


def docker(rootfs, files):
    """`files` holds resolv.conf, hostname and hosts, which an engine writes for each container and binds into it."""
    return {
        "ociVersion": "1.0.0",
        "process": {
            "user": {"uid": 0, "gid": 0, "additionalGids": [0, 10]},
            "args": ["/bin/true"],
            "env": [ENVIRONMENT[0], "HOSTNAME=" + CONTAINER[:12]],
            "cwd": "/",
            "capabilities": {kind: CAPABILITIES for kind in ("bounding", "effective", "permitted")},
            "oomScoreAdj": 0,
        },
        "root": {"path": rootfs},
        "hostname": CONTAINER[:12],
        "mounts": file_systems(proc_options=["nosuid", "noexec", "nodev"]) + [
            mount("/etc/" + name, "bind", f"{files}/{name}", "rbind", "rprivate") for name in ("resolv.conf", "hostname", "hosts")
        ],
        "linux": {
            "cgroupsPath": "/runbox-bench/" + CONTAINER,
            "resources": {"devices": [
                {"allow": False, "access": "rwm"},
                device(True, 1, 5), device(True, 1, 3), device(True, 1, 9), device(True, 1, 8), device(True, 5, 0), device(True, 5, 1),
                device(False, 10, 229),
            ]},
            "namespaces": [{"type": kind} for kind in ("mount", "network", "uts", "pid", "ipc", "cgroup")],
            "seccomp": seccomp(),
            "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
                            "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware"],
            "readonlyPaths": READONLY,
        },
    }


def write_bundle(folder, config, indent=None):
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(config, indent=indent))
    return folder


def make(directory):
    """Makes both bundles below the directory and answers their folders."""
    directory = pathlib.Path(directory).resolve()
    rootfs = directory / "rootfs"
    for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        (rootfs / name).mkdir(parents=True)
    shutil.copy(BUSYBOX, rootfs / "bin" / "busybox")
    for applet in ("true", "sh", "sleep", "cat"):
        (rootfs / "bin" / applet).symlink_to("busybox")
    (rootfs / "etc" / "passwd").write_text("root:x:0:0:root:/:/bin/sh\n")
    (rootfs / "etc" / "group").write_text("root:x:0:\n")
    files = directory / "files"
    files.mkdir()
    for name, text in (("resolv.conf", ""), ("hostname", CONTAINER[:12] + "\n"), ("hosts", "127.0.0.1 localhost\n")):
        (files / name).write_text(text)
        (rootfs / "etc" / name).touch()  # the place that the bind covers
    os.chmod(rootfs / "tmp", 0o1777)
    return {
        "plain": write_bundle(directory / "plain", plain(str(rootfs)), indent="\t"),
        "docker": write_bundle(directory / "docker", docker(str(rootfs), files), indent="\t"),
    }


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    for name, folder in make(sys.argv[1]).items():
        print(f"{name}: {folder} ({(folder / 'config.json').stat().st_size} bytes)")
