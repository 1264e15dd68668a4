"""containerd's CRI plugin, which Kubernetes talks to: a client of its socket, a containerd with the drop-ins of config/containerd, and pods of either runtime."""

import os
import re
import time

import grpc

from bench import PROJECT, RUNBOX, RUNC, WORK, must, sh, things, write
from criwire import METHODS, decode, encode
from ctr import Server, archive, daemon, has_controller

SOCKET = "unix:///run/containerd/containerd.sock"
BOX = "docker.io/local/box:1"
PAUSE = "docker.io/local/pause:1"
# What a pause program does: it reaps, and ends at SIGTERM.
WAIT = "trap 'exit 0' TERM INT; while :; do sleep 100000 & wait $!; done"
IMAGES = {
    BOX: '"Env": ["PATH=/bin"], "Cmd": ["sh"]',
    PAUSE: f'"Env": ["PATH=/bin"], "Cmd": ["sh", "-c", "{WAIT}"]',
    "docker.io/local/usr1:1": '"Env": ["PATH=/bin", "A=image"], "Cmd": ["sh"], "User": "user", "WorkingDir": "/tmp", "StopSignal": "SIGUSR1"',
}
NETWORK = """{"cniVersion": "0.4.0", "name": "box", "plugins": [
  {"type": "bridge", "bridge": "cri0", "isGateway": true, "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.99.0.0/16"}]], "dataDir": "WORK/cni-data"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}"""
POD, CONTAINER, NODE, TARGET = range(4)
DEFAULT, UNCONFINED, LOCALHOST = range(3)


def version():
    """1 or 2, and the number after it."""
    found = re.search(r"\b(\d+)\.(\d+)\.\d+", sh("containerd", "--version")[1])
    return int(found[1]), int(found[2])


def may_protect():
    """Whether a pod can be kept from the out-of-memory killer here, which takes a privilege."""
    return sh("sh", "-c", "echo -998 > /proc/self/oom_score_adj")[0] == 0


def stand_in(runtime, tag):
    """The plugin asks for a cpu weight for every pod. Where the host lacks that controller no runtime can give one, so it is taken out of what either is given."""
    if has_controller("cpu"):
        return runtime
    path = f"{WORK}/nocpu/{os.path.basename(runtime)}-{tag}"
    write(path, f"""#!/usr/bin/python3
import json, os, sys
if "create" in sys.argv:
    path = sys.argv[sys.argv.index("--bundle") + 1] + "/config.json"
    with open(path) as file:
        config = json.load(file)
    config["linux"].get("resources", {{}}).pop("cpu", None)
    with open(path, "w") as file:
        json.dump(config, file)
os.execv("{runtime}", ["{runtime}"] + sys.argv[1:])
""", 0o755)
    return path


def configuration(manager):
    """config.toml as an operator has it, with the drop-in as its comments say: appended for containerd 1, imported for containerd 2."""
    runbox, runc, systemd = stand_in(RUNBOX, "runbox"), stand_in(RUNC, "runc"), str(manager == "systemd").lower()
    new = version()[0] >= 2
    with open(f"{PROJECT}/config/containerd/{'runbox-v3.toml' if new else 'runbox.toml'}") as file:
        shipped = file.read().replace("/usr/local/bin/runbox", runbox).replace("SystemdCgroup = false", f"SystemdCgroup = {systemd}")
    write(WORK + "/cni/10-box.conflist", NETWORK.replace("WORK", WORK))
    runtime = "'io.containerd.cri.v1.runtime'" if new else '"io.containerd.grpc.v1.cri"'
    text = f'version = {3 if new else 2}\nroot = "{WORK}/containerd-cri"\nstate = "/run/containerd"\n'
    text += 'disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", ' \
        '"io.containerd.snapshotter.v1.aufs", "io.containerd.nri.v1.nri"]\n'
    text += f'imports = ["{WORK}/runbox-v3.toml"]\n' if new else ""
    text += '[timeouts]\n"io.containerd.timeout.shim.load" = "60s"\n'
    if new:
        text += f"[plugins.'io.containerd.cri.v1.images'.pinned_images]\nsandbox = '{PAUSE}'\n[plugins.{runtime}]\n"
    else:
        text += f'[plugins.{runtime}]\nsandbox_image = "{PAUSE}"\n'
    text += "" if may_protect() else "restrict_oom_score_adj = true\n"
    text += f'[plugins.{runtime}.cni]\nbin_dir{"s" if new else ""} = {"[" if new else ""}"/usr/lib/cni"{"]" if new else ""}\nconf_dir = "{WORK}/cni"\n'
    text += f'[plugins.{runtime}.containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n' \
        f'[plugins.{runtime}.containerd.runtimes.runc.options]\nBinaryName = "{runc}"\nSystemdCgroup = {systemd}\n'
    if new:
        write(WORK + "/runbox-v3.toml", shipped)
    return text if new else text + shipped


def settle(manager):
    write(WORK + "/cri.toml", configuration(manager))
    Server.process = daemon(WORK + "/cri.toml", "cri.log")
    must("ctr", "-n", "k8s.io", "image", "import", archive(IMAGES))
    for engine in pair(manager):
        for _ in range(100):
            if "error" not in engine.status():
                break
            time.sleep(0.2)

    Server.before = things()

    def end():
        engine = pair(manager)[0]
        for pod in engine.call("ListPodSandbox")["items"]:
            engine.call("StopPodSandbox", pod_sandbox_id=pod["id"])
            engine.call("RemovePodSandbox", pod_sandbox_id=pod["id"])
        Server.process.terminate()
        Server.process.wait()
    return end


class Failure(Exception):
    """What the plugin answered instead."""


class Cri:
    def __init__(self, manager, runtime, tag):
        self.manager, self.runtime, self.tag, self.handler = manager, runtime, tag, "runbox" if tag == "runbox" else "runc"
        self.pods, self.boxes, self.over = {}, {}, set()
        self.channel = None

    def name(self, word):
        return f"{word}-{self.tag}"

    def ask(self, method, stream=False, within=300, **values):
        there, back = METHODS[method]
        if self.channel is None:
            # Without the option the path of the socket would be the authority, which Go's servers refuse.
            self.channel = grpc.insecure_channel(SOCKET, options=[("grpc.default_authority", "localhost")])
        service = "ImageService" if "Image" in method else "RuntimeService"
        kind = self.channel.unary_stream if stream else self.channel.unary_unary
        asked = kind(f"/runtime.v1.{service}/{method}", request_serializer=lambda values: encode(there, values),
                     response_deserializer=lambda data: decode(back, data))
        return asked(values, timeout=within)

    def call(self, method, within=300, **values):
        try:
            return self.ask(method, within=within, **values)
        except grpc.RpcError as error:
            raise Failure(f"{error.code().name}: {self.told(error.details())}") from None

    def told(self, words):
        """Of an error what users look for: the class, and nothing that differs by runtime only in its phrases."""
        found = re.search(r"executable file not found in \$PATH|permission denied|no such file or directory|not a directory|is a directory|"
                          r"container is in [A-Z_]+ state|not found|context deadline exceeded|timeout .*exceeded", words)
        return found[0] if found else re.sub(r"containerd-mount\d+", "MOUNT", words)

    def status(self):
        try:
            return " ".join(f"{c['type']}={bool(c['status'])}" for c in self.call("Status")["status"]["conditions"])
        except Failure as failure:
            return f"error {failure}"

    # --- pods ---

    def pod_config(self, name, **more):
        linux = {"security_context": {"namespace_options": {"network": NODE}}}
        parent = f"kubepods-{self.name(name).replace('-', '_')}.slice" if self.manager == "systemd" else f"/kubepods/{self.name(name)}"
        linux["cgroup_parent"] = parent
        security = {**linux["security_context"], **more.pop("security", {})}
        linux = {**linux, **more.pop("linux", {}), "security_context": security}
        return {"metadata": {"name": self.name(name), "uid": self.name("uid-" + name), "namespace": "default", "attempt": more.pop("attempt", 0)},
                "log_directory": f"{WORK}/logs/{self.name(name)}", "linux": linux, **more}

    def pod(self, name, **more):
        """A pod that runs; the host's network unless it is told otherwise."""
        config = self.pod_config(name, **more)
        os.makedirs(config["log_directory"], exist_ok=True)
        # The cgroups of pods are the kubelet's; with systemd its slices come and go by themselves.
        if self.manager == "cgroupfs":
            os.makedirs("/sys/fs/cgroup" + config["linux"]["cgroup_parent"], exist_ok=True)
        try:
            found = self.call("RunPodSandbox", config=config, runtime_handler=self.handler)["pod_sandbox_id"]
        except Failure:
            self.forget(config)
            raise
        self.pods[name] = (found, config)
        return found

    def pod_status(self, name):
        return self.call("PodSandboxStatus", pod_sandbox_id=self.pods[name][0], verbose=1)

    def end_pod(self, name):
        found, config = self.pods.pop(name)
        self.call("StopPodSandbox", pod_sandbox_id=found)
        self.call("RemovePodSandbox", pod_sandbox_id=found)
        self.forget(config)

    def forget(self, config):
        """As the kubelet does, which fails where the runtime has taken the pod's cgroup away, or has left something in it."""
        if self.manager == "systemd":
            sh("systemctl", "stop", config["linux"]["cgroup_parent"])
        folder, end = "/sys/fs/cgroup" + config["linux"]["cgroup_parent"], time.monotonic() + 20
        while self.manager == "cgroupfs":
            try:
                return os.rmdir(folder)
            except OSError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    # --- containers ---

    def create(self, pod, name, *command, security=None, resources=None, attempt=0, **more):
        found, config = self.pods[pod]
        # As the kubelet writes it: every namespace named, and its own lists of paths.
        options = {"network": NODE, **config["linux"]["security_context"].get("namespace_options", {})}
        context = {"namespace_options": {**options, "pid": options.get("pid", CONTAINER)}, "masked_paths": MASKED, "readonly_paths": READONLY}
        context.update(security or {})
        linux = {"security_context": context, **({"resources": resources} if resources else {})}
        asked = {"metadata": {"name": self.name(name), "attempt": attempt}, "image": {"image": BOX}, "command": list(command),
                 "log_path": f"{name}-{attempt}.log", "linux": linux, **more}
        if os.path.exists(self.log_path(pod, name, attempt)):
            os.unlink(self.log_path(pod, name, attempt))
        made = self.call("CreateContainer", pod_sandbox_id=found, config=asked, sandbox_config=config)["container_id"]
        self.boxes[name] = made
        self.over.discard(name)
        return made

    def start(self, pod, name, *command, **more):
        made = self.create(pod, name, *command, **more)
        self.call("StartContainer", container_id=made)
        return made

    def state(self, name):
        return self.call("ContainerStatus", container_id=self.boxes[name], verbose=1)["status"]

    def ended(self, name, timeout=60):
        """Its status when it has ended."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            status = self.state(name)
            if status["state"] >= 2:
                self.over.add(name)
                return status
            time.sleep(0.05)
        return status

    def log(self, pod, name, attempt=0):
        """Without the times; which of the two streams is read first is chance, so one stands after the other. containerd writes it a little later than it
        tells of the end, and closes it then."""
        end = time.monotonic() + 20
        while name in self.over and self.open_log(pod, name, attempt) and time.monotonic() < end:
            time.sleep(0.02)
        with open(self.log_path(pod, name, attempt)) as file:
            lines = re.sub(r"(?m)^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d) ", "", file.read()).splitlines()
        return "\n".join(sorted(lines, key=lambda line: line.startswith("stderr")))

    def open_log(self, pod, name, attempt):
        folder = f"/proc/{Server.process.pid}/fd"
        for number in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{number}") == self.log_path(pod, name, attempt):
                    return True
            except OSError:
                pass  # closed since
        return False

    def log_path(self, pod, name, attempt):
        return f"{self.pods[pod][1]['log_directory']}/{name}-{attempt}.log"

    def remove(self, name):
        self.call("RemoveContainer", container_id=self.boxes.pop(name))

    def whole(self, pod, name, *command, **more):
        """A container from start to end: status, reason and log."""
        try:
            self.start(pod, name, *command, **more)
        except Failure as failure:
            return self.failed(name, failure)
        status = self.ended(name)
        told = f"{status['exit_code']} {status['reason']}\n{self.log(pod, name)}"
        self.remove(name)
        return told

    def failed(self, name, failure):
        if name not in self.boxes:
            return str(failure)
        status = self.state(name)
        self.remove(name)
        return f"{failure}\n{status['state']} {status['exit_code']} {status['reason']}"

    def exec(self, name, *command, timeout=0):
        try:
            back = self.call("ExecSync", container_id=self.boxes[name], cmd=list(command), timeout=timeout)
        except Failure as failure:
            return f"error {failure}"
        lines = [f"{back['exit_code']}:"] + back["stdout"].decode().splitlines() + ["stderr " + line for line in back["stderr"].decode().splitlines()]
        return "\n".join(lines)


MASKED = ["/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
          "/proc/scsi", "/sys/firmware"]
READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def pair(manager):
    return [Cri(manager, RUNBOX, "runbox"), Cri(manager, RUNC, "runc")]
