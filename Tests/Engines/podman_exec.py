"""The cases of `podman exec`."""

import re
import subprocess
import threading

from bench import WORK, Case, sh, wait_for, write
from podman import BOX
from podman_life import gone, with_box

RIGHTS = "id; grep -E '^(CapEff|CapBnd|CapAmb|NoNew|Seccomp:)' /proc/self/status"


def exec_in(name, expected, *words, flags=(), input=None, **others):
    """A command in a running container."""
    return with_box("exec " + name, expected, lambda e, box: e.do("exec", *words[:words.index("--")], box, *words[words.index("--") + 1:], input=input),
        *flags, **others)


def exec_detached(e, name):
    told = e.do("exec", "-d", "-e", "A=seen", name, "sh", "-c", "echo $A > /made; sleep 1000")
    wait_for(lambda: sh(*e.words("exec", name, "test", "-s", "/made"))[0] == 0)
    return re.sub(r"\b[0-9a-f]{64}\b", "ID", told) + "\n" + e.do("exec", name, "cat", "/made") + "\n" + e.do("exec", name, "sh", "-c",
        "ps | grep -c '[s]leep 1000$'")


def exec_killed(e, name):
    """The end of an exec by a signal, and of the container under it."""
    first = e.do("exec", name, "sh", "-c", "kill -9 $$")
    process = subprocess.Popen(e.words("exec", name, "sh", "-c", "touch /began; sleep 1000"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: sh(*e.words("exec", name, "test", "-e", "/began"))[0] == 0)
    e.do("kill", name)
    return f"{first}\nthe other {process.wait(60)}"


def exec_of_what_does_not_run(e):
    name = e.name("life")
    made = e.do("create", "--name", name, BOX, "true")
    return "\n".join([made, e.do("exec", name, "true"), e.do("start", "-a", name), e.do("exec", name, "true"), e.do("exec", e.name("none"), "true"), gone(e,
        "life")])


def exec_paused(e, name):
    return "\n".join([e.do("pause", name), e.do("exec", name, "true"), e.do("unpause", name), e.do("exec", name, "echo", "runs")])


def exec_preserved(e, name):
    """A descriptor that is passed on to exec."""
    path = WORK + f"/passed-{e.tag}"
    write(path, "passed on\n")
    words = " ".join("'" + word + "'" for word in e.words("exec", "--preserve-fds", "1", name, "sh", "-c", "cat <&3"))
    status, out, err = sh("sh", "-c", f"{words} 3< {path}")
    return e.told(status, out, err)


def exec_many(e, name):
    results = [None] * 10

    def one(index):
        results[index] = sh(*e.words("exec", name, "sh", "-c", f"exit {index}"))[0]
    threads = [threading.Thread(target=one, args=(index,)) for index in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return str(results)


def big_output(e, name):
    status, out, _ = sh(*e.words("exec", name, "sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x"))
    return f"{status} {len(out)}"


EXEC = [
    exec_in("as a user, elsewhere, with an environment", "uid=1000.*gid=0.* [|] /tmp [|] a b", "-u", "user:root", "-w", "/tmp", "-e", "A=a b", "--", "sh",
        "-c", "id; pwd; echo $A"),
    exec_in("as a number", "uid=77 gid=88", "-u", "77:88", "--", "id"),
    exec_in("as nobody that is known", "no matching entries", "-u", "nobodyhere", "--", "id"),
    exec_in("with the groups of the container", "groups=.*77", "--", "id", flags=("--group-add", "77")),
    exec_in("as the user of the container", "uid=1000", "--", "sh", "-c", RIGHTS, flags=("--user", "user")),
    exec_in("with fewer rights than root's", "CapEff", "--", "sh", "-c", RIGHTS, flags=("--cap-drop", "all", "--security-opt", "no-new-privileges")),
    exec_in("--privileged", "CapEff", "--privileged", "--", "sh", "-c", RIGHTS),
    exec_in("--privileged as a user", "CapEff", "--privileged", "-u", "user", "--", "sh", "-c", RIGHTS),
    exec_in("in a privileged container", "CapEff", "--", "sh", "-c", RIGHTS, flags=("--privileged",)),
    exec_in("where no folder is", "127: ", "-w", "/not/there", "--", "true"),
    exec_in("of a folder", "(126|255): ", "--", "/etc"),
    exec_in("of a missing command", "127: .*not found", "--", "nothere"),
    exec_in("of a path that is not there", "127: .*not found", "--", "/bin/nothere"),
    exec_in("of a plain file", "126: .*permission denied", "--", "/bin/plainfile"),
    exec_in("with input", "8: [|] in", "-i", "--", "sh", "-c", "cat; exit 8", input="in\n"),
    exec_in("without input", "0: [|] end", "--", "sh", "-c", "cat; echo end"),
    exec_in("both streams", "1: [|] out [|] stderr err", "--", "sh", "-c", "echo out; echo err >&2; exit 1"),
    with_box("exec with a terminal, and its size", "/dev/pts/0", lambda e, name: e.terminal("exec", "-it", name, "sh", "-c", "tty; sleep 1; exit 6").strip()),
    with_box("exec detached", "0: [|] ID [|] 0: [|] seen [|] 0: [|] [1-9]", exec_detached, clean=True),
    with_box("exec that is killed", "137: [|] the other 137", exec_killed),
    Case("exec of what does not run", exec_of_what_does_not_run, "255: .*state improper"),
    with_box("exec of what is paused", "runs", exec_paused),
    with_box("exec --preserve-fds", "passed on", exec_preserved),
    with_box("exec, ten at once", r"\[0, 1, 2, 3, 4, 5, 6, 7, 8, 9\]", exec_many, clean=True),
    with_box("exec with 3 MB of output", "0 3000000", big_output),
]
