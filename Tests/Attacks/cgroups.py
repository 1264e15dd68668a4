"""A container with a writable cgroup makes cgroups that are hard to see and to take away, and hides processes in them."""
import os
import time

from harness import ALL, attack, capabilities, namespace


def mess(bench, kind, act):
    def hostile(config):
        capabilities(config, ALL)
        namespace(config, "cgroup")
        config["mounts"] = [entry for entry in config["mounts"] if entry["destination"] != "/sys/fs/cgroup"]
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw", "nosuid"]})
    bench.once()
    bundle = bench.bundle(["/attacker", "cgroups", kind], hostile)
    name = bench.start(bundle)
    assert bench.wait_for("ready", name), "the attacker could not make its cgroups: " + bench.log(name)
    pid = bench.state(name)["pid"]
    processes = own_processes(pid)
    act(bench, name, processes)
    if bench.kind != "runbox":
        bench.call("kill", name, "KILL")
    done = bench.delete(name)
    if done.status:
        bench.lost("delete --force fails: %s" % done)
    end = time.monotonic() + 3
    while any(os.path.exists("/proc/%d" % number) for number in processes) and time.monotonic() < end:
        bench.reap()
        time.sleep(0.01)
    alive = [number for number in processes if os.path.exists("/proc/%d" % number)]
    if alive:
        bench.lost("%d processes of the container live on" % len(alive))
        for number in alive:
            os.kill(number, 9)
    if os.path.exists("/sys/fs/cgroup/attack-%d-1" % os.getpid()):
        bench.lost("the cgroup is still there")
        remove("/sys/fs/cgroup/attack-%d-1" % os.getpid())


def own_processes(pid):
    """The init and its children: by the kernel, not by the runtime."""
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return [pid] + [int(word) for word in file.read().split()]


def remove(path):
    """By descriptor, as names may be too long for a path."""
    folder = os.open(os.fsencode(path), os.O_RDONLY | os.O_DIRECTORY)

    def below(parent):
        for name in os.listdir(parent):
            try:
                inner = os.open(os.fsencode(name), os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
            except OSError:
                continue
            below(inner)
            os.close(inner)
            try:
                os.rmdir(os.fsencode(name), dir_fd=parent)
            except OSError:
                pass
    below(folder)
    os.close(folder)
    try:
        os.rmdir(path)
    except OSError:
        pass


def only_delete(bench, name, processes):
    pass


def all_seen(bench, name, processes):
    done = bench.call("ps", "--format", "json", name)
    import json
    seen = set(json.loads(done.out)) if done.status == 0 else set()
    if not set(processes) <= seen:
        bench.lost("ps sees %d of %d processes: %s" % (len(seen & set(processes)), len(processes), done.err.strip()[:100]))


def all_killed(bench, name, processes):
    done = bench.call("kill", "--all", name, "KILL")
    if done.status:
        bench.lost("kill --all fails: %s" % done)
    time.sleep(0.2)
    bench.reap()
    alive = [number for number in processes if os.path.exists("/proc/%d" % number)]
    if alive:
        bench.lost("kill --all left %d processes" % len(alive))


for kind in ("bytes", "deep", "dots", "many", "nested"):
    for word, act in (("delete", only_delete), ("ps", all_seen), ("kill-all", all_killed)):
        if word == "delete" or kind in ("bytes", "deep", "nested"):
            attack("cgroup-%s-%s" % (kind, word), only=["runbox"] if word == "kill-all" else None)(
                lambda bench, kind=kind, act=act: mess(bench, kind, act))


@attack("cgroup-stopped-foreground", only=["runbox"])
def foreground(bench):
    """The end of a foreground run, whose cgroup is not removed as easily: no state is deleted and the cgroup left."""
    def hostile(config):
        capabilities(config, ALL)
        namespace(config, "cgroup")
        config["mounts"] = [entry for entry in config["mounts"] if entry["destination"] != "/sys/fs/cgroup"]
        config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw", "nosuid"]})
    script = "cd /sys/fs/cgroup && mkdir a && cd a && mkdir $(printf '\\377')"
    bundle = bench.bundle(["/bin/sh", "-c", script], hostile)
    for _ in bench.rounds(10, 3):
        done = bench.run(bundle)
        if os.path.exists("/sys/fs/cgroup/attack-%d-1" % os.getpid()):
            bench.lost("the cgroup is still there: %s" % done)
            remove("/sys/fs/cgroup/attack-%d-1" % os.getpid())
