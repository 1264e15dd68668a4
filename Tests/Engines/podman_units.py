"""The cases of Podman under systemd: units that are generated, quadlets, `--cgroups=`, and of its service with what calls it."""

import http.client
import json
import os
import re
import socket
import subprocess

from bench import ROOT, RUNTIME_DIR, WORK, Case, Skip, sh, wait_for, write
from podman import BOX, at_top, since
from podman_life import LISTENS, gone

USER = [] if ROOT else ["--user"]
UNITS = ("/run/systemd" if ROOT else RUNTIME_DIR + "/systemd") + ("/system" if ROOT else "/user")


def systemd():
    if not os.path.isdir("/run/systemd/system"):
        raise Skip("no systemd here")
    if not ROOT and not at_top():
        raise Skip("systemd is not at the top of the cgroups here, where an ordinary user's Podman looks for it")


def systemctl(*words):
    return sh("systemctl", *USER, *words)


def settings():
    """What a unit needs to find the tests' settings."""
    return "".join(f"Environment={name}={os.environ[name]}\n" for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF") if name in os.environ)


def active(unit):
    return systemctl("is-active", unit)[1].strip()


def driven(e, unit, name):
    """A unit of a container: started, looked at, its program's end, stopped."""
    systemctl("daemon-reload")
    status, _, err = systemctl("start", unit)
    text = [f"start {status} {active(unit)}"]
    wait_for(lambda: "ready" in sh(*e.words("logs", name))[1], 15)
    text.append(e.do("exec", name, "echo", "runs"))
    pid = sh(*e.words("inspect", "--format", "{{.State.Pid}}", name))[1].strip()
    try:
        with open(f"/proc/{pid}/cgroup") as file:
            path = [line for line in file.read().splitlines() if line.startswith("0::")][0]
    except OSError:
        path = "no process " + err.strip()[-200:]
    text.append(re.sub(r"user(@|-)\d+", "user", path))
    text.append(f"main process of the unit {systemctl('show', '-p', 'MainPID', '--value', unit)[1].strip() not in ('', '0')}")
    first = pid
    sh(*e.words("exec", name, "sh", "-c", "kill -9 1")), sh(*e.words("kill", name))
    wait_for(lambda: active(unit) == "active" and sh(*e.words("inspect", "--format", "{{.State.Pid}}", name))[1].strip() not in ("", "0", first), 20)
    text.append(f"again {active(unit)}")
    text.append(f"stop {systemctl('stop', unit)[0]} {active(unit)}")
    return "\n".join(text)


def generated(new):
    def run(e):
        systemd()
        name = e.name("unit")
        e.do("create", "--name", name, "--init", BOX, "sh", "-c", LISTENS)
        words = ["--new"] if new else []
        text = sh(*e.words("generate", "systemd", *words, "--restart-policy", "always", "--restart-sec", "1", "-t", "2", "--name", name))[1]
        if new:
            gone(e, "unit")
        # Without --new the unit calls plain `podman start`, which has the container's runtime from its database.
        write(f"{UNITS}/{name}.service", text.replace("[Service]\n", "[Service]\n" + settings(), 1))
        try:
            told = driven(e, name + ".service", name)
        finally:
            systemctl("stop", name + ".service")
            os.remove(f"{UNITS}/{name}.service")
            systemctl("daemon-reload")
            systemctl("reset-failed", name + ".service")
        return told + "\n" + e.do("rm", "-f", "-i", "-t", "0", name).splitlines()[0]
    return run


QUADLET = """[Container]
ContainerName=NAME
Image=localhost/box
Exec=sh -c "trap 'exit 3' TERM; echo ready $$WORD; id -u; while :; do sleep 0.1; done"
Environment=WORD=given
GlobalArgs=--runtime RUNTIME --cgroup-manager MANAGER
Network=none
User=1000
ReadOnly=true
DropCapability=all
NoNewPrivileges=true
Tmpfs=/scratch
PodmanArgs=--init

[Service]
Restart=always
RestartSec=1
TimeoutStopSec=20
SETTINGS"""


def quadlet(e):
    """The generator is called by hand, as systemd would at its start."""
    systemd()
    since(4, 6)
    name, folder = e.name("quad"), f"{WORK}/quadlet-{e.tag}"
    write(f"{folder}/in/{name}.container", QUADLET.replace("NAME", name).replace("RUNTIME", e.runtime).replace("MANAGER", e.manager).replace("SETTINGS",
        settings()))
    os.makedirs(folder + "/out", exist_ok=True)
    status, out, err = sh("env", f"QUADLET_UNIT_DIRS={folder}/in", "/usr/libexec/podman/quadlet", *USER, "-no-kmsg-log", folder + "/out")
    if not os.path.exists(f"{folder}/out/{name}.service"):
        return f"generator {status}: {err}"
    with open(f"{folder}/out/{name}.service") as file:
        write(f"{UNITS}/{name}.service", re.sub(r"(?m)^(After|Wants)=.*(network-online|podman-user-wait).*\n", "", file.read()))
    try:
        told = driven(e, name + ".service", name)
    finally:
        systemctl("stop", name + ".service")
        os.remove(f"{UNITS}/{name}.service")
        systemctl("daemon-reload")
        systemctl("reset-failed", name + ".service")
    return told


def in_unit(e, *words):
    """A command of Podman's as a unit of its own, with a cgroup that is its own."""
    systemd()
    environment = [f"--setenv={name}={os.environ[name]}" for name in ("CONTAINERS_CONF", "CONTAINERS_STORAGE_CONF", "HOME", "PATH") if name in os.environ]
    return sh("systemd-run", "--quiet", *USER, "--wait", "--pipe", "--collect", "-p", "Delegate=yes", *environment, *e.words(*words))


def split(e):
    status, out, err = in_unit(e, "run", "--rm", "--cgroups=split", BOX, "sh", "-c", "cat /proc/self/cgroup | grep ^0; exit 3")
    inner = in_unit(e, "run", "--rm", "--cgroups=split", "--cgroupns", "host", BOX, "sh", "-c", "cat /proc/self/cgroup | grep ^0")[1]
    return e.told(status, out, err) + "\n" + re.sub(r"user(@|-)\d+", "user", re.sub(r"(run-[\w-]*\.service|podman-\d+\.scope)", "UNIT", inner))


def no_conmon(e):
    if not ROOT:
        systemd()
    e.do("run", "-d", "--name", e.name("nc"), "--cgroups=no-conmon", BOX, "sleep", "1000")
    monitor = sh(*e.words("inspect", "--format", "{{.State.ConmonPid}}", e.name("nc")))[1].strip()
    with open("/proc/self/cgroup") as own, open(f"/proc/{monitor}/cgroup") as its:
        same = own.read() == its.read()
    return f"conmon stays where podman is: {same}\n" + e.do("exec", e.name("nc"), "echo", "runs") + "\n" + gone(e, "nc")


def notified(e):
    """--sdnotify=container: the container itself says that it is ready."""
    path = f"{WORK}/notify-{e.tag}"
    if os.path.exists(path):
        os.remove(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(path)
    os.chmod(path, 0o777)
    listener.settimeout(20)
    text = []
    for kind in ("conmon", "container", "ignore"):
        status, out, err = sh("env", "NOTIFY_SOCKET=" + path, *e.words("run", "-d", "--name", e.name("note"), "--sdnotify", kind, BOX, "sh", "-c",
            "echo socket ${NOTIFY_SOCKET:-none}; sleep 1000"))
        told = []
        try:
            while kind == "conmon" and not any("READY=1" in word for word in told):
                told.append(listener.recv(4096).decode())
        except OSError:
            told.append("nothing")
        wait_for(lambda: "socket" in sh(*e.words("logs", e.name("note")))[1])
        text += [f"{kind} {status} ready {'READY=1' in ' '.join(told)} main {'MAINPID' in ' '.join(told)}", sh(*e.words("logs", e.name("note")))[1], gone(e,
            "note")]
        listener.settimeout(0.2)
        try:
            while True:
                listener.recv(4096)
        except OSError:
            listener.settimeout(20)
    listener.close()
    return "\n".join(text)


# --- the service -----------------------------------------------------------------------------------------------------


class Service:
    """`podman system service` on a socket of the tests' own."""

    def __init__(self, e):
        self.e, self.path = e, f"{WORK}/api-{e.tag}.sock"
        self.start()

    def start(self):
        if os.path.exists(self.path):
            os.remove(self.path)
        self.process = subprocess.Popen(self.e.words("system", "service", "--time=0", "unix://" + self.path), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.path) and self.ask("GET", "/_ping")[0] == 200)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, path, body=None):
        """As Docker's clients ask."""
        connection = http.client.HTTPConnection("localhost", timeout=60)
        try:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.path)
            connection.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json", "Host": "d"})
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)
        finally:
            connection.close()
        return answer.status, json.loads(text) if text.strip().startswith(("{", "[")) else text

    def remote(self, *words, input=None):
        status, out, err = sh("podman", "--remote", "--url", "unix://" + self.path, *words, input=input)
        return self.e.told(status, out, err)


def remote(e):
    """podman --remote, and the service killed and started again under a container."""
    service, name = Service(e), e.name("far")
    try:
        text = [service.remote("run", "--rm", BOX, "sh", "-c", "echo out; echo err >&2; exit 7"), service.remote("run", "--rm", BOX, "nothere"),
            service.remote("run", "-d", "--name", name, BOX, "sh", "-c", LISTENS)]
        text += [service.remote("exec", "-u", "user", name, "sh", "-c", "id -u; exit 5")]
        service.kill()
        text += [e.do("exec", name, "echo", "runs on")]
        service.start()
        text += [service.remote("ps", "--filter", "name=" + name, "--format", "{{.Names}}"), service.remote("exec", name, "echo", "still"),
            service.remote("stop", "-t", "60", name),
                 service.remote("inspect", "--format", "{{.State.ExitCode}}", name), service.remote("rm", name)]
    finally:
        sh(*e.words("rm", "-f", "-t", "0", name))
        service.kill()
    return "\n".join(text)


def docker_api(e):
    """The calls of a client of Docker's."""
    service, name = Service(e), e.name("dock")
    v = "/v1.40"
    try:
        text = [str(service.ask("GET", v + "/info")[1].get("DefaultRuntime") in (e.runtime, e.tag, "runc", "crun"))]
        body = {"Image": BOX, "Cmd": ["sh", "-c", LISTENS], "Env": ["A=b"], "HostConfig": {"NetworkMode": "none", "CapDrop": ["ALL"], "ReadonlyRootfs": True,
            "Tmpfs": {"/t": "size=1m"}}}
        text += [str(service.ask("POST", f"{v}/containers/create?name={name}", body)[0]), str(service.ask("POST", f"{v}/containers/{name}/start")[0])]
        wait_for(lambda: "ready" in sh(*e.words("logs", name))[1])
        status, made = service.ask("POST", f"{v}/containers/{name}/exec", {"Cmd": ["sh", "-c", "exit 6"], "AttachStdout": True})
        text += [f"exec {status}", str(service.ask("POST", f"{v}/exec/{made['Id']}/start", {"Detach": False})[0])]
        wait_for(lambda: not service.ask("GET", f"{v}/exec/{made['Id']}/json")[1].get("Running"))
        text.append(f"its status {service.ask('GET', v + '/exec/' + made['Id'] + '/json')[1].get('ExitCode')}")
        wrong = service.ask("POST", f"{v}/containers/{name}/exec", {"Cmd": ["nothere"], "AttachStdout": True})[1]
        text.append(f"exec of what is not there {service.ask('POST', v + '/exec/' + wrong['Id'] + '/start', {'Detach': False})[0]}")
        top = service.ask("GET", f"{v}/containers/{name}/top")[1]
        text += [f"top {bool(top.get('Processes'))}", str(service.ask("POST", f"{v}/containers/{name}/pause")[0]), str(service.ask("POST",
            f"{v}/containers/{name}/unpause")[0])]
        service.kill()
        service.start()
        look = service.ask("GET", f"{v}/containers/{name}/json")[1]["State"]
        text += [f"after its restart {look['Status']}", str(service.ask("POST", f"{v}/containers/{name}/stop?t=60")[0]), str(service.ask("POST",
            f"{v}/containers/{name}/wait")[1])]
        text.append(str(service.ask("DELETE", f"{v}/containers/{name}")[0]))
        body["Cmd"] = ["nothere"]
        service.ask("POST", f"{v}/containers/create?name={name}", body)
        status, told = service.ask("POST", f"{v}/containers/{name}/start")
        text.append(f"a wrong command {status} {'not found' in str(told)}")
        text.append(str(service.ask("DELETE", f"{v}/containers/{name}?force=true")[0]))
    finally:
        sh(*e.words("rm", "-f", "-t", "0", name))
        service.kill()
    return "\n".join(text)


# With either runtime systemd keeps the scopes of the monitors whose service was killed, until it looks for processes in
# them again.
UNIT_CASES = [
    Case("generate systemd --new", generated(True), "^start 0 active [|] 0: [|] runs .*again active [|] stop 0 (inactive|failed)", clean=True),
    Case("generate systemd", generated(False), "^start 0 active [|] 0: [|] runs .*again active [|] stop 0 (inactive|failed)", clean=True),
    Case("a quadlet", quadlet, "^start 0 active [|] 0: [|] runs .*again active [|] stop 0 (inactive|failed)", clean=True),
    Case("--cgroups=split", split, "^3: .*0::/", clean=True),
    Case("--cgroups=no-conmon", no_conmon, "podman is: True [|] 0: [|] runs", clean=True),
    Case("--sdnotify", notified, "conmon 0 ready True", clean=True),
    Case("podman --remote, the service killed", remote, "^7: .*127: .*runs on .*still"),
    Case("Docker's interface, the service killed", docker_api, "^True [|] 201 [|] 204"),
]
