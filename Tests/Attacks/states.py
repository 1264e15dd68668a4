"""Commands on one container at the same time: locks on a folder that is gone, names that are taken again."""
import fcntl
import json
import os
import subprocess
import time

from harness import attack


def holds(process, folder):
    """Whether a process has opened a folder, or has ended."""
    if process.poll() is not None:
        return True
    try:
        return any(os.readlink("/proc/%d/fd/%s" % (process.pid, number)).startswith(folder) for number in os.listdir("/proc/%d/fd" % process.pid))
    except OSError:
        return False


def two_deletes(bench, flags, running):
    """One delete has taken the state away and is at its poststop hook, others wait for its lock; the name is taken anew meanwhile."""
    slow = {"path": "/bin/sleep", "args": ["sleep", "0.2"]}
    old = bench.bundle(["/attacker", "wait"] if running else ["/bin/true"], lambda config: config.update(hooks={"poststop": [slow]}))
    new = bench.bundle(["/attacker", "wait"])
    for _ in bench.rounds(15, 12):
        name = bench.start(old)
        for _ in range(100):
            if running or bench.state(name).get("status") == "stopped":
                break
        folder = os.path.join(bench.root, name)
        # All of them are to be there before the first goes on: one that comes later means the new container.
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        deletes = [bench.helper(*bench.words("delete", *flags, name)) for _ in range(4)]
        while not all(holds(delete, folder) for delete in deletes):
            time.sleep(0.001)
        os.close(lock)
        while os.path.exists(folder) and any(delete.poll() is None for delete in deletes):
            pass
        done = bench.call("create", "--bundle", new, name, stdout=subprocess.DEVNULL)
        for delete in deletes:
            try:
                delete.wait(10)
            except subprocess.TimeoutExpired:
                bench.lost("a command hangs")
        if done.status != 0:
            bench.lost("the name can't be taken again: %s" % done)
        elif bench.state(name).get("status") != "created":
            bench.lost("a delete that was meant for the old container ended the new one")
        bench.stop_helpers()
        bench.delete(name)


@attack("lock-delete")
def delete(bench):
    two_deletes(bench, [], running=False)


@attack("lock-delete-force")
def delete_force(bench):
    two_deletes(bench, ["--force"], running=True)


@attack("lock-same-name")
def same_name(bench):
    """Loops make and remove a container of one name: each of them gets the truth, and nothing stays or breaks."""
    bundle = bench.bundle(["/bin/true"])
    name = bench.new_id()
    known = ("exist", "in use", "being", "another", "not running", "busy", "locked", "already", "killed")
    loop = 'while :; do "$@" > /dev/null < /dev/null; echo "status $?" >&2; done 2>> %s'
    logs = [bench.path("loop%d" % number) for number in range(3)]
    for log in logs:
        bench.helper("sh", "-c", loop % log, "sh", *bench.words("run", "--bundle", bundle, name))
    for _ in bench.rounds(300, 5):
        bench.call("delete", "--force", name)
    bench.stop_helpers()
    for log in logs:
        text = ""
        for line in open(log, errors="replace"):
            # A forced delete may kill it; what else goes wrong has to be the name.
            if line.startswith("status ") and line.strip() not in ("status 0", "status 137") and not any(word in text for word in known):
                bench.lost("%s: %s" % (line.strip(), text.strip().replace(name, "ID")[:160]), each=True)
            text = "" if line.startswith("status ") else text + line


@attack("lock-run-delete")
def run_delete(bench):
    """One name again and again, one command after the other."""
    bundle = bench.bundle(["/bin/true"])
    name = bench.new_id()
    for number in bench.rounds(150, 6):
        if number % 2:
            done = bench.call("run", "--bundle", bundle, name)
        else:
            with open(os.devnull, "w") as nothing:
                done = bench.command(bench.words("run", "--detach", "--bundle", bundle, name), stdout=nothing)
            if done.status == 0:
                done = bench.call("delete", "--force", name)
        if done.status != 0:
            bench.lost(str(done).replace(name, "ID"))


@attack("killed-runtime-again", only=["runbox"])
def again(bench):
    """The runtime of a foreground container is killed; the same command must not start a second beside the first."""
    web = "attack-%d-web" % os.getpid()
    bundle = bench.bundle(["/attacker", "wait"], lambda config: config["linux"].pop("cgroupsPath"), name=web)
    bench.ids.append(web)
    for _ in bench.rounds(3):
        first = bench.helper(*bench.words("run", bundle + "/"))
        for _ in range(300):
            if bench.state(web).get("status") == "running":
                break
            time.sleep(0.01)
        first.kill()
        first.wait()
        second = bench.helper(*bench.words("run", bundle + "/"), stderr=open(bench.path("again"), "w"))
        time.sleep(0.5)
        rows = json.loads(bench.call("list", "--format", "json").out or "[]") or []
        running = [row["id"] for row in rows if row["status"] == "running"]
        if len(running) > 1:
            bench.lost("two containers of one bundle run: %s" % " ".join(running))
        second.kill()
        said = open(bench.path("again")).read()
        if second.wait() == 0 or (len(running) <= 1 and web not in said):
            bench.lost("the second run names no running container: %s" % said.strip())
        for name in running:
            bench.delete(name)
