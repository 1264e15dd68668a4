"""Terminals and attached clients: Docker's client on a terminal whose size changes, its keys, its input."""

import os
import pty
import re
import select
import struct
import termios
import time
from fcntl import ioctl

from bench import Case, quote, sh
from docker import BOX


class Outer:
    """A command on a terminal of its own, whose size can be changed and into which can be typed."""

    def __init__(self, words, rows=24, columns=80):
        pid, self.master = pty.fork()
        if pid == 0:
            try:
                os.environ["TERM"] = "xterm"
                ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execvp(words[0], words)
            finally:
                os._exit(127)
        self.pid, self.text = pid, ""

    def size(self, rows, columns):
        ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, wanted=None, seconds=60):
        """Until the text matches, or to the end."""
        end = time.monotonic() + seconds
        while not (wanted and re.search(wanted, self.text)) and time.monotonic() < end:
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                data = os.read(self.master, 4096)
            except OSError:
                break
            if not data:
                break
            self.text += data.decode(errors="replace").replace("\r", "")
        return self.text

    def end(self):
        """The status, and all that was shown without what draws."""
        self.read(seconds=30)
        for _ in range(100):
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.master)
                # Whether the container is already there to be resized is chance, and Docker says when it was not.
                text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|failed to resize tty, using default size\n?", "", self.text)
                return os.waitstatus_to_exitcode(status), text
            time.sleep(0.1)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        os.close(self.master)
        return "too late", self.text


# Docker gives the first size after the start; a program sees the terminal grow from nothing.
RESIZED = ("trap : WINCH; until stty size 2> /dev/null | grep '^25 81$'; do sleep 0.1; done; echo ready; "
           "until stty size | grep '^33 101$'; do sleep 0.1; done; exit 3")


def resized(outer):
    outer.read("ready")
    # The client can miss a change that comes while it begins to look for them.
    for _ in range(20):
        outer.size(33, 101)
        if "33 101" in outer.read("33 101", 1):
            break
        outer.size(32, 100)
    status, text = outer.end()
    return f"{status}:\n{text}"


def run_resized(e):
    return resized(Outer(e.words("run", "--rm", "-it", "--network", "none", "--name", e.name("tty"), BOX, "sh", "-c", RESIZED), 25, 81))


def exec_resized(e):
    return resized(Outer(e.words("exec", "-it", e.name("long"), "sh", "-c", RESIZED), 25, 81))


def attached(e):
    """Attach to one with a terminal, see what it says, leave with the keys for it, come back and end it."""
    e.do("run", "-dit", "--network", "none", "--name", e.name("att"), BOX, "sh")
    outer = Outer(e.words("attach", e.name("att")))
    time.sleep(1)
    outer.type("echo a$((40 + 2))\n")
    outer.read("a42")
    outer.type("\x10\x11")
    status, text = outer.end()
    lines = [f"{status} {'a42' in text}", e.inspect("att", "{{.State.Status}}")]
    outer = Outer(e.words("attach", e.name("att")))
    time.sleep(1)
    outer.type("exit 6\n")
    return "\n".join(lines + [str(outer.end()[0]), e.wait("att", "{{.State.Status}}", "exited"), e.drop("att")])


def attached_pipes(e):
    """Two clients: one gives the input, and the container's end comes with its status."""
    e.do("run", "-di", "--network", "none", "--name", e.name("pipes"), BOX, "sh", "-c", "read line; echo got $line; echo err >&2; sleep 1; exit 4")
    # The client of Docker 20.10 can lose the output when its own input ends first, whatever the runtime.
    told = e.told(*sh("sh", "-c", "(sleep 1; echo words; sleep 3) | " + quote(e.words("attach", e.name("pipes")))))
    return "\n".join([told, e.wait("pipes", "{{.State.Status}}", "exited"), e.drop("pipes")])


def interrupted(e):
    """The terminal's key reaches the program behind it."""
    outer = Outer(e.words("run", "--rm", "-it", "--network", "none", BOX, "sh", "-c",
        "trap 'echo caught; exit 8' INT; echo ready; while :; do sleep 0.1; done"))
    outer.read("ready")
    outer.type("\x03")
    status, text = outer.end()
    return f"{status} {'caught' in text}"


def terminal(e):
    status, text = Outer(e.words("run", "--rm", "-it", "--network", "none", BOX, "sh", "-c",
        "tty; ls -l /dev/console; test -t 2 && echo yes; echo $TERM; exit 2")).end()
    return re.sub(r"(\S+ +\S+ +\S+) +\S+ +\S+ +\S+ +\S+ +\S+ +(/dev/console)", r"\1 \2", f"{status}:\n{text}")


TERMINALS = [
    Case("a terminal", terminal, "^2: [|] /dev/pts/0.*yes"),
    Case("a terminal, resized", run_resized, "^3: [|] 25 81 [|] ready [|] 33 101$", clean=True),
    Case("a terminal's interrupt", interrupted, "^8 True$"),
    Case("attach, detach by its keys, attach", attached, "^[01] True [|] running [|] 6 [|] exited", clean=True),
    Case("attach with pipes", attached_pipes, "^4: [|] got words [|] stderr err", clean=True),
]
