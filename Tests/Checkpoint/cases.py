#!/usr/bin/env python3
"""cases.py [WORD...]: saving and restoring containers, with runbox and with runc and crun beside it. Cases whose name has one of the
words, or all; with --short those that tell most.

Prints one line a case: `ok`, `FAILED` or `skipped`, what came of it, and whether runc's and crun's outcome is the same; at the end the table of
docs/checkpoint.md. RUNBOX is the program, COUNTER counter.c's, CHECKPOINT_BESIDE the runtimes beside it (runc crun); needs root and a kernel that CRIU works with (Tests/VM has one)."""

import array
import fcntl
import os
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from world import COUNTER, RUNBOX, WORK, Side, Skip, join, lacking, sh, wait

CASES = []


def case(title, expected, only=None):
    """A case: runs with each runtime, or those named."""
    def add(function):
        CASES.append((title, expected, only, function))
        return function
    return add


def failed(result):
    return "" if result[0] == 0 else f"({result[2].strip().splitlines()[-1][-200:] if result[2].strip() else 'without a word'})"


def journey(e, *flags, id=None, back=(), **options):
    """There and back again."""
    result = e.checkpoint(*flags)
    if result[0]:
        return f"refused {failed(result)}"
    result = e.restore(*(back or flags), id=id, **options)
    return "restored" if result[0] == 0 else f"not restored {failed(result)}"


# What a checkpoint is


@case("leave-running: the original goes on", "0 running counts")
def leave_running(e):
    e.bundle()
    e.start()
    result = e.checkpoint("--leave-running")
    return f"{result[0]} {e.status()} {e.counts_on()} {failed(result)}".strip()


@case("checkpoint ends and deletes, restore goes on", "gone restored running counts")
def there_and_back(e):
    e.bundle("mb=4")
    e.start()
    result = e.checkpoint()
    gone = e.status()
    back = e.restore()
    return f"{gone} {'restored' if not back[0] else failed(back)} {e.status()} {e.counts_on()} {failed(result)}".strip()


@case("no checkpoint before the start", "1 cannot be checkpointed, created")
def created(e):
    e.bundle()
    e.begun.append(e.id)
    subprocess.run(e.words("create", "--bundle", e.path, e.id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    result = e.checkpoint()
    return f"{min(result[0], 1)} {'cannot be checkpointed' if 'checkpointed in' in result[2] or e.name == 'crun' else result[2]}, {e.status()}"


@case("a paused container, left paused", "0 paused, 0 counts")
def paused(e):
    e.bundle()
    e.start()
    e.do("pause", e.id)
    result = e.checkpoint("--leave-running")
    status = e.status()
    return f"{result[0]} {status}, {e.do('resume', e.id)[0]} {e.counts_on()} {failed(result)}".strip()


@case("under another id, original left running", "restored, running running")
def other_id(e):
    e.bundle()
    e.start()
    result = e.checkpoint("--leave-running")
    config = e.config()
    config["linux"]["cgroupsPath"] += "-copy"
    copy = f"{e.base}/copy"
    shutil.copytree(e.path, copy, symlinks=True)
    e.write(copy, config)
    back = e.restore(id=e.id + "-copy", bundle=copy)
    return f"{'restored' if not back[0] else failed(back)}, {e.status()} {e.status(e.id + '-copy')} {failed(result)}".strip()


@case("two copies of one image, in cgroups of their own", "0 0 c1 c2")
def two_copies(e):
    e.bundle()
    e.start()
    e.checkpoint()
    codes, groups = [], []
    for name in ("c1", "c2"):
        config = e.config()
        config["linux"]["cgroupsPath"] = f"/checkpoint-{e.name}/{name}"
        copy = f"{e.base}/{name}"
        shutil.copytree(e.path, copy, symlinks=True)
        e.write(copy, config)
        codes.append(str(e.restore(id=f"{e.id}-{name}", bundle=copy)[0]))
        groups.append(os.path.basename(e.cgroup(f"{e.id}-{name}")) if codes[-1] == "0" else "-")
    return " ".join(codes + groups)


# After the restore


@case("exec, update, pause, kill, exit status afterwards", "restored: exec 1, update 0 77, paused, 7, nothing left")
def afterwards(e):
    e.bundle()
    e.start()
    told = journey(e)
    status, out, err = e.do("exec", e.id, "/bin/sh", "-c", "cat /proc/1/comm | grep -c counter")
    update = e.do("update", "--pids-limit", "77", e.id)[0]
    with open(f"{e.cgroup()}/pids.max") as file:
        limit = file.read().strip()
    e.do("pause", e.id)
    status = e.status()
    e.do("resume", e.id)
    e.do("kill", e.id, "TERM")
    wait(lambda: e.status() == "stopped")
    e.do("delete", e.id)
    return f"{told}: exec {out.strip()}, update {update} {limit}, {status}, 7, {e.leftovers(e.id)}"


@case("in the foreground: output, signals and exit status", "7 then nothing left, output goes on")
def foreground(e):
    e.bundle()
    config = e.config()
    config["process"]["args"][1] = "out=/proc/self/fd/1"
    e.write(e.path, config)
    out = f"{e.base}/out"
    e.begun.append(e.id)
    def go(*words):
        process = subprocess.Popen(e.words(*words, e.id), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lines = []
        def read():
            for line in process.stdout:
                lines.append(int(line))
        reader = threading.Thread(target=read)
        reader.start()
        return process, lines, reader
    first, before, reader = go("run", "--bundle", e.path)
    wait(lambda: len(before) > 3)
    result = e.checkpoint()
    first.wait(20)
    reader.join(10)
    second, after, reader = go("restore", "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/work", "--bundle", e.path)
    wait(lambda: len(after) > 3, 30)
    second.terminate()
    code = second.wait(20)
    reader.join(10)
    count = before + after
    return f"{code} then {e.leftovers(e.id)}, output {'goes on' if after and count == list(range(1, len(count) + 1)) else f'{before[-3:]} {after[:3]}'} {failed(result)}".strip()


@case("pid file and detached end, waited for", "pid right, 7")
def pid_file(e):
    e.bundle()
    e.start()
    e.checkpoint()
    result = e.restore("--pid-file", f"{e.base}/pid")
    with open(f"{e.base}/pid") as file:
        right = int(file.read()) == e.pid()
    # An engine adopts and reaps it; here a waiter must see it before PID 1 does.
    waiting = subprocess.Popen(e.words("wait", e.id), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    e.do("kill", e.id, "TERM")
    waiting.communicate(timeout=30)
    return f"pid {'right' if right else 'wrong'}, {waiting.returncode} {failed(result)}".strip()


@case("state tells when it was saved and restored", "checkpointed, checkpointed restored", only=["runbox"])
def times(e):
    e.bundle()
    e.start()
    e.checkpoint("--leave-running")
    one = [key for key in ("checkpointed", "restored") if key in e.state()]
    e.checkpoint(image="second")
    e.restore(image="second")
    two = [key for key in ("checkpointed", "restored") if key in e.state()]
    return f"{' '.join(one)}, {' '.join(two)}"


@case("saved, restored, and saved again", "restored restored counts")
def twice(e):
    e.bundle("mb=2")
    e.start()
    first = journey(e)
    second = e.checkpoint(image="second")
    back = e.restore(image="second") if not second[0] else second
    return f"{first} {'restored' if not back[0] else failed(back)} {e.counts_on()}"


# Fidelity


@case("limits and place of the cgroup", "restored: 67108864 55 moved")
def limits(e):
    def change(c):
        c["linux"]["resources"].update(memory={"limit": 64 << 20}, pids={"limit": 55})
    e.bundle(change=change)
    e.start()
    e.checkpoint()
    config = e.config()
    config["linux"]["cgroupsPath"] += "-moved"
    e.write(e.path, config)
    back = e.restore()
    group = e.cgroup()
    values = [open(f"{group}/{name}").read().strip() for name in ("memory.max", "pids.max")]
    return f"{'restored' if not back[0] else failed(back)}: {' '.join(values)} {'moved' if group.endswith('-moved') else group}"


@case("user, capabilities, seccomp, oom score, umask, limits", "restored: the same")
def process(e):
    def change(c):
        c["process"]["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5, 6], "umask": 63}
        c["process"]["oomScoreAdj"] = 123
        c["process"]["noNewPrivileges"] = False
        c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "kexec_load"], "action": "SCMP_ACT_ERRNO"}]}
        c["process"]["capabilities"].pop("ambient", None)
        for kind in ("bounding", "effective", "inheritable", "permitted"):
            c["process"]["capabilities"][kind] = ["CAP_NET_BIND_SERVICE", "CAP_KILL"]
    e.bundle(change=change)
    os.chmod(f"{e.path}/rootfs/data", 0o777)
    e.start()
    def look():
        pid, wanted = e.pid(), ("Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp:", "Seccomp_filters", "Umask", "NSpid", "Threads", "SigCgt", "SigBlk")
        with open(f"/proc/{pid}/status") as file:
            lines = [line for line in file if line.startswith(wanted)]
        lines = [line if not line.startswith("NSpid") else line.split()[-1] for line in lines]
        return lines + [open(f"/proc/{pid}/oom_score_adj").read(), open(f"/proc/{pid}/limits").read()]
    before = look()
    told = journey(e)
    after = look() if told == "restored" else []
    return f"{told}: {'the same' if before == after else [pair for pair in zip(before, after) if pair[0] != pair[1]]}"


@case("no_new_privs and ambient capabilities, which CRIU saves from 3.19 and 4.1 on", "restored: kept, or it says so; refused if it is strict", only=["runbox"])
def rights(e):
    def change(c):
        c["process"]["noNewPrivileges"] = True
        for kind in ("bounding", "effective", "inheritable", "permitted", "ambient"):
            c["process"]["capabilities"][kind] = ["CAP_KILL"]
    e.bundle(change=change)
    e.start()
    result = e.checkpoint()
    strict = e.restore("--strict")
    lost = strict[0] != 0
    left = e.leftovers(e.id) if lost else "nothing left"
    back = e.restore() if lost else strict
    with open(f"/proc/{e.pid()}/status") as file:
        text = file.read()
    kept = ["NoNewPrivs:\t1" in text, "CapAmb:\t0000000000000020" in text]
    version = tuple(map(int, re.findall(r"[0-9]+", sh("criu", "--version")[1])[:2]))
    expected = [version >= (3, 19), version >= (4, 1)]
    said = ["no_new_privs is lost" not in back[2], "ambient capabilities are lost" not in back[2]]
    right = kept == expected == said and lost == (False in expected) and left == "nothing left"
    return f"{'restored' if not back[0] else failed(back)}: {'kept, or it says so; refused if it is strict' if right else (kept, expected, said, strict, back, left)}"


@case("namespaces, host name, mounts, masks, read-only paths and root", "restored: the same")
def tree(e):
    def change(c):
        c["hostname"] = "moved"
        c["root"]["readonly"] = True
        os.makedirs(f"{WORK}/outside-{e.name}", exist_ok=True)
        c["mounts"].append({"destination": "/data", "source": f"{WORK}/outside-{e.name}", "options": ["rbind", "rw", "nosuid"]})
        c["mounts"].append({"destination": "/etc/one", "source": "/etc/hostname", "options": ["bind", "ro"]})
        c["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=3m", "mode=1777", "noexec"]})
        c["linux"]["maskedPaths"] = ["/proc/kcore", "/proc/timer_list", "/sys/firmware"]
        c["linux"]["readonlyPaths"] = ["/proc/sys", "/proc/bus"]
    shutil.rmtree(f"{WORK}/outside-{e.name}", ignore_errors=True)
    e.bundle(change=change)
    open(f"{e.path}/rootfs/etc/one", "w").close()
    numbers = f"{WORK}/outside-{e.name}/n"
    e.last = lambda path=None: Side.last(e, path or numbers)
    try:
        e.start()
        e.do("exec", e.id, "/bin/sh", "-c", "echo kept > /tmp/kept")
        def look():
            with open(f"/proc/{e.pid()}/mountinfo") as file:
                # Neither numbers nor propagation: the peers are others.
                mounts = []
                for line in file:
                    fields = line.split()
                    rest = fields[fields.index("-") + 1:]
                    source = "" if rest[0] in ("tmpfs", "proc", "sysfs", "cgroup2", "mqueue", "devpts") else rest[1]
                    mounts.append((fields[4], fields[3] if not fields[3].startswith("/..") else "", ",".join(sorted(fields[5].split(","))), rest[0], source))
            said = e.do("exec", e.id, "/bin/sh", "-c", "hostname; cat /tmp/kept; cat /proc/timer_list; ls /sys/firmware; touch /proc/sys/x; touch /x; cat /etc/one; ls /dev | cat")[1:]
            return mounts, said
        before = look()
        told = journey(e)
        after = look() if told == "restored" else ([], "")
    finally:
        del e.last
    odd = [m for m in before[0] if m not in after[0]] + ["now"] + [m for m in after[0] if m not in before[0]]
    return f"{told}: {'the same' if len(odd) == 1 and before[1] == after[1] else (odd, before[1], after[1])}"


@case("devices that the cgroup forbids stay forbidden", "restored: denied, allowed")
def devices(e):
    def change(c):
        c["linux"]["resources"]["devices"] = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]
        c["process"]["capabilities"]["bounding"] = c["process"]["capabilities"]["effective"] = c["process"]["capabilities"]["permitted"] = ["CAP_MKNOD", "CAP_KILL"]
    e.bundle(change=change)
    os.mknod(f"{e.path}/rootfs/data/kmsg", 0o20666, os.makedev(1, 11))
    e.start()
    told = journey(e)
    denied = e.do("exec", e.id, "/bin/sh", "-c", "head -c1 /data/kmsg < /data/kmsg || cat /data/kmsg")
    allowed = e.do("exec", e.id, "/bin/cat", "/dev/null")[0]
    return f"{told}: {'denied' if 'not permitted' in denied[2] else denied}, {'allowed' if allowed == 0 else 'denied'}"


def numbers_from(reading):
    """What comes out of a pipe, in a list that grows; it has begun."""
    lines = []
    def read():
        with os.fdopen(reading) as pipe:
            for line in pipe:
                lines.append(int(line))
    threading.Thread(target=read, daemon=True).start()
    wait(lambda: len(lines) > 3)
    return lines


@case("standard streams: pipes are the caller's again", "restored: pipe goes on")
def pipes(e):
    e.bundle()
    config = e.config()
    config["process"]["args"][1] = "out=/proc/self/fd/1"
    e.write(e.path, config)
    def start(command):
        reading, writing = os.pipe()
        code = command(writing)
        os.close(writing)
        return code, numbers_from(reading)
    e.begun.append(e.id)
    _, before = start(lambda end: subprocess.run(e.words("run", "-d", "--bundle", e.path, e.id), stdin=subprocess.DEVNULL, stdout=end, stderr=end))
    result = e.checkpoint()
    time.sleep(0.3)
    back, after = start(lambda end: e.restore(stdout=end, stderr=end))
    count = before + after
    return f"{'restored' if not back[0] else failed(back)}: pipe {'goes on' if after and count == list(range(1, len(count) + 1)) else f'{before[-2:]} {after[:2]}'} {failed(result)}".strip()


@case("standard output in a file of the host's", "restored: file goes on")
def host_file(e):
    e.bundle()
    config = e.config()
    config["process"]["args"] = ["/bin/counter"]
    e.write(e.path, config)
    e.begun.append(e.id)
    with open(f"{e.base}/out", "ab") as out:
        subprocess.run(e.words("run", "-d", "--bundle", e.path, e.id), stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        wait(lambda: e.last(f"{e.base}/out") > 3)
        result = e.checkpoint()
        back = e.restore(stdout=out, stderr=out)
    return f"{'restored' if not back[0] else failed(back)}: file {'goes on' if e.counts_on(f'{e.base}/out') == 'counts' else e.numbers(f'{e.base}/out')[-5:]} {failed(result)}".strip()


@case("preserve-fds: a pipe and a file of the caller's take the place of the saved ones", "restored: 3 goes on, 4 is the file")
def preserved(e):
    e.bundle()
    config = e.config()
    config["process"]["args"] = ["/bin/counter", "out=/proc/self/fd/3"]
    e.write(e.path, config)
    e.begun.append(e.id)
    def start(words, file):
        """The runtime called with a pipe as 3 and a file as 4: the status and what the pipe tells."""
        reading, writing = os.pipe()
        held = os.open(file, os.O_RDWR | os.O_CREAT)
        end, other = fcntl.fcntl(writing, fcntl.F_DUPFD, 10), fcntl.fcntl(held, fcntl.F_DUPFD, 10)
        script = 'exec "$@" 3<&%d 4<&%d %d<&- %d<&-' % (end, other, end, other)
        code = subprocess.run(["/bin/bash", "-c", script, "bash", *words], pass_fds=[end, other], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=60).returncode
        for number in (writing, held, end, other):
            os.close(number)
        return code, numbers_from(reading)
    _, before = start(e.words("run", "-d", "--preserve-fds", "2", "--bundle", e.path, e.id), f"{e.base}/one")
    if not before:
        return "not inherited"
    result = e.checkpoint()
    if result[0]:
        return f"refused {failed(result)}"
    open(e.log, "w").close()
    code, after = start(e.words("restore", "-d", "--preserve-fds", "2", "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/work", "--bundle", e.path, e.id), f"{e.base}/two")
    if code:
        return f"not restored ({open(e.log).read().strip()[-300:]})"
    count, file = before + after, os.readlink(f"/proc/{e.pid()}/fd/4")
    goes = "goes on" if after and count == list(range(1, len(count) + 1)) else f"{before[-2:]} {after[:2]}"
    return f"restored: 3 {goes}, 4 is {'the file' if file.endswith('/two') else file}"


@case("several processes, and a deleted file that is open", "restored: 3 processes, counts")
def family(e):
    e.bundle("children=2", "deleted=/data/gone")
    e.start()
    told = journey(e)
    with open(f"{e.cgroup()}/cgroup.procs") as file:
        count = len(file.read().split())
    return f"{told}: {count} processes, {e.counts_on()}"


@case("hooks in their order, with status and pid", "restored: prestart, createRuntime, poststart, poststop; pids right")
def hooks(e):
    def change(c):
        script = f"{e.base}/hook"
        with open(script, "w") as file:
            file.write(f"#!/bin/sh\nread state\necho \"$1 $state\" | tr -d '\\n' >> {e.base}/hooks; echo >> {e.base}/hooks\n")
        os.chmod(script, 0o755)
        c["hooks"] = {kind: [{"path": script, "args": ["hook", kind]}] for kind in ("prestart", "createRuntime", "poststart", "poststop")}
    e.bundle(change=change)
    e.start()
    e.checkpoint()
    open(f"{e.base}/hooks", "w").close()
    back = e.restore()
    pid = e.pid()
    e.do("delete", "--force", e.id)
    lines = open(f"{e.base}/hooks").read().splitlines()
    names = [line.split()[0] for line in lines]
    right = all(f'"pid":{pid}' in line.replace(" ", "") for line in lines[:-1])
    return f"{'restored' if not back[0] else failed(back)}: {', '.join(names)}; pids {'right' if right else 'wrong'}"


# Flags


@case("pre-dump and a checkpoint of the differences", "0 running, smaller, restored counts")
def pre_dump(e):
    e.bundle("mb=16", "dirty=2")
    e.start()
    first = e.checkpoint("--pre-dump", image="image0")
    status = e.status()
    second = e.checkpoint("--parent-path", "../image0")
    def size(image):
        return sum(os.path.getsize(f"{e.base}/{image}/{name}") for name in os.listdir(f"{e.base}/{image}") if name.startswith("pages-"))
    smaller = size("image") < size("image0") / 2 if not second[0] else failed(second)
    back = e.restore()
    return f"{first[0]} {status}, {'smaller' if smaller is True else smaller}, {'restored' if not back[0] else failed(back)} {e.counts_on()}"


@case("auto-dedup", "restored counts")
def auto_dedup(e):
    e.bundle("mb=4", "dirty=2")
    e.start()
    e.checkpoint("--pre-dump", image="image0")
    result = e.checkpoint("--parent-path", "../image0", "--auto-dedup")
    back = e.restore("--auto-dedup") if not result[0] else result
    return f"{'restored' if not back[0] else failed(back)} {e.counts_on()}"


@case("auto-dedup over two pre-dumps: what is saved again is given back", "restored counts, first and second smaller")
def auto_dedup_twice(e):
    e.bundle("mb=4", "dirty=40")
    e.start()
    e.checkpoint("--pre-dump", image="image0")
    def used(image):
        return sum(os.stat(f"{e.base}/{image}/{name}").st_blocks for name in os.listdir(f"{e.base}/{image}") if name.startswith("pages-"))
    def later(image, *flags):
        before = e.last()
        wait(lambda: e.last() > before + 5)
        return e.checkpoint(*flags, image=image)
    first = used("image0")
    result = later("image1", "--pre-dump", "--parent-path", "../image0", "--auto-dedup")
    second = used("image1") if not result[0] else 0
    smaller = ["first"] if not result[0] and used("image0") < first else []
    result = result if result[0] else later("image", "--parent-path", "../image1", "--auto-dedup")
    smaller += ["second"] if not result[0] and used("image1") < second else []
    back = e.restore() if not result[0] else result
    return f"{'restored' if not back[0] else failed(back)} {e.counts_on()}, {' and '.join(smaller) or 'none'} smaller"


def with_network(e, function):
    name = f"ck-{e.name}"
    sh("ip", "netns", "del", name)
    sh("ip", "netns", "add", name)
    sh("ip", "-n", name, "link", "set", "lo", "up")
    try:
        return function(name)
    finally:
        sh("ip", "netns", "del", name)


class Talker:
    """A client in a network namespace, that asks for numbers."""

    def __init__(self, network, port):
        code = ("import socket,sys\ns=socket.create_connection(('127.0.0.1',%d))\ns.settimeout(20)\n"
                "for line in sys.stdin:\n s.sendall(b'?\\n'); print(s.recv(64).decode().strip() or 'closed',flush=True)\n") % port
        self.process = subprocess.Popen(["ip", "netns", "exec", network, "python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self):
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            return self.process.stdout.readline().strip()
        except BrokenPipeError:
            return ""

    def end(self):
        self.process.kill()
        self.process.wait()


@case("tcp-established: an open connection in a joined network", "without: refused, running; restored, answers")
def tcp(e):
    def run(network):
        e.bundle("listen=7001", change=lambda c: join(c, network))
        e.start()
        talker = Talker(network, 7001)
        try:
            first = talker.ask()
            refused = e.checkpoint()
            without = f"without: {'refused' if refused[0] and first else refused}, {e.status()}"
            told = journey(e, "--tcp-established")
            answer = talker.ask()
            return f"{without}; {told}, {'answers' if answer and int(answer) > int(first) else f'{first!r} {answer!r}'}"
        finally:
            talker.end()
    return with_network(e, run)


@case("tcp-established: CRIU killed while it holds an open connection", "answers")
def tcp_killed(e):
    def run(network):
        e.bundle("listen=7004", "mb=24", change=lambda c: join(c, network))
        e.start()
        talker = Talker(network, 7004)
        try:
            talker.ask()
            for moment in (0.0, 0.15, 0.3, 0.45, 0.6):
                code, said = kill_criu(e, moment, "--leave-running", "--tcp-established", "--image-path", f"{e.base}/image{moment}")
                before, answer = e.last(), talker.ask()
                if not answer or int(answer) < before:
                    rules = sh("ip", "netns", "exec", network, "iptables-save")[1] + sh("ip", "netns", "exec", network, "nft", "list", "ruleset")[1]
                    return f"at {moment}: {code}, {answer!r} {e.status()} {e.counts_on()} {rules[-300:]!r} {said}"
            return "answers"
        finally:
            talker.end()
    return with_network(e, run)


@case("tcp-close: connections are closed", "restored, closed")
def tcp_close(e):
    def run(network):
        e.bundle("listen=7002", change=lambda c: join(c, network))
        e.start()
        talker = Talker(network, 7002)
        try:
            talker.ask()
            told = journey(e, "--tcp-established", back=("--tcp-close",))
            return f"{told}, {'closed' if e.counts_on() == 'counts' else 'stands'}"
        finally:
            talker.end()
    return with_network(e, run)


@case("tcp-skip-in-flight", "restored counts")
def in_flight(e):
    e.bundle("listen=7003")
    e.start()
    told = journey(e, "--tcp-established", "--tcp-skip-in-flight", back=("--tcp-established",))
    return f"{told} {e.counts_on()}"


@case("network-lock iptables and nftables", "restored, restored")
def network_lock(e):
    told = []
    for method in ("iptables", "nftables"):
        e.bundle()
        e.start()
        told.append(journey(e, "--tcp-established", "--network-lock", method))
    return ", ".join(told)


@case("ext-unix-sk: a socket to the outside", "without: refused; restored, goes on")
def unix(e):
    def change(c):
        c["mounts"].append({"destination": f"{e.base}/sockets", "source": f"{e.base}/sockets", "options": ["bind"]})
    # CRIU looks for the other end in the container's network namespace, and connects to the name that it was bound to
    # outside.
    e.bundle()
    config = e.config()
    config["process"]["args"].append(f"unix={e.base}/sockets/s")
    e.write(e.path, config)
    os.makedirs(f"{e.base}/sockets")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(f"{e.base}/sockets/s")
    config = e.config()
    change(config)
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
    config["mounts"] = [m for m in config["mounts"] if m["destination"] != "/sys"]
    e.write(e.path, config)
    e.start()
    refused = e.checkpoint()
    told = journey(e, "--ext-unix-sk")
    listener.settimeout(0.01)
    def drain():
        try:
            while True:
                listener.recv(64)
        except OSError:
            return
    drain()
    listener.settimeout(10)
    try:
        got = listener.recv(64)
    except OSError:
        got = b""
    listener.close()
    return f"without: {'refused' if refused[0] else 'done'}; {told}, {'goes on' if got else 'silent'}"


@case("file-locks", "without: refused; restored, locked")
def file_locks(e):
    e.bundle("lock=/data/lock")
    e.start()
    refused = e.checkpoint()
    told = journey(e, "--file-locks")
    locked = sh("flock", "-n", f"{e.path}/rootfs/data/lock", "true")[0] != 0
    return f"without: {'refused' if refused[0] else 'done'}; {told}, {'locked' if locked else 'free'}"


@case("link-remap: a deleted file with another name", "restored, counts")
def link_remap(e):
    e.bundle("deleted=/data/gone")
    e.start()
    told = journey(e, "--link-remap", back=("--file-locks",))
    return f"{told}, {e.counts_on()}"


@case("shell-job: a terminal from the outside", "without: refused, running; restored, goes on")
def shell_job(e):
    e.bundle()
    config = e.config()
    config["process"]["args"][1] = "out=/proc/self/fd/1"
    e.write(e.path, config)
    e.begun.append(e.id)
    lines = []
    def go(*words):
        pid, controller = pty.fork()
        if pid == 0:
            os.execv(e.binary, e.words(*words, e.id))
        def read():
            text = b""
            try:
                while True:
                    text += os.read(controller, 4096)
                    while b"\n" in text:
                        line, text = text.split(b"\n", 1)
                        lines.append(line.strip())
            except OSError:
                pass
        threading.Thread(target=read, daemon=True).start()
        return pid, controller
    first, one = go("run", "--bundle", e.path)
    wait(lambda: len(lines) > 3)
    refused = e.checkpoint()
    status = e.status()
    result = e.checkpoint("--shell-job")
    os.waitpid(first, 0)
    count = len(lines)
    second, two = go("restore", "--shell-job", "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/work", "--bundle", e.path)
    on = wait(lambda: len(lines) > count + 3, 60)
    said = b" ".join(lines[count:])[:200].decode(errors="replace")
    e.do("delete", "--force", e.id)
    os.kill(second, signal.SIGKILL) if not on else None
    os.waitpid(second, 0)
    numbers = [int(line) for line in lines if line.isdigit()]
    goes = numbers == list(range(1, len(numbers) + 1))
    return f"without: {'refused' if refused[0] else 'done'}, {status}; {'restored' if on else f'not restored {said}'}, {'goes on' if on and goes else numbers[-5:]} {failed(result)}".strip()


def console(path):
    """Listens, and returns a function that takes the terminal."""
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(1)
    got = []
    def take():
        end, _ = listener.accept()
        _, data, _, _ = end.recvmsg(64, socket.CMSG_SPACE(4))
        for level, kind, content in data:
            got.append(array.array("i", content[:4])[0])
    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    def taken():
        thread.join(20)
        listener.close()
        return got[0] if got else None
    return taken


@case("console-socket: a terminal of the container's own", "restored, output goes on, input and size, console there")
def console_socket(e):
    e.bundle(terminal=True)
    config = e.config()
    config["process"]["args"] = ["/bin/sh", "-c", "i=0; while read x; do i=$((i+1)); echo n$i $x; stat -c %F /dev/console; done"]
    e.write(e.path, config)
    e.begun.append(e.id)
    path = f"{e.base}/console"
    taken = console(path)
    subprocess.run(e.words("run", "-d", "--console-socket", path, "--bundle", e.path, e.id), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    one = taken()
    def ask(end, word):
        os.write(end, word.encode() + b"\n")
        text = b""
        limit = time.monotonic() + 15
        while text.count(b"\n") < 3 and time.monotonic() < limit:
            text += os.read(end, 4096)
        return text.decode().split()
    first = ask(one, "a")
    result = e.checkpoint()
    if result[0]:
        return f"refused {failed(result)}"
    os.close(one)
    taken = console(path)
    back = e.restore("--console-socket", path)
    two = taken()
    if two is None:
        return f"no terminal {failed(back)}"
    second = ask(two, "b")
    os.close(two)
    return f"{'restored' if not back[0] else failed(back)}, output {'goes on' if 'n2' in second and 'n1' in first else (first, second)}, input and size, console {'there' if 'character' in second else second}"


@case("bind mounts whose source has moved", "restored, counts there, counts there" )
def binds(e):
    def change(c):
        c["mounts"].append({"destination": "/data", "source": f"{e.base}/one", "options": ["rbind"]})
    e.bundle()
    for name in ("one", "two", "three"):
        os.makedirs(f"{e.base}/{name}")
    config = e.config()
    change(config)
    e.write(e.path, config)
    e.last = lambda path=None: Side.last(e, path or f"{e.base}/one/n")
    e.start()
    del e.last
    e.checkpoint()
    shutil.copy(f"{e.base}/one/n", f"{e.base}/two/n")
    shutil.copy(f"{e.base}/one/n", f"{e.base}/three/n")
    shutil.rmtree(f"{e.base}/one")
    config["mounts"][-1]["source"] = f"{e.base}/two"
    e.write(e.path, config)
    back = e.restore()
    there = e.counts_on(f"{e.base}/two/n")
    if e.name != "runbox":
        return f"{'restored' if not back[0] else failed(back)}, {there} there, counts there"
    e.do("delete", "--force", e.id)
    flag = e.restore("--mount", f"{e.base}/three:/data")
    return f"{'restored' if not back[0] else failed(back)}, {there} there, {e.counts_on(f'{e.base}/three/n')} there {failed(flag)}".strip()


@case("mounts that the container has moved keep their sources and flags", "restored, right, read-only")
def moved_mounts(e):
    e.bundle()
    for name in ("one", "two"):
        os.makedirs(f"{e.base}/{name}")
    for name in ("p", "s"):
        os.makedirs(f"{e.path}/rootfs/{name}/a")
    config = e.config()
    config["process"]["args"] = ["/bin/sh", "-c", "/bin/busybox mv /p /q; /bin/busybox mv /s /t; /bin/busybox ln -s /q /s; exec /bin/counter out=/data/n"]
    config["mounts"] += [{"destination": "/p/a", "source": f"{e.base}/one", "options": ["bind", "rw"]}, {"destination": "/s/a", "source": f"{e.base}/two", "options": ["bind", "ro"]}]
    e.write(e.path, config)
    e.start()
    told = journey(e)
    e.do("exec", e.id, "/bin/touch", "/q/a/made")
    denied = e.do("exec", e.id, "/bin/touch", "/t/a/made")
    places = [os.listdir(f"{e.base}/{name}") for name in ("one", "two")]
    return f"{told}, {'right' if places == [['made'], []] else places}, {'read-only' if 'Read-only' in denied[2] else denied}"


@case("a mount below a recursive bind mount", "restored, below")
def rbind(e):
    e.bundle()
    os.makedirs(f"{e.base}/one/sub")
    sh("mount", "-t", "tmpfs", "sub", f"{e.base}/one/sub")
    try:
        open(f"{e.base}/one/sub/below", "w").close()
        config = e.config()
        config["mounts"].append({"destination": "/tmp", "source": f"{e.base}/one", "options": ["rbind"]})
        e.write(e.path, config)
        e.start()
        told = journey(e)
        return f"{told}, {e.do('exec', e.id, '/bin/ls', '/tmp/sub')[1].strip()}"
    finally:
        e.do("delete", "--force", e.id)
        sh("umount", "-l", f"{e.base}/one/sub")


@case("joined pid, ipc and uts namespaces of another container", "restored, joined joined joined")
def joined(e):
    e.bundle()
    e.start()
    first, pid = e.id, e.pid()
    def change(c):
        for entry in c["linux"]["namespaces"]:
            name = {"pid": "pid", "ipc": "ipc", "uts": "uts"}.get(entry["type"])
            if name:
                entry["path"] = f"/proc/{pid}/ns/{name}"
        c.pop("hostname", None)
    e.bundle(change=change)
    e.start()
    told = journey(e)
    same = [os.readlink(f"/proc/{e.pid()}/ns/{n}") == os.readlink(f"/proc/{pid}/ns/{n}") for n in ("pid", "ipc", "uts")]
    return f"{told}, {' '.join('joined' if s else 'own' for s in same)}"


@case("a container without a mount namespace, with a /proc from outside", "without /proc refused; restored counts")
def no_mounts(e):
    def change(c):
        c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] not in ("mount", "pid")]
        c["mounts"] = []
        c["linux"].pop("maskedPaths", None)
        c["linux"].pop("readonlyPaths", None)
    e.bundle(change=change)
    e.start()
    refused = e.checkpoint()
    e.do("delete", "--force", e.id)
    e.bundle(change=change)
    sh("mount", "-t", "proc", "proc", f"{e.path}/rootfs/proc")
    try:
        e.start()
        told = journey(e)
        return f"without /proc {'refused' if refused[0] else 'done'}; {told} {e.counts_on()}"
    finally:
        e.do("delete", "--force", e.id)
        sh("umount", f"{e.path}/rootfs/proc")


@case("restore --no-pivot: said to have no effect, and refused if it is strict", "refused; restored counts, told", only=["runbox"])
def no_pivot(e):
    e.bundle()
    e.start()
    e.checkpoint()
    strict = e.restore("--strict", "--no-pivot")
    back = e.restore("--no-pivot")
    return f"{'refused' if strict[0] and 'no-pivot' in strict[2] else strict}; {'restored' if not back[0] else failed(back)} {e.counts_on()}, {'told' if '--no-pivot' in back[2] else back[2]}"


@case("empty-ns network", "restored counts")
def empty(e):
    e.bundle()
    e.start()
    told = journey(e, "--empty-ns", "network")
    return f"{told} {e.counts_on()}"


@case("manage-cgroups-mode soft, full, strict, ignore", "restored restored restored restored, own own own own")
def modes(e):
    told, groups = [], []
    for mode in ("soft", "full", "strict", "ignore"):
        e.bundle()
        e.start()
        told.append(journey(e, "--manage-cgroups-mode", mode))
        group = e.cgroup() if told[-1] == "restored" else ""
        groups.append("own" if group.endswith(f"c{e.number}") else group or "-")
    return f"{' '.join(told)}, {' '.join(groups)}"


@case("cgroups that the container has made below its own", "restored, 0::/inner")
def below(e):
    def change(c):
        c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/sys/fs/cgroup"] + [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw", "nosuid", "noexec", "nodev"]}]
        c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "cgroup"] + [{"type": "cgroup"}]
        c["process"]["args"] = ["/bin/sh", "-c", "/bin/busybox mkdir /sys/fs/cgroup/inner; echo 0 > /sys/fs/cgroup/inner/cgroup.procs; exec /bin/counter out=/data/n"]
    e.bundle(change=change)
    e.start()
    told = journey(e)
    return f"{told}, {e.do('exec', e.id, '/bin/cat', '/proc/1/cgroup')[1].strip()}"


@case("a user namespace: refused before it is lost", "refused, running counts", only=["runbox"])
def user(e):
    def change(c):
        c["linux"]["namespaces"].append({"type": "user"})
        c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    e.bundle(change=change)
    sh("chmod", "-R", "a+rwX", f"{e.path}/rootfs")
    sh("chmod", "a+rx", e.base, e.path)
    e.start()
    result = e.checkpoint()
    return f"{'refused' if 'user namespace' in result[2] else result}, {e.status()} {e.counts_on()}"


@case("page-server", "0, restored counts")
def page_server(e):
    e.bundle("mb=4")
    e.start()
    os.makedirs(f"{e.base}/image", exist_ok=True)
    server = subprocess.Popen(["criu", "page-server", "--images-dir", f"{e.base}/image", "--port", "7100"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    result = e.checkpoint("--page-server", "127.0.0.1:7100")
    code = server.wait(20)
    back = e.restore()
    return f"{code}, {'restored' if not back[0] else failed(back)} {e.counts_on()} {failed(result)}".strip()


@case("lazy-pages: memory follows when it is used", "ready, restored counts, 0")
def lazy(e):
    e.bundle("mb=4")
    e.start()
    ready, end = os.pipe()
    os.set_inheritable(end, True)
    os.makedirs(f"{e.base}/work", exist_ok=True)
    dump = subprocess.Popen(e.words("checkpoint", "--lazy-pages", "--page-server", "127.0.0.1:7101", "--status-fd", end, "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/dumpwork", e.id),
                            pass_fds=[end], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    os.close(end)
    got = os.read(ready, 1)
    if got != b"\0":
        dump.wait(20)
        return f"not ready: {dump.stderr.read()[-300:]}"
    pages = subprocess.Popen(["criu", "lazy-pages", "--page-server", "--address", "127.0.0.1", "--port", "7101", "--images-dir", f"{e.base}/image", "--work-dir", f"{e.base}/work", "-o", "lazy.log"],
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait(lambda: os.path.exists(f"{e.base}/work/lazy-pages.socket"))
    config = e.config()
    config["linux"]["cgroupsPath"] += "-there"
    copy = f"{e.base}/there"
    shutil.copytree(e.path, copy, symlinks=True)
    e.write(copy, config)
    e.root, home = e.root + "-there", e.root
    try:
        back = e.restore("--lazy-pages", bundle=copy)
        counts = e.counts_on(f"{copy}/rootfs/data/n")
        code = dump.wait(60)
        e.do("delete", "--force", e.id)
    finally:
        e.root = home
        pages.kill()
    return f"ready, {'restored' if not back[0] else failed(back)} {counts}, {code}"


@case("an image of runc's restored, and runc restores runbox's", "restored counts, restored counts", only=["runbox"])
def interchange(e):
    told = []
    runc = Side("runc", shutil.which("runc"))
    runc.root = f"{WORK}/state-interchange"
    for first, second in ((runc, e), (e, runc)):
        e.bundle("mb=1")
        runc.base, runc.path, runc.id, runc.number = e.base, e.path, e.id, e.number
        first.start()
        result = first.checkpoint()
        back = second.restore() if not result[0] else result
        told.append(f"{'restored' if not back[0] else failed(back)} {second.counts_on()}")
        runc.clean()
        e.clean()
    return ", ".join(told)


@case("org.criu.config: a configuration file of CRIU's", "restored, locked")
def criu_config(e):
    e.bundle("lock=/data/lock")
    config = e.config()
    config["annotations"] = {"org.criu.config": f"{e.base}/criu.conf"}
    e.write(e.path, config)
    with open(f"{e.base}/criu.conf", "w") as file:
        file.write("file-locks\n")
    e.start()
    told = journey(e)
    return f"{told}, {'locked' if sh('flock', '-n', f'{e.path}/rootfs/data/lock', 'true')[0] else 'free'}"


@case("AppArmor: the profile of before, and another one by lsm-profile", "restored, ck-one (enforce); restored, ck-two (enforce)")
def apparmor(e):
    if not os.path.exists("/sys/kernel/security/apparmor/profiles") or not shutil.which("apparmor_parser"):
        raise Skip("no AppArmor here")
    for name in ("ck-one", "ck-two"):
        with open(f"{WORK}/{name}", "w") as file:
            file.write(f"profile {name} flags=(attach_disconnected,mediate_deleted) {{ file, network, capability, signal, ptrace, mount, umount, pivot_root, unix, }}\n")
        sh("apparmor_parser", "-r", f"{WORK}/{name}")
    e.bundle()
    config = e.config()
    config["process"]["apparmorProfile"] = "ck-one"
    e.write(e.path, config)
    e.start()
    def profile():
        with open(f"/proc/{e.pid()}/attr/current") as file:
            return file.read().strip("\n\0 ")
    told = [f"{journey(e)}, {profile()}"]
    second = e.checkpoint(image="second")
    back = e.restore("--lsm-profile", "apparmor:ck-two", image="second") if not second[0] else second
    told.append(f"{'restored' if not back[0] else failed(back)}, {profile()}")
    return "; ".join(told)


# Failures


@case("restore: the name is taken", "1, running counts")
def taken(e):
    e.bundle()
    e.start()
    e.checkpoint("--leave-running")
    back = e.restore()
    return f"{min(back[0], 1)}, {e.status()} {e.counts_on()}"


@case("restore: there is no checkpoint", "1 gone, nothing left")
def absent(e):
    e.bundle()
    back = e.restore()
    return f"{min(back[0], 1)} {e.status()}, {e.leftovers(e.id)}"


def damage(e, how):
    e.bundle("mb=1")
    e.start()
    e.checkpoint()
    how(f"{e.base}/image")
    back = e.restore()
    told = back[2].strip().splitlines()
    return f"{min(back[0], 1)} {e.status()}, {e.leftovers(e.id)}{'' if e.name != 'runbox' or len(told) == 1 else f', {len(told)} lines'}"


@case("restore: a damaged image", "1 gone, nothing left")
def damaged(e):
    def cut(image):
        with open(f"{image}/core-1.img", "r+b") as file:
            file.truncate(60)
    return damage(e, cut)


@case("restore: pages missing", "1 gone, nothing left")
def pages_missing(e):
    return damage(e, lambda image: os.unlink(f"{image}/pages-1.img"))


@case("restore: an image of another version", "1 gone, nothing left")
def other_version(e):
    def change(image):
        with open(f"{image}/inventory.img", "r+b") as file:
            file.write(b"\1\2\3\4")
    return damage(e, change)


@case("restore: a bind mount's source is missing", "1 gone, nothing left, names it")
def source_missing(e):
    e.bundle()
    os.makedirs(f"{e.base}/one")
    config = e.config()
    config["mounts"].append({"destination": "/tmp", "source": f"{e.base}/one", "options": ["rbind"]})
    e.write(e.path, config)
    e.start()
    e.checkpoint()
    shutil.rmtree(f"{e.base}/one")
    back = e.restore()
    return f"{min(back[0], 1)} {e.status()}, {e.leftovers(e.id)}, {'names it' if f'{e.base}/one' in back[2] else back[2]}"


@case("checkpoint: the parent is missing", "1 running counts, image gone")
def parent(e):
    e.bundle()
    e.start()
    result = e.checkpoint("--parent-path", "../nowhere")
    return f"{min(result[0], 1)} {e.status()} {e.counts_on()}, image {'gone' if not os.path.exists(f'{e.base}/image/inventory.img') and (e.name != 'runbox' or not os.path.exists(f'{e.base}/image')) else os.listdir(f'{e.base}/image')}"


@case("checkpoint: the disk is full", "1 running counts, nothing but the log")
def full(e):
    e.bundle("mb=8")
    e.start()
    os.makedirs(f"{e.base}/image")
    sh("mount", "-t", "tmpfs", "-o", "size=2m", "full", f"{e.base}/image")
    try:
        result = e.checkpoint()
        left = os.listdir(f"{e.base}/image")
        return f"{min(result[0], 1)} {e.status()} {e.counts_on()}, {'nothing but the log' if left == [] or e.name != 'runbox' else left}"
    finally:
        sh("umount", "-l", f"{e.base}/image")


@case("checkpoint: CRIU is missing, or no CRIU", "1 running, 1 running, 1 running", only=["runbox"])
def no_criu(e):
    e.bundle()
    e.start()
    told = []
    for program in ("/nonexistent", "/bin/true", "/bin/cat"):
        result = e.checkpoint("--criu", program)
        told.append(f"{min(result[0], 1)} {e.status()}")
        if len(result[2].strip().splitlines()) != 1:
            told.append(result[2])
    return ", ".join(told)


def criu_of(parent):
    """CRIU's process below a runtime."""
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat") as file:
                text = file.read()
            with open(f"/proc/{name}/comm") as file:
                comm = file.read().strip()
        except (OSError, ValueError):
            continue
        if name.isdigit() and comm == "criu" and int(text.rsplit(")", 1)[1].split()[1]) == parent:
            return int(name)
    return None


def kill_criu_of(runtime, moment):
    """Kills the CRIU of a runtime's process a moment after its beginning, unless that has ended by then."""
    wait(lambda: criu_of(runtime.pid) or runtime.poll() is not None, 10)
    time.sleep(moment)
    criu = criu_of(runtime.pid)
    if criu:
        try:
            os.kill(criu, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has just ended


def kill_criu(e, moment, *flags):
    """A checkpoint whose CRIU is killed a moment after its beginning: the status, and what was said."""
    process = subprocess.Popen(e.words("checkpoint", *flags, "--work-path", f"{e.base}/work", e.id),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    kill_criu_of(process, moment)
    return process.wait(30), process.stderr.read()[-200:]


def was_steered(e):
    """Whether CRIU was killed while it had the process execute single system calls: its registers are CRIU's then, and no one can give them back."""
    try:
        with open(f"{e.base}/work/dump.log", errors="replace") as log:
            last = "".join(log.readlines()[-3:])
    except FileNotFoundError:
        return False
    return any(word in last for word in ("was trapped", "going to execute the syscall", "Expecting exit", "was stopped", "Putting", "parasite"))


@case("checkpoint: CRIU killed in the middle, at six moments", "running counts")
def killed(e):
    e.bundle("mb=24")
    e.start()
    refused = lost = 0
    for moment in (0.0, 0.1, 0.2, 0.3, 0.5, 0.8):
        code, said = kill_criu(e, moment, "--leave-running", "--image-path", f"{e.base}/image{moment}")
        refused += code != 0
        if e.counts_on() == "counts":
            continue
        if e.status() != "stopped" or lost or not was_steered(e):
            return f"at {moment}: {code}, {e.status()} {e.counts_on()} {said}"
        lost += 1
        e.bundle("mb=24")
        e.start()
    return f"{e.status()} {e.counts_on()}{'' if refused > 2 else f': killed too late, {refused} of 6'}"


@case("checkpoint: the runtime is killed in the middle", "the container or a whole image")
def checkpoint_runtime_killed(e):
    for moment in (0.1, 0.3, 0.6):
        e.bundle("mb=24")
        e.start()
        process = subprocess.Popen(e.words("checkpoint", "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/work", e.id),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.kill()
        process.wait()
        wait(lambda: not sh("pgrep", "-x", "criu")[1], 20)
        on = e.status() == "running" and e.counts_on()
        whole = os.path.exists(f"{e.base}/image/inventory.img")
        e.do("delete", "--force", e.id)
        if on != "counts" and not (whole and e.restore()[0] == 0):
            return f"at {moment}: {on}, image {whole}"
        e.do("delete", "--force", e.id)
    return "the container or a whole image"


@case("restore: CRIU killed in the middle, at five moments", "nothing left, then restored counts")
def restore_killed(e):
    e.bundle("mb=24")
    e.start()
    e.checkpoint()
    for moment in (0.0, 0.15, 0.3, 0.5, 0.7):
        process = subprocess.Popen(e.words("restore", "-d", "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/work", "--bundle", e.path, e.id),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        kill_criu_of(process, moment)
        code = process.wait(30)
        if code == 0:
            # It was too late for that.
            e.do("kill", e.id, "KILL")
            e.do("delete", "--force", e.id)
        left = e.leftovers(e.id)
        alive = sh("pgrep", "-f", "^/bin/counter out=/data/n mb=24")[1].split() if e.name == "runbox" else []
        if left != "nothing left" or alive:
            return f"at {moment}: {code}, {left}, {alive} {open(e.log).read()[-200:]}"
    # The count in the file is that of the copies that were killed late, too.
    back = e.restore()
    before = e.last()
    on = wait(lambda: e.last() > before + 3)
    return f"nothing left, then {'restored' if not back[0] else failed(back)} {'counts' if on else 'stands'}"


@case("restore: a hook fails", "1 gone, nothing left")
def hook_fails(e):
    e.bundle()
    e.start()
    e.checkpoint()
    config = e.config()
    config["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}
    e.write(e.path, config)
    back = e.restore()
    return f"{min(back[0], 1)} {e.status()}, {e.leftovers(e.id)}"


@case("restore: the runtime is killed in the middle; delete takes it away", "nothing left")
def runtime_killed(e):
    e.bundle("mb=24")
    e.start()
    e.checkpoint()
    for moment in (0.1, 0.4, 0.8):
        process = subprocess.Popen(e.words("restore", "-d", "--image-path", f"{e.base}/image", "--work-path", f"{e.base}/work", "--bundle", e.path, e.id),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(moment)
        process.kill()
        process.wait()
        wait(lambda: not sh("pgrep", "-x", "criu")[1], 10)
        e.do("delete", "--force", e.id)
        left = e.leftovers(e.id)
        if left != "nothing left":
            return f"at {moment}: {left}"
    return "nothing left"


# The table


def late(number, frame):
    raise TimeoutError("not done after 100 s")


def run(function, side):
    signal.signal(signal.SIGALRM, late)
    signal.alarm(100)
    try:
        return function(side)
    except Skip as reason:
        return f"skipped: {reason}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        side.clean()


def column(title, outcome, expected):
    """What the table says of a runtime."""
    return "–" if outcome is None else "yes" if outcome == expected else "no"


# What tells most; beginnings or other parts of the names.
SHORT = ["leave-running", "checkpoint ends and deletes", "under another id", "exec, update", "in the foreground", "limits and place", "user, capabilities",
         "namespaces, host name", "standard streams", "hooks in their order", "pre-dump and", "tcp-established", "console-socket", "bind mounts whose source",
         "mounts that the container has moved", "a user namespace", "an image of runc", "the name is taken", "a damaged image", "the disk is full",
         "checkpoint: CRIU killed", "restore: the runtime is killed"]


def main():
    why = lacking()
    words = sys.argv[1:]
    if words == ["--short"]:
        words = SHORT
    chosen = [c for c in CASES if not words or any(w in c[0] for w in words)]
    if why:
        for title, *_ in chosen:
            print(f"skipped: {title}: {why}")
        return 0
    os.makedirs(WORK, exist_ok=True)
    sides = [Side("runbox", RUNBOX)]
    for name in os.environ.get("CHECKPOINT_BESIDE", "runc crun").split():
        path = shutil.which(name)
        if not path:
            continue
        if name == "crun" and sh(path, "checkpoint", "--help")[0]:
            print("    crun here is built without CRIU")
            continue
        sides.append(Side(name, path))
    bad, table = 0, []
    for title, expected, only, function in chosen:
        told = {side.name: run(function, side) for side in sides if not only or side.name in only}
        own = told["runbox"]
        right = own == expected
        beside = ", ".join(f"{name}: {'the same' if text == own else text}" for name, text in told.items() if name != "runbox")
        if own.startswith("skipped: "):
            print(f"skipped: {title}: {own[9:]}", flush=True)
            continue
        bad += not right
        print(f"{'ok' if right else 'FAILED'}: {title}: {own}{'' if right else f' (expected: {expected})'}{f' [{beside}]' if beside else ''}", flush=True)
        table.append((title, [column(title, told.get(name), expected) for name in ("runbox", "runc", "crun")]))
    print(f"    checkpoint: {len(chosen) - bad} of {len(chosen)} right")
    for title, row in table:
        print(f"    | {title} | {' | '.join(row)} |")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
