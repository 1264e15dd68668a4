"""What faults are injected into: a command, the world before it, and how its success is told from a claim of it."""
import json
import os
import pty
import re
import socket
import termios
import time

from world import cgroup_tree

SCENARIOS = []


class Scenario:
    """`words` is the command; `creates` says that nothing may be left where it fails; `keeps`, that the container stays for the next."""
    creates = keeps = False
    roles = None
    edit = None
    payload = "say"
    streams = None

    def __init__(self, name):
        self.name = name

    def configure(self, world):
        def edit(config):
            config["process"]["args"] = ["/payload", self.payload]
            if self.edit:
                self.edit(config)
        world.configure(edit)

    def prepare(self, world): pass
    def words(self, world): raise NotImplementedError
    def missing(self, world, output, role=0): return None
    def around(self, world): return {}
    def after(self, world): return None

    def stop(self, world):
        return world.call("delete", "--force", world.id)


def scenario(name, base, **parts):
    SCENARIOS.append(type(name, (base,), parts)(name))


def said(output, known):
    """The container's program has run, and is confined as in the first run."""
    if "said" not in output:
        return "the program has not run"
    # Where nodes can't be made, the host's are bound there: as good, and what nested hosts need.
    bound = re.compile(r"mount /dev/(null|zero|full|random|urandom|tty) ")
    now, then = ([line for line in text.replace("\r", "").splitlines() if not bound.match(line)] for text in (output, known))
    lost = [line for line in then if line not in now]
    new = [line for line in now if line not in then]
    return "the container differs: without %s, with %s" % (lost[:4], new[:4]) if lost or new else None


class Run(Scenario):
    creates = True
    flags = ()

    def words(self, world):
        return ["run", "--bundle", world.bundle, *self.flags, world.id]

    def missing(self, world, output, role=0):
        return said(output, self.known)


class Terminal:
    """With a terminal of ours as the streams, whose settings have to come back."""
    def around(self, world):
        self.master, self.slave = pty.openpty()
        self.settings = termios.tcgetattr(self.slave)
        return dict(stdin=self.slave, stdout=self.slave)

    def after(self, world):
        now = termios.tcgetattr(self.slave)
        os.close(self.slave)
        os.close(self.master)
        return None if now == self.settings else "the terminal has other settings than before"


class Create(Scenario):
    creates = True
    payload = "wait"

    def words(self, world):
        return ["create", "--bundle", world.bundle, "--pid-file", world.folder + "/pid", world.id]

    def missing(self, world, output, role=0):
        state = world.state()
        if role > 0 and state and state["status"] == "stopped":
            return None  # an init that ends after create has come back is a container that has ended
        if not state or state["status"] != "created":
            return "no container in the status created: %s" % state
        if not os.path.exists(world.folder + "/pid"):
            return "no pid file"
        os.unlink(world.folder + "/pid")
        status, text = world.call("start", world.id)
        return "start afterwards: %s" % text if status else None


class Existing(Scenario):
    """The command is called on a container that is there."""
    payload = "wait"
    started = True

    def prepare(self, world):
        if self.keeps and world.expected:
            state = world.state()
            if state and state["status"] == "running":
                return
            self.stop(world)
            world.purge()
        status, text = world.call("create", "--bundle", world.bundle, world.id)
        assert status == 0, text
        if self.started:
            status, text = world.call("start", world.id)
            assert status == 0, text
        world.expected = {world.state()["pid"]}


class Start(Existing):
    started = False

    def words(self, world):
        return ["start", world.id]

    def missing(self, world, output, role=0):
        state = world.state()
        return None if state and state["status"] == "running" else "not running: %s" % state


class Exec(Existing):
    keeps = True
    flags = ()

    def words(self, world):
        return ["exec", *self.flags, world.id, "/payload", "say"]

    def missing(self, world, output, role=0):
        return said(output, self.known)

    def after(self, world):
        """The container is as it was, with no process more."""
        procs = os.path.join(cgroup_tree(), world.cgroup[1:], "cgroup.procs")
        for _ in range(200):
            with open(procs) as file:
                count = len(file.read().split())
            if count <= 1:
                break
            time.sleep(0.005)
        return "%d processes in the container's cgroup" % count if count != 1 else None


class ExecTerminal(Terminal, Exec):
    flags = ("-t",)

    def after(self, world):
        return Terminal.after(self, world) or Exec.after(self, world)


class Kill(Existing):
    def words(self, world):
        return ["kill", world.id, "KILL"]

    def missing(self, world, output, role=0):
        for _ in range(200):
            world.reap()
            state = world.state()
            if state and state["status"] == "stopped":
                return None
            time.sleep(0.005)
        return "it is not dead: %s" % state


class Update(Existing):
    keeps = True

    def prepare(self, world):
        super().prepare(world)
        self.value = 4 << 20 if getattr(self, "value", 0) != 4 << 20 else 8 << 20
        with open(world.folder + "/resources.json", "w") as file:
            json.dump({"hugepageLimits": [{"pageSize": "2MB", "limit": self.value}]}, file)

    def words(self, world):
        return ["update", "--resources", world.folder + "/resources.json", world.id]

    def missing(self, world, output, role=0):
        path = os.path.join(cgroup_tree(), world.cgroup[1:], "hugetlb.2MB.max")
        value = int(open(path).read()) if os.path.exists(path) else -1
        return None if value == self.value else "the limit is %d, not %d" % (value, self.value)


class Delete(Existing):
    flags = ()

    def words(self, world):
        return ["delete", *self.flags, world.id]

    def prepare(self, world):
        super().prepare(world)
        if not self.flags:
            status, text = world.call("kill", world.id, "KILL")
            assert status == 0, text
            world.expected = set()
            for _ in range(400):
                world.reap()
                if world.state()["status"] == "stopped":
                    break

    def missing(self, world, output, role=0):
        world.expected = set()
        found = world.settled()
        return "there is still: %s" % found if found else None


class Pause(Existing):
    def words(self, world):
        return ["pause", world.id]

    def missing(self, world, output, role=0):
        state = world.state()
        return None if state and state["status"] == "paused" else "not paused: %s" % state


class ConsoleCreate(Create):
    """The terminal goes to an engine's socket."""
    def edit(self, config):
        config["process"]["terminal"] = True

    def around(self, world):
        self.path = world.folder + "/console"
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(4)
        return {}

    def words(self, world):
        return ["create", "--bundle", world.bundle, "--console-socket", self.path, "--pid-file", world.folder + "/pid", world.id]

    def after(self, world):
        self.socket.close()


def terminal(self, config):
    config["process"]["terminal"] = True


def user(self, config):
    config["linux"]["namespaces"].append({"type": "user"})
    ids = [{"containerID": 0, "hostID": 0, "size": 65536}]
    config["linux"].update(uidMappings=ids, gidMappings=ids)
    config["linux"]["sysctl"] = {}


def profile(self, config):
    config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": [],
                                  "syscalls": [{"names": ["kexec_load", "bpf"], "action": "SCMP_ACT_ERRNO"}]}


def hooks(self, config):
    inside = {"path": "/payload", "args": ["payload", "say"]}
    config["hooks"] = {kind: [dict(inside) if kind == "startContainer" else {"path": "/bin/true", "args": ["true"]}]
                       for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")}


scenario("run", Run)
scenario("create", Create)
scenario("start", Start)
scenario("exec", Exec)
scenario("kill", Kill)
scenario("update", Update)
scenario("delete", Delete)
scenario("delete-force", Delete, flags=("--force",))
scenario("pause", Pause)
scenario("run-terminal", type("RunTerminal", (Terminal, Run), {}), edit=terminal)
scenario("create-terminal", ConsoleCreate)
scenario("exec-terminal", ExecTerminal)
scenario("run-hooks", Run, edit=hooks)
scenario("start-hooks", Start, edit=hooks)
scenario("delete-hooks", Delete, edit=hooks)
scenario("run-user", Run, edit=user)
scenario("exec-user", Exec, edit=user)
scenario("run-seccomp", Run, edit=profile)
scenario("exec-seccomp", Exec, edit=profile)
