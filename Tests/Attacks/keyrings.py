"""An ordinary user makes keyrings of the names that the runtime would use, and lets everybody search them (and so: join them)."""
import subprocess
import time

from harness import ALL, attack, capabilities

NAMES = ["_ses.%s", "_ses", "%s", "runbox.%s", "_ses.runbox.%s", "_uid_ses.0", "container.%s"]


def squat(bench, names):
    log = open(bench.path("squat"), "w")
    bench.helper("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", bench.tool("attacker"), "squat", *names, stdout=log)
    end = time.monotonic() + 3
    while "ready" not in open(bench.path("squat")).read() and time.monotonic() < end:
        time.sleep(0.005)
    time.sleep(0.05)


def judge(bench, done, what):
    words = done.out.split("keyring ")[-1].strip()
    if done.status or "keyring;" not in words:
        bench.lost("%s: no keyring: %s" % (what, done))
    elif words.split(";")[1] != "0":
        bench.lost("%s has the keyring of user %s: %s" % (what, words.split(";")[1], words))


@attack("keyring-run")
def run(bench):
    bundle = bench.bundle(["/attacker", "keyring"], lambda config: capabilities(config, ALL))
    for number in bench.rounds(10, 4):
        coming = "attack-%d-%d" % (__import__("os").getpid(), len(bench.ids))
        squat(bench, [name % coming if "%" in name else name for name in NAMES])
        judge(bench, bench.run(bundle), "the container")
        bench.stop_helpers()


@attack("keyring-exec")
def exec_(bench):
    name = bench.start(bench.bundle(["/attacker", "wait"], lambda config: capabilities(config, ALL)))
    for _ in bench.rounds(10, 4):
        squat(bench, [word % name if "%" in word else word for word in NAMES])
        judge(bench, bench.call("exec", name, "/attacker", "keyring"), "exec")
        bench.stop_helpers()


@attack("keyring-shared")
def shared(bench):
    """Two containers must not have one keyring, nor the caller's."""
    bundle = bench.bundle(["/attacker", "keyring"], lambda config: capabilities(config, ALL))
    seen = {}
    for _ in bench.rounds(5, 3):
        done = bench.run(bundle)
        judge(bench, done, "the container")
    own = subprocess.run([bench.attacker, "keyring"], stdout=subprocess.PIPE, text=True).stdout.strip()
    if own and own == done.out.strip():
        bench.lost("the container has the caller's keyring")
    assert not seen
