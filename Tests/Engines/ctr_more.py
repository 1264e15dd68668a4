"""Further cases of ctr: a container's life in all its turns, exec, streams, sudden ends."""

import os
import re
import subprocess
import threading
import time

from bench import WORK, Case, Skip, on_terminal, quote, sh, write
from ctr import BOX, EVENTS, killed_daemon, listen, together
from cri_pods import shim


def appears(look, timeout=30):
    """What `look` gives as soon as it is something."""
    end = time.monotonic() + timeout
    while not (found := look()) and time.monotonic() < end:
        time.sleep(0.05)
    return found


def end(e, name):
    """Whatever it does now, it is ended and forgotten."""
    e.do("task", "kill", "--signal", "SIGKILL", e.name(name))
    return e.remove(name)


# --- exec ------------------------------------------------------------------------------------------------------------


def exec_detached(e):
    first = e.exec("long", "sh", "-c", "echo made > /tmp/detached; sleep 1000", flags=["--detach"])
    made = appears(lambda: "made" in e.exec("long", "cat", "/tmp/detached"))
    return f"{first}\n{made} {e.exec('long', 'sh', '-c', 'ps | grep -c [s]leep.1000$')}"


def exec_killed(e):
    """A process of exec is ended by its own name."""
    e.do("task", "exec", "--detach", "--exec-id", "victim", e.name("long"), "sleep", "2000")
    told = e.do("task", "kill", "--exec-id", "victim", "--signal", "SIGKILL", e.name("long"))
    gone = appears(lambda: "sleep 2000" not in e.exec("long", "ps"))
    return f"{told}\n{gone} {e.task('long')}"


def directory(e):
    """Engines take either sentence for the same, status 126."""
    return re.sub("permission denied|is a directory", "no program", e.exec("long", "/etc"))


def exec_paused(e):
    e.do("task", "pause", e.name("long"))
    told = e.exec("long", "true")
    return ("refused" if "paused" in told else told) + "\n" + e.do("task", "resume", e.name("long"))


def sized(e):
    """The size of the caller's terminal is the container's."""
    words = ["ctr", "run", "--rm", "--tty", *e.runtime_flags(e.name("size")), BOX, e.name("size"), "sh", "-c", "sleep 0.5; stty size; exit 2"]
    return on_terminal("sh", "-c", "stty rows 31 cols 101; " + quote(words))


# --- life ------------------------------------------------------------------------------------------------------------


def made_then_started(e):
    """create and start by themselves, and what is refused in between. Before containerd 2 `ctr container create` can't be told the runtime's program."""
    if "--runc-binary" not in sh("ctr", "container", "create", "--help")[1]:
        raise Skip("this ctr container create knows no --runc-binary")
    flags = [flag for flag in e.runtime_flags(e.name("made")) if flag not in ("--cpu-shares", "0")]
    name = e.name("made")
    made = e.do("container", "create", *flags, BOX, name, "sh", "-c", "sleep 1000")
    twice = e.do("container", "create", *flags, BOX, name, "true")
    started = e.do("task", "start", "--detach", name)
    again = e.do("task", "start", "--detach", name)
    task = e.do("task", "delete", name)
    container = e.do("container", "delete", name)
    exists = [re.sub(r"^1:.*already exists.*", "exists", text, flags=re.S) for text in (twice, again)]
    refused = [re.sub(r"^1:.*(must be stopped|cannot delete|running).*", "refused", text, flags=re.S) for text in (task, container)]
    return "\n".join([made, started, *exists, *refused, e.do("task", "delete", "--force", name), e.do("container", "delete", name)])


def attached(e):
    """`task attach` to one that was started before: its output, and its status."""
    name = e.name("attach")
    e.run("attach", "sh", "-c", "until test -e /tmp/go; do sleep 0.1; done; echo attached; exit 4", detach=True)
    process = subprocess.Popen(["ctr", "task", "attach", name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(1)
    e.exec("attach", "touch", "/tmp/go")
    out, err = process.communicate(timeout=60)
    return e.told(process.returncode, out.decode(), err.decode()) + "\n" + e.remove("attach").split("\n")[-1]


def signals(e):
    """Each as its program takes it, and the ones that end it as its status."""
    told = []
    for signal, status in (("SIGUSR1", 21), ("2", 22), ("SIGHUP", 23)):
        e.run("sig", "sh", "-c", "trap 'exit 21' USR1; trap 'exit 22' INT; trap 'exit 23' HUP; touch /tmp/ready; while :; do sleep 0.1; done", detach=True)
        appears(lambda: e.exec("sig", "test", "-e", "/tmp/ready").startswith("0:"))
        e.do("task", "kill", "--signal", signal, e.name("sig"))
        told.append(f"{signal} {status if f'exit code {status}' in e.remove('sig') else 'ends otherwise'}")
    return "\n".join(told)


def killed_twice(e):
    e.run("gone", "sleep", "1000", detach=True)
    e.do("task", "kill", "--signal", "SIGKILL", e.name("gone"))
    appears(lambda: e.task("gone") == "STOPPED")
    return e.do("task", "kill", "--signal", "SIGKILL", e.name("gone")) + "\n" + e.exec("gone", "true") + "\n" + e.remove("gone")


def from_outside(e):
    e.run("shot", "sleep", "1000", detach=True)
    os.kill(int(e.pid("shot")), 9)
    return e.remove("shot")


def pid_file(e):
    path = f"{WORK}/pid-{e.tag}"
    told = e.run("pidfile", "sleep", "1000", flags=["--pid-file", path], detach=True)
    with open(path) as file:
        same = file.read().strip() == e.pid("pidfile")
    return f"{told}\n{same} {end(e, 'pidfile')}"


def told_events(e):
    """In their order, with the status. Of the deletion ctr is now and then not told by containerd 2, with either runtime."""
    e.run("ev", "sh", "-c", "exit 3")
    kinds = r"/tasks/(create|start|exit) "
    lines = appears(lambda: found if len(found := seen(e, "ev", kinds)) >= 3 else [], 10) or seen(e, "ev", kinds)
    return " ".join(re.search(kinds, line)[1] for line in lines) + " " + " ".join(sorted(set(re.findall(r'"exit_status":(\d+)', " ".join(lines)))))


def seen(e, name, kinds):
    with open(EVENTS) as file:
        return [line for line in file if f'"container_id":"{e.name(name)}"' in line and re.search(kinds, line)]


def paused_events(e):
    kinds = "/tasks/(paused|resumed)"
    appears(lambda: len(seen(e, "long", kinds)) >= 2, 10)
    return " ".join(re.search(kinds, line)[1] for line in seen(e, "long", kinds)[:2])


def restored(e):
    """A container that counts in a variable: saved to an image of containerd's, removed, restored, and counting on."""
    if sh("criu", "check")[0]:
        raise Skip("CRIU does not work with this kernel")
    path, name, ref = f"{WORK}/count-{e.tag}", e.name("count"), f"local/checkpoint-{e.tag}:1"
    started = e.run("count", "sh", "-c", "i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done", flags=["--log-uri", "file://" + path], detach=True)

    def numbers():
        with open(path) as file:
            return [int(line) for line in file.read().split("\n")[:-1] if line.isdigit()]
    appears(lambda: len(numbers()) > 3, 20)
    saved = e.do("container", "checkpoint", "--image", "--task", name, ref)
    e.do("task", "kill", "-s", "KILL", name)
    removed = e.remove("count")
    back = e.do("container", "restore", "--live", name, ref)
    told = f"{started.split()[0]} {saved.split()[0]} {removed.split()[0]} {back.split()[0]} {e.task('count')} {e.exec('count', 'sh', '-c', 'echo fine')}"
    e.do("task", "kill", "-s", "KILL", name), e.remove("count"), e.do("image", "rm", ref)
    return told


def checkpoint(e):
    """Saved where CRIU is there and works with the kernel, and the container goes on either way."""
    told = e.do("task", "checkpoint", "--image-path", f"{WORK}/checkpoint-{e.tag}", e.name("long"))
    return f"{'done' if told.startswith('0:') else 'refused' if len(told) > 10 else told} {e.task('long')}"


def log_file(e):
    path = f"{WORK}/log-{e.tag}"
    told = e.run("log", "sh", "-c", "echo out; echo err >&2", flags=["--log-uri", "file://" + path], detach=True)
    removed = e.remove("log")
    with open(path) as file:
        return f"{told}\n{removed}\n{' '.join(sorted(file.read().split()))}"


# --- many, and sudden ends -------------------------------------------------------------------------------------------

MANY = 50


def many(e):
    told = [None] * MANY

    def one(number):
        # ctr has lost the output of what ends at once, when it is that busy.
        told[number] = e.run(f"m{number}", "sh", "-c", f"echo {number}; sleep 3; exit {number % 7}")
    threads = [threading.Thread(target=one, args=(number,)) for number in range(MANY)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    wrong = [f"{number}: {text}" for number, text in enumerate(told) if text != f"{number % 7}:\n{number}"]
    return "\n".join(["all" if not wrong else "not all"] + wrong)


AWAY = WORK + "/away-ctr"


def containerd_killed(e):
    """Killed under what runs; one container ends while it is away."""
    os.makedirs(AWAY, exist_ok=True)
    e.run("ends", "sh", "-c", "until test -e /v/go; do sleep 0.1; done; exit 9", detach=True,
        flags=["--mount", f"type=bind,src={AWAY},dst=/v,options=rbind:ro"])
    e.run("stays", "sleep", "1000", detach=True)
    together(lambda: (killed_daemon(lambda: (write(AWAY + "/go", ""), time.sleep(1))), listen()))
    # How one ended while nobody listened is known to containerd 1.6; later ones have forgotten the task.
    lines = [e.task("stays"), e.exec("stays", "sh", "-c", "echo here; exit 3"), e.remove("ends"), e.run("new", "echo", "new")]
    return "\n".join(lines + [end(e, "stays")])


def shim_killed(e):
    e.run("orphan", "sleep", "1000", detach=True)
    os.kill(shim(e, e.name("orphan")), 9)
    appears(lambda: e.task("orphan") in ("none", "STOPPED"))
    return re.sub(r"(?s)^[01]:.*\n", "", e.do("task", "delete", e.name("orphan")) + "\n") + e.do("container", "delete", e.name("orphan"))


EXEC = [
    Case("exec detached", exec_detached, "^0: [|] True 0: [|] 1"),
    Case("exec as the container's user, further in the same", lambda e: e.exec("long", "sh", "-c", "id -u; pwd; echo $PATH"), "^0: [|] 0 [|] / [|] "),
    Case("exec in a directory that is not there", lambda e: e.exec("long", "pwd", flags=["--cwd", "/made/by/exec"]), "^0: [|] /made/by/exec|^1:"),
    Case("exec in a directory that is a file", lambda e: e.exec("long", "pwd", flags=["--cwd", "/etc/passwd"]), "^1:"),
    Case("exec of a directory", directory, "^1: [|] error no program$"),
    Case("exec ended by a signal", lambda e: e.exec("long", "sh", "-c", "kill -9 $$"), "^137:"),
    Case("exec, both streams", lambda e: e.exec("long", "sh", "-c", "echo out; echo err >&2; sleep 0.5"), "^0: [|] out [|] stderr err"),
    Case("exec killed by its name", exec_killed, "^0: [|] True RUNNING"),
    Case("exec in a paused container", exec_paused, "^refused [|] 0:"),
    Case("events of pausing", paused_events, "^paused resumed$"),
    Case("checkpoint", checkpoint, "^(done|refused) "),
    Case("checkpoint to an image, and restore", restored, "^0: 0: 0: 0: RUNNING 0: [|] fine"),
    # The last ones: ctr looks the name up in the container's overlay, which it mounts a second time; nothing can be
    # made in a folder of the image after that.
    Case("exec as a user by name", lambda e: e.exec("long", "id", flags=["--user", "user"]), "uid=1000"),
    Case("exec as a user that is not there", lambda e: e.exec("long", "id", flags=["--user", "nobody"]), "^1:"),
]
MORE = [
    Case("killed from outside", from_outside, "exit code 137|137", clean=True),
    Case("signals", signals, "^SIGUSR1 21 [|] 2 22 [|] SIGHUP 23$"),
    Case("kill and exec of one that has ended", killed_twice, "^1: ", clean=True),
    Case("create, start, and each twice", made_then_started, "exists [|] exists [|] refused [|] refused", clean=True),
    Case("attach", attached, "^4: [|] attached"),
    Case("the terminal's size", sized, "^2: [|] 31 101"),
    Case("input", lambda e: e.run("in", "head", "-1", input="through\n"), "^0: [|] through$"),
    Case("much output", lambda e: str(len(e.run("much", "sh", "-c", "head -c 300000 /dev/zero | tr '\\0' x | sed 's/x\\{100\\}/&\\n/g'; sleep 2"))),
         r"^30\d\d\d\d$"),
    Case("no streams", lambda e: e.run("null", "sh", "-c", "echo out; exit 3", flags=["--null-io"]), "^3:$"),
    Case("a log", log_file, "err out$"),
    Case("its first process by file", pid_file, "True 0:"),
    Case("events", told_events, "^create start exit 3$"),
    Case(f"{MANY} containers at once", many, "^all$", clean=True),
    Case("containerd killed and started again", containerd_killed, "^RUNNING [|] 3: [|] here [|] .*(9\"? [|] 0:|not found [|] 0:).* [|] 0: [|] new",
         clean=True),
    Case("the shim killed", shim_killed, "0:$", clean=True),
]
