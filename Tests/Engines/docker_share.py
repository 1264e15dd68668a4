"""Docker's networks, the namespaces of the host and of other containers, and limits."""

import os
import re
import socket
import time

from bench import Case, Skip, sh, wait_for
from docker import BOX
from docker_flags import says

KINDS = ("net", "pid", "ipc", "uts", "cgroup", "mnt", "user")
OWN = "for n in " + " ".join(KINDS) + "; do readlink /proc/self/ns/$n; done"


def mine():
    return [os.readlink(f"/proc/self/ns/{kind}") for kind in KINDS]


def shared(text, others):
    """Which namespaces of a container are these."""
    return " ".join(kind for kind, other in zip(KINDS, others) if other in text.split()) or "none"


def with_host(*flags, network="none"):
    def run(e):
        status, out, err = sh(*e.words("run", "--rm", "--network", network, *flags, BOX, "sh", "-c", OWN))
        return e.told(status, shared(out, mine()), err)
    return run


def with_another(flag, *first):
    """A second container in a namespace of the first, and what becomes of it when that one has gone."""
    def run(e):
        e.long("first", *first)
        pid = e.pid("first")
        others = [os.readlink(f"/proc/{pid}/ns/{kind}") for kind in KINDS]
        words = ["run", "--rm"] + ([] if "--network" in flag else ["--network", "none"])
        status, out, err = sh(*e.words(*words, f"{flag}={'container:' + e.name('first')}", BOX, "sh", "-c", OWN))
        told = e.told(status, shared(out, others), err)
        e.drop("first")
        status, out, err = sh(*e.words(*words, f"{flag}={'container:' + e.name('first')}", BOX, "true"))
        return told + "\n" + e.told(status, out, err)
    return run


def pids_of_another(e):
    """The other's processes are seen and can be signalled; when the owner ends, all end."""
    e.long("owner")
    e.do("run", "-d", "--network", "none", "--name", e.name("guest"), "--pid", "container:" + e.name("owner"), BOX, "sleep", "500")
    seen = e.exec("guest", "sh", "-c", "ps -o args | grep -c '^sleep'")
    lines = [seen, e.do("stop", "-t", "0", e.name("owner")), e.wait("guest", "{{.State.Status}} {{.State.ExitCode}}", "exited .*"), e.drop("owner", "guest")]
    return "\n".join(lines)


def killed_in_the_hosts(e):
    """In the host's pid namespace the end of the first process ends nobody by itself: the runtime does."""
    e.do("run", "-d", "--network", "none", "--name", e.name("open"), "--pid", "host", BOX, "sh", "-c", "sleep 77777 & sleep 77777 & wait")
    for _ in range(50):
        if e.exec("open", "sh", "-c", "ps -o args | grep -c '^sleep 77777'").split()[-1] in ("2", "4"):
            break
        time.sleep(0.1)
    return "\n".join([e.do("kill", e.name("open")), e.wait("open", "{{.State.Status}} {{.State.ExitCode}}", "exited .*"), e.drop("open")])


# --- networks --------------------------------------------------------------------------------------------------------


def bridge(e):
    if not os.path.isdir("/sys/class/net/docker0"):
        raise Skip("Docker has no bridge here")


def published(e):
    """A port of the host's leads into the container, and `docker port` says which."""
    bridge(e)
    made = e.do("run", "-d", "--name", e.name("serves"), "-p", "127.0.0.1::8080", BOX, "nc", "-l", "-p", "8080", "-e", "echo", "from inside")
    port = e.do("port", e.name("serves"), "8080").rsplit(":", 1)[1].strip()
    said = ""
    for _ in range(50):
        try:
            with socket.create_connection(("127.0.0.1", int(port)), 5) as link:
                said = link.recv(100).decode().strip()
        except OSError as error:
            said = type(error).__name__
        if said == "from inside":
            break
        time.sleep(0.2)
    return "\n".join([made, said, e.drop("serves")])


def through_another(e):
    """Two containers of one network namespace talk over its loopback."""
    bridge(e)
    e.do("run", "-d", "--name", e.name("web"), BOX, "nc", "-l", "-p", "81", "-e", "echo", "here I am")
    said = ""
    for _ in range(30):
        said = e.do("run", "--rm", "--network", "container:" + e.name("web"), BOX, "nc", "127.0.0.1", "81")
        if "here" in said:
            break
    return said + "\n" + e.drop("web")


def own_network(e):
    """By name, on a network of the user's."""
    bridge(e)
    net = e.name("net")
    lines = [e.do("network", "create", net), e.do("run", "-d", "--network", net, "--name", e.name("there"), "--network-alias", "alias", "--hostname", "h",
        BOX, "sleep", "1000")]
    lines.append(e.do("run", "--rm", "--network", net, BOX, "sh", "-c", "ls /sys/class/net; grep nameserver /etc/resolv.conf"))
    lines += [e.do("network", "connect", "bridge", e.name("there")), e.exec("there", "ls", "/sys/class/net"),
        e.do("network", "disconnect", "bridge", e.name("there")),
              e.exec("there", "ls", "/sys/class/net"), e.drop("there"), e.do("network", "rm", net)]
    return "\n".join(lines)


def addresses(e):
    bridge(e)
    told = e.do("run", "--rm", "--mac-address", "02:42:ac:11:00:99", BOX, "sh", "-c",
        "ls /sys/class/net; cat /sys/class/net/eth0/address; ip route | grep -c default; ip -o addr show eth0 | grep -c inet")
    return told


# --- limits (the machine with all controllers) ---------------------------------------------------------------------


def controller(name):
    with open("/sys/fs/cgroup/cgroup.controllers") as file:
        if name not in file.read().split():
            raise Skip(f"the controller {name} is not in the v2 tree")


FILES = ("cd /sys/fs/cgroup; for f in memory.max memory.swap.max memory.low cpu.max cpu.weight cpuset.cpus cpuset.mems pids.max io.weight io.bfq.weight io.max; "
         "do echo $f $(cat $f 2> /dev/null); done")


def limited(*flags):
    def run(e):
        controller("memory")
        return e.box(*flags, BOX, "sh", "-c", FILES)
    return run


def updated(e):
    controller("memory")
    e.long("grows", "-m", "64m", "--memory-swap", "64m", "--cpus", "0.5", "--pids-limit", "30")
    lines = [e.exec("grows", "sh", "-c", FILES)]
    for flags in (["-m", "32m"], ["-m", "96m", "--memory-swap", "128m"], ["--cpus", "1.5"], ["--cpu-shares", "512"], ["--cpuset-cpus", "0"],
        ["--pids-limit", "50"],
                  ["--memory-reservation", "16m"], ["--pids-limit", "-1"], ["--cpu-quota", "30000", "--cpu-period", "60000"], ["--restart", "on-failure:3"],
                  ["--cpuset-cpus", "77"], ["-m", "1m"]):
        lines += [" ".join(flags) + " " + e.do("update", *flags, e.name("grows"))]
    return "\n".join(lines + [e.exec("grows", "sh", "-c", FILES), e.do("restart", "-t", "0", e.name("grows")), e.exec("grows", "sh", "-c", FILES),
        e.drop("grows")])


def told_of_memory(e, name, since):
    """Whether Docker has an event of too little memory for the container."""
    events = e.do("events", "--since", since, "--until", now(), "--filter", "container=" + e.name(name), "--filter", "event=oom", "--format", "{{.Action}}")
    return "oom" if "oom" in events else "no event"


def now():
    return sh("date", "+%s.%N")[1].strip()


def out_of_memory(e):
    """The only process. containerd learns of it from memory.events, while the process's end comes by another way: Docker
    hears of the memory before the end, after it, or never, because the cgroup has gone. Each is right, with either
    runtime; what must be told stands in child_out_of_memory."""
    controller("memory")
    since = now()
    lines = [e.do("run", "--network", "none", "--name", e.name("oom"), "-m", "16m", "--memory-swap", "16m", BOX, "tail", "/dev/zero"),
        e.wait("oom", "{{.State.OOMKilled}} {{.State.ExitCode}}", "true 137", 10)]
    return "\n".join(lines + [told_of_memory(e, "oom", since), e.drop("oom")])


def child_out_of_memory(e):
    """The first process lives on; the engine is told all the same, and has the time to be."""
    controller("memory")
    since = now()
    e.long("half", "-m", "16m", "--memory-swap", "16m", command=("sh", "-c", "trap 'exit 7' TERM; tail /dev/zero; echo $?; while :; do sleep 0.2; done"))
    e.until("half", "137")
    lines = [e.do("logs", e.name("half")), e.inspect("half", "{{.State.Status}}")]
    wait_for(lambda: told_of_memory(e, "half", since) == "oom")
    lines += [told_of_memory(e, "half", since), e.do("stop", e.name("half")), e.wait("half", "{{.State.OOMKilled}} {{.State.ExitCode}}", "true 7", 10)]
    return "\n".join(lines + [e.drop("half")])


def stats(e):
    controller("memory")
    e.long("busy", "-m", "64m")
    told = e.do("stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}} {{.PIDs}}", e.name("busy"))
    return re.sub(r"[\d.]+[KM]iB / ", "some / ", told) + "\n" + e.drop("busy")


def too_many(e):
    controller("pids")
    return re.sub(r"(stderr sh: can't fork: [^|]*\n?)+", "cannot fork",
        e.box("--pids-limit", "5", BOX, "sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 2 & done; wait"))


NAMESPACES = [
    Case("namespaces of its own", with_host("--cgroupns", "private", "--ipc", "private"), "^0: [|] user$"),
    Case("--cgroupns host", with_host("--cgroupns", "host"), "^0: [|] cgroup user$"),
    Case("--pid host", with_host("--pid", "host"), "^0: [|] pid user$"),
    Case("--ipc host", with_host("--ipc", "host"), "^0: [|] ipc user$"),
    Case("--uts host", with_host("--uts", "host"), "^0: [|] uts user$"),
    Case("all of the host's", with_host("--uts", "host", "--pid", "host", "--ipc", "host", "--cgroupns", "host", network="host"),
        "^0: [|] net pid ipc uts cgroup user$"),
    Case("--network container:X", with_another("--network"), "^0: [|] net user [|] 125: "),
    Case("--pid container:X", with_another("--pid"), "^0: [|] pid user [|] 125: "),
    Case("--ipc container:X", with_another("--ipc", "--ipc", "shareable"), "^0: [|] ipc user [|] 125: "),
    Case("--ipc container:X of a private one", with_another("--ipc", "--ipc", "private"), "^125: "),
    Case("--ipc none", says("test -d /dev/shm; echo $?; grep -c /dev/shm /proc/mounts", "--ipc", "none"), "^1: [|] 1 [|] 0$"),
    Case("the processes of another", pids_of_another, "^0: [|] 2 [|] 0: [|] owner [|] exited 137", clean=True),
    Case("killed in the host's pid namespace", killed_in_the_hosts, "^0: [|] open [|] exited 137", clean=True),
]

NETWORKS = [
    Case("--network none", says("ls /sys/class/net"), "^0: [|] lo$"),
    Case("--network host", lambda e: e.do("run", "--rm", "--network", "host", BOX, "ls", "/sys/class/net"), "^0: .*lo"),
    Case("a bridge", addresses, "^0: [|] eth0 [|] lo [|] 02:42:ac:11:00:99 [|] 1 [|] 1"),
    Case("a published port", published, "^0: [|] ID [|] from inside", clean=True),
    Case("the loopback of another", through_another, "^0: [|] here I am", clean=True),
    Case("a network of the user's", own_network, "^0: .*eth0 [|] lo .*nameserver 127.0.0.11.*eth0 [|] eth1 [|] lo", clean=True),
]

LIMITS = [
    Case("limits of memory", limited("-m", "64m", "--memory-swap", "96m", "--memory-reservation", "32m"),
        "memory.max 67108864 [|] memory.swap.max 33554432 [|] memory.low 33554432"),
    Case("limits of processors", limited("--cpus", "0.5", "--cpu-shares", "512", "--cpuset-cpus", "0", "--cpuset-mems", "0"),
        "cpu.max 50000 100000.*cpuset.cpus 0"),
    Case("limits of processes", limited("--pids-limit", "30"), "pids.max 30"),
    Case("limits of disks", limited("--blkio-weight", "300", "--device-read-bps", "/dev/vda:1mb", "--device-write-iops", "/dev/vda:50"), "io.max "),
    Case("no limits", limited("-m", "0", "--pids-limit", "-1"), "memory.max max"),
    Case("update", updated, "memory.max 33554432|memory.max 100663296"),
    Case("out of memory", out_of_memory, "^137: [|] true 137 [|] oom|^137: [|] false 137 [|] (oom|no event)", clean=True),
    Case("a child out of memory", child_out_of_memory, "137 .*running [|] oom [|] 0: [|] half [|] true 7", clean=True),
    Case("stats with a limit", stats, "^0: [|] busy some / 64MiB 1"),
    Case("too many processes", too_many, "cannot fork", clean=True),
]
