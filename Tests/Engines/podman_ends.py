"""The cases of how a Podman container is stopped, limited, started again, and what becomes of it when something around it dies."""

import glob
import os
import re
import threading

from bench import ROOT, WORK, Case, Skip, sh, wait_for
from podman import BOX, need, since, version
from podman_life import LISTENS, gone, logs, running, state, with_box

DEAF = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")

# --- stop, kill, pause, restart --------------------------------------------------------------------------------------


def killed(e, name):
    return "\n".join([e.do("kill", "--signal", "HUP", name), e.do("kill", "-s", "0", name), e.do("kill", "-s", "NOTHING", name), state(e), e.do("kill", name),
        e.do("wait", name), state(e),
                      e.do("kill", name)])


def stopped_by(e, name):
    return "\n".join([e.do("stop", name), e.do("wait", name), state(e), e.do("stop", name), logs(e, "life")])


def paused(e, name):
    """What a paused container does not do."""
    return "\n".join([e.do("pause", name), e.do("pause", name), state(e), e.do("stop", "-t", "1", name), e.do("top", name, "comm"), e.do("unpause", name),
        e.do("unpause", name), state(e)])


def removed_paused(e):
    began = running(e, "life")
    return "\n".join([began, e.do("pause", e.name("life")), e.do("rm", e.name("life")), gone(e, "life")])


def restarted(e, name):
    first = e.pid("life")
    text = [e.do("restart", "-t", "60", name), f"another process {e.pid('life') not in ('0', first)}", state(e)]
    wait_for(lambda: logs(e, "life").count("ready") == 2)
    return "\n".join(text + [logs(e, "life")])


# A container that ends three times and then stays: whoever removes one that goes on ending may find it running and gone
# at the next look.
LIVES = "echo >> /lives; test $(wc -l < /lives) -gt 3 && exec sleep 1000; "


def policy(name, expected, flag, command, settled):
    """What a restart policy makes of a container that ends; `settled` tells from its state when it has."""
    def run(e):
        word = re.sub("[^a-z]+", "", flag)
        box = e.name(word)
        e.do("run", "-d", "--name", box, "--restart", flag, BOX, "sh", "-c", command)

        def now():
            return sh(*e.words("inspect", "--format", "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}", box))[1].strip()
        wait_for(lambda: re.search(settled, now()))
        return now() + "\n" + gone(e, word)
    return Case(name, run, expected, clean=True)


def not_after_stop(e):
    running(e, "again", "--restart", "always")
    first = e.do("stop", "-t", "60", e.name("again"))
    sh("sleep", "1")
    return "\n".join([first, state(e, "again"), gone(e, "again")])


def prepared(e):
    """`podman init` makes the container and starts nothing."""
    name = e.name("life")
    text = [e.do("create", "--name", name, BOX, "sh", "-c", "echo runs; exit 4"), e.do("init", name), state(e), e.do("init", name), e.do("exec", name, "true")]
    text += [e.do("start", "-a", name), state(e), gone(e, "life")]
    return "\n".join(text)


def prepared_and_removed(e):
    name = e.name("life")
    return "\n".join([e.do("create", "--name", name, BOX, "true"), e.do("init", name), e.do("rm", "-f", "-t", "0", name)])


def refused_removal(e, name):
    return "\n".join([e.do("rm", name), e.do("rm", e.name("none")), e.do("rm", "-f", e.name("none"))])


def started_with_input(e):
    name = e.name("life")
    e.do("create", "-i", "--name", name, BOX, "sh", "-c", "cat; exit 3")
    return "\n".join([e.do("start", "-ai", name, input="given\n"), gone(e, "life")])


def removed_by_itself(e):
    e.do("run", "-d", "--rm", "--name", e.name("life"), BOX, "true")
    wait_for(lambda: not sh(*e.words("ps", "-aq", "--filter", "name=" + e.name("life")))[1].strip())
    return "left: " + sh(*e.words("ps", "-aq", "--filter", "name=" + e.name("life")))[1].strip()


def ill(e):
    """A health check that fails ends the container, if that is asked for."""
    since(4, 4)
    name = e.name("life")
    began = running(e, "life", "--health-cmd", "exit 1", "--health-interval", "disable", "--health-retries", "1", "--health-on-failure", "kill")
    text = [began, e.do("healthcheck", "run", name)]
    wait_for(lambda: "exited" in state(e))
    return "\n".join(text + [state(e), e.inspect("life", "{{.State.Health.Status}} {{len .State.Health.Log}}"), gone(e, "life")])


STOPS = [
    with_box("kill with several signals", "running 0 .*exited 137", killed),
    with_box("stop, and stop again", "exited 3 .*term", stopped_by),
    with_box("stop with a signal of its own", "hup", stopped_by, "--stop-signal", "HUP", "--stop-timeout", "1"),
    with_box("stop of one that is deaf", "exited 137", stopped_by, "--stop-timeout", "1", command=DEAF, clean=True),
    with_box("pause, twice", "paused", paused),
    Case("rm -f of what is paused", removed_paused, "^0: .*0: [|] life$", clean=True),
    with_box("restart", "another process True", restarted),
    policy("--restart always", "^running 3 ", "always", LIVES + "exit 3", "^running 3"),
    policy("--restart on-failure:2", "^exited 2 3", "on-failure:2", "exit 3", "^exited 2"),
    policy("--restart on-failure, without one", "^exited 0 0", "on-failure", "exit 0", "^exited"),
    policy("--restart unless-stopped", "^running 3 ", "unless-stopped", LIVES + "exit 0", "^running 3"),
    policy("--restart no", "^exited 0 9", "no", "exit 9", "^exited"),
    Case("--restart always, and stop", not_after_stop, "exited 3", clean=True),
    Case("init, then start", prepared, "initialized|created", clean=True),
    Case("init, then rm", prepared_and_removed, "0: [|] life$", clean=True),
    with_box("rm of what runs, and of what is not there", "12[56]: |2: ", refused_removal),
    Case("start -ai", started_with_input, "^3: [|] given", clean=True),
    Case("run -d --rm", removed_by_itself, "^left: *$", clean=True),
    Case("--health-on-failure kill", ill, "unhealthy", clean=True),
]

# --- limits ----------------------------------------------------------------------------------------------------------

FILES = "memory.max memory.high memory.low memory.swap.max pids.max cpu.max cpu.weight cpuset.cpus cpuset.mems io.bfq.weight io.weight"
SEEN = f"cd /sys/fs/cgroup; for f in {FILES}; do test -e $f && echo $f $(cat $f); done"


def limited(name, expected, *words, controller, least=(4, 0)):
    def run(e):
        since(*least)
        need(controller)
        return e.box(*words, BOX, "sh", "-c", SEEN + "; true")
    return Case(name, run, expected)


def updated(e):
    since(4, 3)
    need("memory")
    running(e, "life", "--memory", "64m", "--memory-swap", "64m")
    name = e.name("life")
    pids = ["--pids-limit", "77"] if version() >= (5, 0) else []
    text = [e.do("update", "--memory", "128m", "--memory-swap", "256m", "--cpus", "0.5", *pids, name), e.do("exec", name, "sh", "-c", SEEN)]
    text += [e.do("update", "--cpu-shares", "2048", name), e.do("exec", name, "sh", "-c", SEEN), e.do("restart", "-t", "0", name), e.do("exec", name, "sh",
        "-c", SEEN)]
    return "\n".join(text + [gone(e, "life")])


def updated_to_nonsense(e, name):
    need("memory")
    return "\n".join([e.do("update", "--memory", "1k", name), e.do("update", "--memory", "x", name), e.do("update", name)])


def forked_too_often(e):
    need("pids")
    return e.box("--pids-limit", "5", BOX, "sh", "-c", "for i in 1 2 3 4 5 6 7; do sleep 3 & done 2>&1; wait; true") + "\n"


def not_enough(e):
    """What the engine says of a container that wanted too much."""
    need("memory")
    name = e.name("oom")
    first = e.do("run", "-d", "--name", name, "--memory", "16m", "--memory-swap", "16m", BOX, "tail", "/dev/zero")
    text = [first, e.do("wait", name), e.inspect("oom", "{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}"), gone(e, "oom")]
    return "\n".join(text)


def slowed(e):
    need("io")
    if not ROOT:
        raise Skip("disks are root's")
    disk = next((f"/dev/{name}" for name in sorted(os.listdir("/sys/block")) if name.startswith(("vd", "sd", "nvme"))), None)
    if not disk:
        raise Skip("no disk here")
    return e.box("--device-read-bps", disk + ":1mb", "--device-write-iops", disk + ":100", BOX, "sh", "-c", "cut -d' ' -f2- /sys/fs/cgroup/io.max")


LIMITS = [
    limited("--memory and its kin", "memory.max 67108864", "--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m", controller="memory"),
    limited("--memory-swap -1", "memory.swap.max max", "--memory", "64m", "--memory-swap", "-1", controller="memory"),
    limited("--cpus, --cpu-shares", "cpu.max 50000 100000", "--cpus", "0.5", "--cpu-shares", "512", controller="cpu"),
    limited("--cpu-quota, --cpu-period", "cpu.max 10000 50000", "--cpu-quota", "10000", "--cpu-period", "50000", controller="cpu"),
    limited("--cpuset-cpus", "cpuset.cpus 0", "--cpuset-cpus", "0", "--cpuset-mems", "0", controller="cpuset"),
    limited("--pids-limit", "pids.max 33", "--pids-limit", "33", controller="pids"),
    limited("--pids-limit -1", "pids.max max", "--pids-limit", "-1", controller="pids"),
    limited("--cgroup-conf", "memory.high 33554432", "--cgroup-conf", "memory.high=33554432", controller="memory"),
    limited("--blkio-weight", "^", "--blkio-weight", "200", controller="io"),
    Case("--device-read-bps, --device-write-iops", slowed, "rbps=1048576"),
    Case("update", updated, "memory.max 134217728", clean=True),
    with_box("update to nonsense", "12[56]: ", updated_to_nonsense),
    Case("more processes than it may have", forked_too_often, "^"),
    Case("out of memory in the background", not_enough, "137"),
]

# --- what dies around it ---------------------------------------------------------------------------------------------


def without_conmon(e):
    """Its monitor is killed; the engine notices when it looks, and can remove the container."""
    running(e, "life")
    name = e.name("life")
    ID = sh(*e.words("inspect", "--format", "{{.Id}}", name))[1].strip()
    monitor = sh(*e.words("inspect", "--format", "{{.State.ConmonPid}}", name))[1].strip()
    os.kill(int(monitor), 9)
    text = [re.sub("Up .*", "Up", e.do("ps", "-a", "--filter", "name=" + name, "--format", "{{.Names}} {{.Status}}")), e.do("exec", name, "echo", "runs on")]
    return "\n".join(text + [gone(e, "life"), e.do("ps", "-aq", "--filter", "name=" + name), by_hand(e, ID)])


def by_hand(e, ID):
    """Without its monitor nobody tells Podman of the end, and it never asks the runtime to delete the container, whichever that is."""
    return f"by hand {sh(e.runtime, 'delete', '--force', ID)[0]}"


def without_conmon_stop(e):
    running(e, "life")
    name = e.name("life")
    ID, monitor = sh(*e.words("inspect", "--format", "{{.Id}} {{.State.ConmonPid}}", name))[1].split()
    os.kill(int(monitor), 9)
    first = e.do("stop", "-t", "1", name)
    return "\n".join([re.sub(r" \d+s?", " N", first), gone(e, "life"), e.do("ps", "-aq", "--filter", "name=" + name), by_hand(e, ID)])


def init_killed(e):
    running(e, "life")
    os.kill(int(e.pid("life")), 9) if ROOT else sh("podman", "unshare", "kill", "-9", e.pid("life"))
    return "\n".join([e.do("wait", e.name("life")), state(e), gone(e, "life")])


def engine_killed(e):
    """`podman run` in the foreground is killed: the container goes on, and can be stopped."""
    import subprocess
    name = e.name("life")
    process = subprocess.Popen(e.words("run", "--name", name, BOX, "sh", "-c", LISTENS), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: "ready" in logs(e, "life"))
    process.kill()
    process.wait()
    return "\n".join([state(e), e.do("exec", name, "echo", "runs on"), e.do("stop", "-t", "60", name), state(e), gone(e, "life")])


def state_lost(e):
    """The runtime's own folder of the container is gone, as after a reboot; the engine can remove it all the same."""
    running(e, "life")
    name = e.name("life")
    ID = sh(*e.words("inspect", "--format", "{{.Id}}", name))[1].strip()
    sh(e.runtime, "kill", ID, "KILL"), sh(e.runtime, "delete", "--force", ID)
    return "\n".join([gone(e, "life"), e.do("ps", "-aq", "--filter", "name=" + name)])


def checkpointed(e):
    """Done, or refused with words; the container is fine in either case."""
    running(e, "life")
    name = e.name("life")
    status, out, err = sh(*e.words("container", "checkpoint", "--leave-running", name))
    words = err.splitlines()[-1] if err else ""
    told = "done" if status == 0 else "refused" if status == 125 and words.startswith("Error: ") and len(words) > 30 else f"{status} {words}"
    return "\n".join([told, e.do("exec", name, "echo", "fine"), gone(e, "life")])


COUNTS = "i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done"


def counting(e, name):
    """A container that counts in a variable, and what it has said so far."""
    told = e.do("run", "-d", "--name", e.name(name), BOX, "sh", "-c", COUNTS)
    wait_for(lambda: len(numbers(e, name)) > 3)
    return told


def numbers(e, name):
    return [int(line) for line in logs(e, name).split() if line.isdigit()]


def goes_on(e, name, before):
    """Whether it counts on from where it was, with none missing."""
    wait_for(lambda: numbers(e, name) and numbers(e, name)[-1] > before + 2)
    count = numbers(e, name)
    return "counts on" if count and count[-1] > before + 2 and all(b == a + 1 for a, b in zip(count, count[1:])) else f"{before} {count[-5:]}"


def in_short(status):
    return next((word for word in ("running", "exited", "paused") if word in status), status)


def need_criu():
    if sh("criu", "check")[0]:
        raise Skip("CRIU does not work with this kernel")


def restored(e):
    """Saved and ended, and restored under the same name; then it is a container like any other."""
    need_criu()
    counting(e, "life")
    name = e.name("life")
    saved = e.do("container", "checkpoint", name).replace(name, "NAME")
    status, before = state(e), numbers(e, "life")[-1]
    back = e.do("container", "restore", name).replace(name, "NAME")
    on = goes_on(e, "life", before)
    return "\n".join([saved.split()[0], in_short(status), back.split()[0], on, e.do("exec", name, "echo", "fine"), e.do("stop", "-t", "1", name).split()[0], gone(e, "life")])


def exported(e):
    """Saved to a file, removed, and made of the file again under another name. runc restores it into the cgroup that it was saved from, and leaves that."""
    need_criu()
    counting(e, "life")
    name, other, path = e.name("life"), e.name("other"), f"{WORK}/checkpoint-{e.tag}.tar.gz"
    ID = sh(*e.words("inspect", "--format", "{{.Id}}", name))[1].strip()
    saved = e.do("container", "checkpoint", "--export", path, name)
    before = numbers(e, "life")[-1]
    removed = e.do("rm", name)
    back = e.do("container", "restore", "--import", path, "--name", other)
    on = goes_on(e, "other", before)
    told = [saved.split()[0], removed.split()[0], back.split()[0], on, e.do("exec", other, "echo", "fine"), gone(e, "other")]
    if e.tag == "runc":
        for folder in glob.glob(f"/sys/fs/cgroup/*/libpod-{ID}.scope"):
            wait_for(lambda: "populated 0" in open(f"{folder}/cgroup.events").read())
            os.rmdir(folder)
    return "\n".join(told)


def pre_checkpointed(e):
    """Memory first, while it runs, and the rest afterwards; both in files."""
    need_criu()
    counting(e, "life")
    name, first, second = e.name("life"), f"{WORK}/pre-{e.tag}.tar.gz", f"{WORK}/last-{e.tag}.tar.gz"
    saved = e.do("container", "checkpoint", "--pre-checkpoint", "--export", first, name)
    status = state(e)
    last = e.do("container", "checkpoint", "--with-previous", "--export", second, name)
    before = numbers(e, "life")[-1]
    e.do("rm", name)
    back = e.do("container", "restore", "--import-previous", first, "--import", second)
    return "\n".join([saved.split()[0], in_short(status), last.split()[0], back.split()[0], goes_on(e, "life", before), gone(e, "life")])


def many(number):
    def run(e):
        names = [e.name(f"n{'abcdefghij'[index % 10]}{'x' * (index // 10)}y") for index in range(number)]
        told, words = [None] * number, set()

        def one(first):
            for index in range(first, number, 5):
                status, _, err = sh(*e.words("run", "-d", "--name", names[index], BOX, "sleep", "1000"))
                told[index] = status
                words.update(line for line in err.splitlines() if status and line.startswith("Error"))
        threads = [threading.Thread(target=one, args=(first,)) for first in range(5)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        running_now = set(sh(*e.words("ps", "--format", "{{.Names}}"))[1].split()) & set(names)
        asked = sh(*e.words("exec", names[-1], "echo", "fine"))[1].strip()
        status = sh(*e.words("rm", "-f", "-t", "0", *names), timeout=300)[0]
        left = set(sh(*e.words("ps", "-a", "--format", "{{.Names}}"))[1].split()) & set(names)
        return f"began {told.count(0)}, running {len(running_now)}, {asked}, removed {status}, left {len(left)}" + "\n".join([""] + sorted(words))
    return Case(f"{number} containers at once", run, f"^began {number}, running {number}, fine, removed 0, left 0$", clean=True)


ENDS = [
    Case("its monitor is killed", without_conmon, "runs on", clean=True),
    Case("its monitor is killed, and stop", without_conmon_stop, "^", clean=True),
    Case("its first process is killed", init_killed, "^0: [|] 137 [|] 0: [|] exited 137", clean=True),
    Case("podman run is killed", engine_killed, "^0: [|] running 0 .*runs on .*exited 3", clean=True),
    Case("the runtime's state is gone", state_lost, "0: [|] life", clean=True),
    Case("checkpoint", checkpointed, "^(done|refused) [|] 0: [|] fine", clean=True),
    Case("checkpoint and restore", restored, "^0: [|] exited [|] 0: [|] counts on [|] 0: [|] fine [|] 0:", clean=True),
    Case("checkpoint --export, and restore --import under another name", exported, "^0: [|] 0: [|] 0: [|] counts on [|] 0: [|] fine", clean=True),
    Case("checkpoint --pre-checkpoint and --with-previous", pre_checkpointed, "^0: [|] running [|] 0: [|] 0: [|] counts on", clean=True),
    many(50),
]
