"""Processes of the runtime that start in a container (CVE-2016-9962 and what is like it): a container that may trace looks at each
process that gets a number in its pid namespace, as fast as it can, through /proc and by pidfd."""
import os
import pty

from harness import ALL, USUAL, attack, capabilities, namespace, user_namespace

SECRET = "SECRET_OF_THE_HOST"
KINDS = {"r": "root", "c": "cwd", "e": "environ", "f": "descriptors", "g": "pidfd-getfd", "p": "ptrace", "x": "exe-write"}


def watcher(bench, kinds, user=False):
    def hostile(config):
        # ptrace needs CAP_SYS_PTRACE alone, and shall show more than the container has.
        capabilities(config, USUAL + ["CAP_SYS_PTRACE"] if kinds == "p" else ALL)
        if user:
            user_namespace(config)
    name = bench.start(bench.bundle(["/attacker", "watch", kinds, bench.host_secret, SECRET], hostile))
    assert bench.wait_for("watching", name), bench.log(name)
    return name


def count(bench, holder):
    """One loss for each process that showed something."""
    seen = set()
    for line in bench.log(holder).splitlines():
        words = line.split(" ", 3)
        if words[0] == "lost" and words[2] not in seen:
            seen.add(words[2])
            bench.lost(" ".join(words[3:])[:120].replace(bench.folder, "FOLDER"), each=True)


def surroundings(bench):
    """The runtime is called with a secret in its environment, in a folder of the host's."""
    return dict(env=dict(os.environ, TOKEN=SECRET), cwd=os.path.dirname(bench.path("secret")))


def by_exec(bench, kinds, user):
    holder = watcher(bench, kinds, user)
    for _ in bench.rounds(60, 4):
        done = bench.call("exec", holder, "/bin/true", **surroundings(bench))
        if done.status != 0 and kinds != "p":
            bench.lost("exec fails: %s" % done)
    count(bench, holder)


def by_run(bench, kinds, hooks=None):
    holder = watcher(bench, kinds)

    def beside(config):
        namespace(config, "pid", "/proc/%d/ns/pid" % bench.state(holder)["pid"])
        if hooks:
            config["hooks"] = {hooks: [{"path": "/bin/true", "args": ["true"], "env": []}]}
    bundle = bench.bundle(["/bin/true"], beside)
    for _ in bench.rounds(40, 4):
        done = bench.run(bundle, **surroundings(bench))
        if done.status != 0 and kinds != "p":
            bench.lost("run fails: %s" % done)
    count(bench, holder)


def by_exec_terminal(bench, kinds):
    holder = watcher(bench, kinds)
    for _ in bench.rounds(40, 4):
        master, slave = pty.openpty()
        bench.call("exec", "--tty", holder, "/bin/true", stdin=slave, stdout=slave, **surroundings(bench))
        os.close(slave)
        os.close(master)
    count(bench, holder)


for kind, word in KINDS.items():
    attack("inside-exec-%s" % word)(lambda bench, kind=kind: by_exec(bench, kind, False))
for kind in "rcefx":
    attack("inside-exec-user-%s" % KINDS[kind])(lambda bench, kind=kind: by_exec(bench, kind, True))
for kind, word in KINDS.items():
    attack("inside-run-%s" % word)(lambda bench, kind=kind: by_run(bench, kind))
for hook in ("createContainer", "startContainer"):
    attack("inside-run-hook-%s" % hook)(lambda bench, hook=hook: by_run(bench, "ref" if hook == "startContainer" else "e", hook))
attack("inside-exec-terminal")(lambda bench: by_exec_terminal(bench, "rcef"))


@attack("inside-sigstop")
def stopped(bench):
    """A process of a shared pid namespace stops whatever starts in it: the runtime may fail, but comes to an end."""
    holder = watcher(bench, "s")

    def beside(config):
        namespace(config, "pid", "/proc/%d/ns/pid" % bench.state(holder)["pid"])
    bundle = bench.bundle(["/bin/true"], beside)
    for _ in bench.rounds(1, 1):
        name = bench.new_id()
        done = bench.call("create", "--bundle", bundle, name, timeout=60, stdout=open(os.devnull, "w"))
        if str(done.status).startswith("none"):
            bench.lost("create hangs")
        done = bench.call("delete", "--force", name, timeout=60)
        if str(done.status).startswith("none"):
            bench.lost("delete --force hangs")
