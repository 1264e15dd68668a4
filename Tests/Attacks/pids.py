"""Numbers of processes: the container's init dies while a command of the runtime is at work, and a process of the host has its number."""
import json
import os
import time

from harness import attack, capabilities, ALL


def swapped(bench, words, evil, step):
    """At each system call in turn, the number goes to a process of the host. `evil` judges what the command has done."""
    secret = bench.host_secret
    bundle = bench.bundle(["/attacker", "wait"], lambda config: capabilities(config, ALL))
    first = bench.start(bundle)
    # How many calls there are: without a swap.
    done = bench.command([bench.attacker, "reuse", "1000000", str(bench.state(first)["pid"]), bench.runtime, "--root", bench.root, *words(first, secret)])
    total = int(done.out.split("calls ")[-1].split()[0])
    bench.delete(first)
    for number in range(1, total + 1, 1 if bench.long else max(1, total // step)):
        name = bench.start(bundle)
        pid = bench.state(name)["pid"]
        # The kernel's clock for the starts of processes has ticks of 10 ms: two within one are taken for one, and no
        # attacker is so fast.
        time.sleep(0.03)
        bench.once()
        done = bench.command([bench.attacker, "reuse", str(number), str(pid), bench.runtime, "--root", bench.root, *words(name, secret)])
        reason = evil(done)
        if reason:
            bench.lost("call %d of %d: %s" % (number, total, reason))
        bench.delete(name)


def entered(done):
    return "the command ran on the host" if "the host's secret" in done.out else None


def killed(done):
    return "a process of the host was killed" if "impostor killed" in done.out else None


@attack("pid-reuse-exec")
def exec_(bench):
    swapped(bench, lambda name, secret: ["exec", name, "/bin/sh", "-c", "cat %s" % secret], entered, 30)


@attack("pid-reuse-exec-detached")
def exec_detached(bench):
    swapped(bench, lambda name, secret: ["exec", "--detach", name, "/bin/sh", "-c", "cat %s" % secret], entered, 20)


@attack("pid-reuse-kill")
def kill(bench):
    swapped(bench, lambda name, secret: ["kill", name, "KILL"], killed, 40)


@attack("pid-reuse-delete-force")
def delete(bench):
    swapped(bench, lambda name, secret: ["delete", "--force", name], killed, 40)


# --- a state folder of somebody else ---------------------------------------------------------------------------------

def forge(bench, victim, change=None):
    """The state of a container, with another process in the place of its init; as runbox writes it."""
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    path = os.path.join(bench.root, name, "state.json")
    record = json.load(open(path))
    with open("/proc/%d/stat" % victim.pid) as file:
        start = int(file.read().rsplit(")", 1)[1].split()[19])
    real = record["pid"]
    record.update(pid=victim.pid, startTime=start)
    if change:
        change(record)
    with open(path, "w") as file:
        json.dump(record, file)
    return name, real


def forged(bench, prepare):
    """Root works with a root of states that somebody else can write. Refusing to is right; acting on the forged number is not."""
    for words in (["kill", "ID", "KILL"], ["delete", "--force", "ID"], ["exec", "ID", "/bin/sh", "-c", "cat " + bench.host_secret], ["pause", "ID"]):
        bench.once()
        victim = bench.helper("setpriv", "--reuid", "0", "sleep", "1000")
        bench.root = bench.dir("root%d" % bench.tries, 0o700)
        name, real = forge(bench, victim)
        root = prepare(bench, bench.root) or bench.root
        done = bench.command([bench.runtime, "--root", root, *[name if word == "ID" else word for word in words]])
        if victim.poll() is not None:
            bench.lost("%s ended a process of the host" % words[0])
        if "the host's secret" in done.out:
            bench.lost("exec ran on the host")
        os.chown(bench.root, 0, 0)
        os.chmod(bench.root, 0o700)
        os.chmod(bench.folder, 0o711)
        os.kill(real, 9)
        bench.delete(name)
        bench.stop_helpers()


def mode(bits):
    return lambda bench, root: os.chmod(root, bits)


def owner(bench, root):
    os.chown(root, 65534, 65534)


def above(bench, root):
    os.chmod(bench.folder, 0o777)


def linked(bench, root):
    folder = bench.dir("open", 0o777)
    path = os.path.join(folder, "states%d" % bench.tries)
    os.symlink(root, path)
    os.lchown(path, 65534, 65534)
    return path


for word, prepare in (("writable", mode(0o777)), ("sticky", mode(0o1777)), ("group", mode(0o770)), ("owner", owner), ("parent", above), ("link", linked)):
    attack("forged-state-%s" % word, only=["runbox"])(lambda bench, prepare=prepare: forged(bench, prepare))


@attack("forged-state-folder", only=["runbox"])
def folder(bench):
    """The root is ours, one container's folder in it is not: made beforehand by who may write there no more."""
    bench.once()
    victim = bench.helper("sleep", "1000")
    name, real = forge(bench, victim)
    os.chown(os.path.join(bench.root, name), 65534, 65534)
    os.chown(os.path.join(bench.root, name, "state.json"), 65534, 65534)
    bench.call("kill", name, "KILL")
    if victim.poll() is not None:
        bench.lost("kill ended a process of the host")
    os.chown(os.path.join(bench.root, name), 0, 0)
    os.kill(real, 9)
