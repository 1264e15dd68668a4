"""What is a daemon's own affair: its default runtime, the user namespace that it gives to all, and its end under containers that go on."""

import os
import re
import signal
import time

from bench import WORK, Case, sh, write
from docker import BOX
from docker_flags import LOOK, says
from docker_life import exec_ends
from docker_terminal import attached

DEFAULT = [
    Case("the default runtime", lambda e: e.do("info", "--format", "{{.DefaultRuntime}} {{.CgroupDriver}} {{.LiveRestoreEnabled}}").replace(e.tag, "R") + " " +
         e.inspect("base", "{{.HostConfig.Runtime}}").replace(e.tag, "R"), "R (cgroupfs|systemd) (true|false) ?R?$"),
    Case("by default", says("echo out; exit 3"), "^3: [|] out$", clean=True),
]


# --- live-restore ----------------------------------------------------------------------------------------------------


def restored(number):
    """Containers of several kinds; the daemon ends, one of them ends meanwhile; a new daemon finds each as it is.

    Docker 28 has 255 for what ended meanwhile, with any runtime."""
    def run(e):
        count = "i=0; while :; do i=$((i + 1)); echo $i; sleep 0.2; done"
        e.long("counts", command=("sh", "-c", count))
        e.long("quits", command=("sh", "-c", "while ! test -e /run/quit; do sleep 0.1; done; exit 9"))
        e.long("always", "--restart", "always")
        e.long("frozen")
        e.do("pause", e.name("frozen"))
        e.do("run", "-dit", "--network", "none", "--name", e.name("typed"), BOX, "sh")
        pids = {name: e.pid(name) for name in ("counts", "quits", "always", "frozen", "typed")}
        e.daemon.end(number)
        write(f"/proc/{pids['quits']}/root/run/quit", "")
        os.kill(int(pids["always"]), 9)
        # A whole round of counting and a bit more than the daemon's client takes to see that nobody is there.
        time.sleep(1)
        e.daemon.begin()
        e.daemon.ready()
        lines = [f"{name} {e.inspect(name, '{{.State.Status}}')} {pids[name] == e.pid(name)}" for name in ("counts", "frozen", "typed")]
        lines += ["quits " + e.wait("quits", "{{.State.Status}} {{.State.ExitCode}}", "exited .*"),
            "always " + e.wait("always", "{{.State.Status}}", "running")]
        lines += [e.exec("counts", "echo", "answers"), e.do("unpause", e.name("frozen")), e.exec("frozen", "echo", "thawed")]
        before = len(sh(*e.words("logs", e.name("counts")))[1].split())
        time.sleep(1)
        after = sh(*e.words("logs", e.name("counts")))[1].split()
        lines += [f"logs go on {len(after) > before} from the first {after[:1] == ['1']}"]
        lines += [e.do("stop", "-t", "1", e.name("counts")), e.inspect("counts", "{{.State.ExitCode}}"), e.do("start", e.name("counts")),
            e.exec("counts", "echo", "anew")]
        return "\n".join(lines + [e.drop(*pids)])
    return run


def not_restored(e):
    """A daemon that was killed finds created and stopped ones as they were, and a name that it can use again."""
    e.do("create", "--name", e.name("made"), "--network", "none", BOX, "sh", "-c", "echo ran; exit 2")
    e.long("over", command=("sh", "-c", "exit 6"))
    e.wait("over", "{{.State.Status}}", "exited")
    e.daemon.again(signal.SIGKILL)
    lines = [e.inspect("made", "{{.State.Status}}"), e.do("start", "-a", e.name("made")), e.inspect("over", "{{.State.Status}} {{.State.ExitCode}}"),
        e.drop("made", "over")]
    return "\n".join(lines + [e.do("run", "--rm", "--network", "none", "--name", e.name("made"), BOX, "echo", "again")])


def containerd_killed(e):
    """The daemon's own containerd is killed; dockerd makes a new one, and containers go on."""
    e.long("goes")
    with open(e.daemon.exec_root + "/containerd/containerd.pid") as file:
        os.kill(int(file.read()), 9)
    said, end = "", time.monotonic() + 60
    while "on" not in said.split() and time.monotonic() < end:
        time.sleep(0.5)
        said = e.exec("goes", "echo", "on")
    return "\n".join([said, e.inspect("goes", "{{.State.Status}}"), e.drop("goes"), e.box(BOX, "echo", "new")])


RESTORE = [
    Case("live-restore, dockerd ended and restarted", restored(signal.SIGTERM),
        "^counts running True [|] frozen paused True .*quits exited (9|255) [|] always running .*answers.*thawed.*logs go on True", clean=True),
    Case("live-restore, dockerd killed and restarted", restored(signal.SIGKILL),
        "^counts running True [|] frozen paused True .*quits exited (9|255) [|] always running .*answers.*thawed.*logs go on True", clean=True),
    Case("dockerd killed beside containers that do not run", not_restored, "^created [|] 2: [|] ran [|] exited 6 .*again$", clean=True),
    Case("containerd killed and restarted", containerd_killed, "^0: [|] on [|] running", clean=True),
]


# --- userns-remap ----------------------------------------------------------------------------------------------------

REMAP = "dockremap"


def settle_remap():
    """The user whose subordinate ids the daemon uses; useradd may be missing."""
    for path, line in (("/etc/passwd", f"{REMAP}:x:990:990::/:/bin/false"), ("/etc/group", f"{REMAP}:x:990:"),
                       ("/etc/subuid", f"{REMAP}:300000:65536"), ("/etc/subgid", f"{REMAP}:300000:65536")):
        with open(path) as file:
            text = file.read()
        if REMAP not in text:
            with open(path, "a") as file:
                file.write(line + "\n")


def owners(e):
    """Who owns on the host what root and a user make in a volume."""
    path = f"{WORK}/remap-{e.tag}"
    write(path + "/file", "mine\n")
    os.chmod(path, 0o777)
    told = e.box("-v", path + ":/v", BOX, "sh", "-c",
        "cat /v/file; stat -c %u /v/file; touch /v/root; chown 1000 /v/root; touch /v/own; echo x 2> /dev/null >> /v/file || echo refused")
    return told + "\n" + " ".join(f"{name} {os.stat(f'{path}/{name}').st_uid}" for name in sorted(os.listdir(path)))


def process_owner(e):
    e.long("seen", "--user", "user")
    with open(f"/proc/{e.pid('seen')}/status") as file:
        uid = re.search(r"Uid:\s*(\d+)", file.read())[1]
    return "\n".join([uid, e.exec("seen", "id"), e.exec("seen", "id", flags=["-u", "0"]), e.do("pause", e.name("seen")), e.do("unpause", e.name("seen")),
        e.drop("seen")])


REMAPPED = [
    Case("userns-remap: maps", says("cat /proc/self/uid_map /proc/self/gid_map"), r"^0: [|] 0 +300000 +65536 [|] 0 +300000 +65536$"),
    Case("userns-remap: as it is", says(LOOK, "--hostname", "inner"), "inner.*CapEff"),
    Case("userns-remap: read-only, a tmpfs, a user", says(LOOK, "--read-only", "--tmpfs", "/t:size=1m", "--user", "user", "--hostname", "inner"),
        "inner.*CapEff"),
    Case("userns-remap: owners", owners, "^0: [|] mine [|] 65534 .*own 300000 root 301000$"),
    Case("userns-remap: the owner of the process", process_owner, "^301000 .*uid=1000.*uid=0"),
    Case("userns-remap: a named volume", lambda e: e.box("-v", e.name("vol") + ":/data", BOX, "sh", "-c",
        "stat -c %u /data/file; touch /data/x && echo made") + "\n" +
         e.do("volume", "rm", e.name("vol")), "^0: [|] 0 [|] made"),
    Case("userns-remap: statuses of exec", lambda e: e.long("remapped") + "\n" + exec_ends(e, "remapped") + "\n" + e.drop("remapped"), "nothere 12[67]:"),
    Case("userns-remap: a terminal", attached, "^[01] True [|] running [|] 6"),
    Case("userns-remap: a device by another name", says("echo x > /dev/x && echo written", "--device", "/dev/null:/dev/x"), "^0: [|] written$"),
    # net.core is not there for the user namespaces of older kernels (6.1).
    Case("userns-remap: a device, a sysctl, a limit", says("test -c /dev/fuse; cat /proc/sys/net/ipv4/tcp_fin_timeout; ulimit -n", "--device", "/dev/fuse",
        "--sysctl", "net.ipv4.tcp_fin_timeout=99", "--ulimit", "nofile=77:99"), "^0: [|] 99 [|] 77$"),
    Case("userns-remap: --userns host", says("cat /proc/self/uid_map", "--userns", "host"), r"^0: [|] 0 +0 "),
    Case("userns-remap: --privileged", says("true", "--privileged"), "^125: "),
    Case("userns-remap: --pid host", says("true", "--pid", "host"), "^(125|126|0): "),
    Case("userns-remap: a wrong program", says("true", "--entrypoint", "/nothere"), "^127: ", clean=True),
]
