"""Data that must not get lost, and what must not be overwritten: outputs, device files, true errors."""
import os
import stat
import subprocess
import time

from harness import ALL, Skip, attack, capabilities


def busy(bench, count=4):
    """Load: what races under it, races seldom without."""
    for _ in range(count):
        bench.helper("sh", "-c", "while :; do :; done")


@attack("output-run-terminal")
def run_terminal(bench):
    """The payload's last words come through a terminal whose other side is a pipe."""
    def edit(config):
        config["process"]["terminal"] = True
    bundle = bench.bundle(["/bin/echo", "the last words"], edit)
    busy(bench)
    for _ in bench.rounds(120, 12):
        done = bench.run(bundle)
        if done.status != 0 or "the last words" not in done.out:
            bench.lost("lost: %s" % done)


@attack("output-exec-terminal")
def exec_terminal(bench):
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    busy(bench)
    for _ in bench.rounds(120, 12):
        done = bench.call("exec", "--tty", name, "/bin/echo", "the last words")
        if done.status != 0 or "the last words" not in done.out:
            bench.lost("lost: %s" % done)


@attack("output-large-terminal")
def large(bench):
    """As much as does not fit into the kernel's buffers, and nobody reads for a while."""
    def edit(config):
        config["process"]["terminal"] = True
    bundle = bench.bundle(["/bin/sh", "-c", "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; echo end"], edit)
    for _ in bench.rounds(8, 8):
        done = bench.run(bundle)
        found = done.out.replace("\r", "").count("\n")
        if found != 3001:
            bench.lost("%d lines of 3001" % found)


@attack("true-error-exec")
def true_error(bench):
    """A process of exec that fails early: the reason is reported, not that it is dead."""
    def without(config):
        config["mounts"] = [entry for entry in config["mounts"] if entry["destination"] != "/dev/pts"]
    name = bench.start(bench.bundle(["/attacker", "wait"], without))
    busy(bench, 2)
    cases = [["--tty", name, "/bin/true"], ["--cwd", "/nowhere/at/all", name, "/bin/true"], [name, "/no/such/program"],
             ["--apparmor", "no-such-profile", name, "/bin/true"]]
    for number in bench.rounds(100, 6):
        case = cases[number % len(cases)]
        done = bench.call("exec", *case)
        text = done.err.lower()
        if "apparmor" in str(case) and done.status == 0:
            continue
        if done.status == 0 or not text.strip() or "already dead" in text or "broken pipe" in text or "connection reset" in text:
            bench.lost("%s: %s" % (" ".join(case[:2]).replace(name, "ID"), done))


def kinds(bench):
    """Files that are none, in a folder of their own: a full device, a FIFO with a reader, a link, a socket's like."""
    folder = bench.dir("files")
    for name, minor in (("full", 7), ("null", 3)):
        os.mknod(os.path.join(folder, name), 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        os.chmod(os.path.join(folder, name), 0o666)
    os.mkfifo(folder + "/fifo")
    bench.path("files/target", "")
    os.symlink("target", folder + "/link")
    os.symlink("null", folder + "/link-to-device")
    return folder


def types(folder):
    return {name: (stat.S_IFMT(os.lstat(os.path.join(folder, name)).st_mode), os.lstat(os.path.join(folder, name)).st_ino) for name in os.listdir(folder)}


def spared(bench, words):
    folder = kinds(bench)
    reader = os.open(folder + "/fifo", os.O_RDWR)
    before = types(folder)
    for name in sorted(before):
        if name == "target":
            continue
        bench.once()
        words(os.path.join(folder, name))
        now = types(folder)
        changed = [other for other in set(before) | set(now) if now.get(other) != before.get(other)]
        if changed:
            bench.lost("replaced or new: %s" % " ".join(sorted(changed)))
        before = now
    os.close(reader)


@attack("device-spec-file", only=["runbox", "crun"])
def spec_file(bench):
    """`spec --file` on what is no regular file (crun says --file, too)."""
    spared(bench, lambda path: bench.call("spec", "--bundle", bench.dir("empty"), "--file", path))


@attack("device-pid-file")
def pid_file(bench):
    bundle = bench.bundle(["/bin/true"])
    spared(bench, lambda path: bench.run(bundle, "--pid-file", path))


@attack("device-exec-pid-file")
def exec_pid_file(bench):
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    spared(bench, lambda path: bench.call("exec", "--pid-file", path, name, "/bin/true"))


@attack("device-log", only=["runbox"])
def log(bench):
    bundle = bench.bundle(["/bin/true"])
    spared(bench, lambda path: bench.command([bench.runtime, "--log", path, "--root", bench.root, "run", "--bundle", bundle, bench.new_id()]))


@attack("device-streams")
def streams(bench):
    """Streams that are devices of the host keep their owner, whatever user the payload has (runc 1.1.1 gave /dev/null away)."""
    folder = kinds(bench)

    def edit(config):
        config["process"]["user"] = {"uid": 1000, "gid": 1000}
        capabilities(config, [])
    bundle = bench.bundle(["/bin/true"], edit)
    name = bench.start(bench.bundle(["/attacker", "wait"], edit))
    for path in (folder + "/null", folder + "/full"):
        for words in (["run", "--bundle", bundle, "ID"], ["exec", name, "/bin/true"], ["exec", "--user", "1000", name, "/bin/true"]):
            bench.once()
            with open(path, "r+b", buffering=0) as file:
                bench.command(bench.words(*[bench.new_id() if word == "ID" else word for word in words]), stdin=file, stdout=file)
            if os.stat(path).st_uid != 0 or stat.S_IMODE(os.stat(path).st_mode) != 0o666:
                bench.lost("%s by %s: owner %d, mode %o" % (os.path.basename(path), words[0], os.stat(path).st_uid, os.stat(path).st_mode))
                os.chown(path, 0, 0)


@attack("full-output", only=["runbox"])
def full(bench):
    """Results that can't be written are no success."""
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    for words in (["list"], ["list", "--quiet"], ["features"], ["doctor"], ["completion", "bash"], ["state", name], ["ps", name], ["events", "--stats", name],
                  ["check", bench.path("bundle1")], ["help"], ["--version"]):
        bench.once()
        with open("/dev/full", "w") as file:
            process = subprocess.Popen(bench.words(*words), stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL)
            if process.wait() == 0:
                bench.lost("%s exits with 0" % " ".join(words).replace(name, "ID"))


@attack("notify-socket", only=["runbox"])
def notify(bench):
    """A process in the created container exchanges the runtime's socket for a link, before its mode is changed."""
    import socket
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(bench.path("notify"))

    def edit(config):
        capabilities(config, ALL)
        config["mounts"].append({"destination": "/run", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]})
    bundle = bench.bundle(["/attacker", "wait"], edit)
    victim = bench.path("victim-file", "0600 it was\n")
    env, replaced = dict(os.environ, NOTIFY_SOCKET=bench.path("notify")), False
    # The folder is mounted read-only, which holds against nobody who may remount.
    script = "/attacker unlock remount /run/notify read; exec /attacker replace /run/notify/notify.sock %s" % victim
    for _ in bench.rounds(40, 5):
        os.chmod(victim, 0o600)
        name = bench.create(bundle, env=env)
        with open(bench.path("replacer"), "w") as out:
            bench.command(bench.words("exec", "--detach", name, "/bin/sh", "-c", script), stdout=out)
        time.sleep(0.01)
        bench.helper(*bench.words("start", name), env=env)
        end = time.monotonic() + 2
        while bench.state(name).get("status") == "created" and time.monotonic() < end:
            pass
        if stat.S_IMODE(os.stat(victim).st_mode) != 0o600:
            bench.lost("the mode of a file of the host is %o" % stat.S_IMODE(os.stat(victim).st_mode))
        replaced |= "replaced" in open(bench.path("replacer")).read()
        bench.delete(name)
        bench.stop_helpers()
    if not replaced:
        raise Skip("the socket could not be replaced once")


@attack("tmpcopyup-bytes")
def copy_bytes(bench):
    """Names that are no UTF-8 are names."""
    bench.once()
    bundle = bench.bundle(["/bin/ls", "/data"], lambda config: config["mounts"].append(
        {"destination": "/data", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}))
    folder = os.fsencode(bundle + "/rootfs/data")
    os.makedirs(folder + b"/\xff\xfe/sub")
    open(folder + b"/file\xc3", "w").close()
    os.symlink(b"to\xff", folder + b"/link\xff")
    done = bench.run(bundle)
    if done.status != 0 or done.out.count("\n") != 3:
        bench.lost(str(done))
