"""The cases of whole pods: their life, what their containers share, exec, attach, logs and sudden ends. They are asked as the kubelet asks."""

import json
import os
import re
import threading
import time

from bench import EMULATED, WORK, Case, Skip, left_behind, sh, write
from cri import CONTAINER, NODE, POD, TARGET, Failure, version
from ctr import Server, killed_daemon, together

STATES = ["created", "running", "exited", "unknown"]
PORTS = threading.Lock()


def of(e, action):
    """The text of it, or what the plugin said instead."""
    try:
        return action(e)
    except Failure as failure:
        return f"error {failure}"


# --- a pod -----------------------------------------------------------------------------------------------------------


def made(e):
    """The one that most containers are put into."""
    e.pod("p", hostname="", labels={"app": "box"}, annotations={"note": "kept"})
    status = e.pod_status("p")["status"]
    return f"{status['state']} {status['runtime_handler'] == e.handler} {status['labels']} {status['annotations']}"


def networked(e):
    e.pod("n", hostname="inner", security={"namespace_options": {"network": POD}},
          dns_config={"servers": ["10.99.0.1"], "searches": ["example.test"], "options": ["ndots:5"]})
    address = e.pod_status("n")["status"]["network"]["ip"]
    told = e.whole("n", "net", "sh", "-c", "hostname; cat /etc/hostname /etc/resolv.conf; ls /sys/class/net; wc -l < /etc/hosts")
    return f"address {address.startswith('10.99.')}\n{told}"


def two(e):
    e.start("n", "one", "sh", "-c", "echo served | busybox nc -l -p 8080; sleep 1000")
    time.sleep(0.3)
    told = e.whole("n", "two", "sh", "-c", "busybox nc 127.0.0.1 8080")
    stop(e, "one")
    return told


def namespaces(e, pod, **security):
    """Which namespaces two containers of the pod share, and which are the host's."""
    look = "cd /proc/self/ns; for n in net ipc uts pid mnt cgroup user; do readlink $n; done"
    e.start(pod, "left", "sleep", "1000", security=security)
    try:
        left = e.exec("left", "sh", "-c", look).splitlines()[1:]
        right = e.whole(pod, "right", "sh", "-c", look, security=security).splitlines()[1:]
    finally:
        stop(e, "left")
    right = [line.removeprefix("stdout F ") for line in right]
    host = [os.readlink("/proc/self/ns/" + kind) for kind in ("net", "ipc", "uts", "pid", "mnt", "cgroup", "user")]
    return " ".join(f"{a.split(':')[0]}={'host' if a == c else 'shared' if a == b else 'own'}" for a, b, c in zip(left, right, host))


def stop(e, name, timeout=0):
    e.call("StopContainer", container_id=e.boxes[name], timeout=timeout)
    status = e.state(name)
    e.remove(name)
    return f"{STATES[status['state']]} {status['exit_code']} {status['reason']}"


def own_pod(pod, options, action, **more):
    """In a pod of the case's own."""
    def run(e):
        e.pod(pod, security={"namespace_options": options, **more.get("security", {})}, **{k: v for k, v in more.items() if k != "security"})
        try:
            return action(e)
        finally:
            e.end_pod(pod)
    return run


def shared_processes(e):
    """shareProcessNamespace: the pause program is the first process for every container, and reaps."""
    options = {"network": NODE, "pid": POD}
    e.start("sp", "one", "sh", "-c", "sh -c 'sleep 0.2 & exec true'; sleep 4321", security={"namespace_options": options})
    told = e.whole("sp", "two", "sh", "-c", "cat /proc/1/comm; ps | grep -c '[s]leep 4321'; test $$ != 1 && echo not first",
        security={"namespace_options": options})
    return told + "\n" + stop(e, "one")


def targeted(e):
    """kubectl debug --target: an ephemeral container in the namespace of another one's processes."""
    first = e.start("p", "target", "sleep", "1234")
    told = of(e, lambda e: e.whole("p", "debug", "sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo; ls /proc/1/root/ | wc -l",
                                   security={"namespace_options": {"network": NODE, "pid": TARGET, "target_id": first}}))
    return told + "\n" + stop(e, "target")


def with_port(e):
    port = 18080 if e.tag == "runbox" else 18081
    try:
        # The plugin for ports makes its chain when there is none, and fails when another run of it does so meanwhile.
        with PORTS:
            e.pod("mapped", security={"namespace_options": {"network": POD}}, port_mappings=[{"container_port": 8080, "host_port": port}])
    except Failure as failure:
        raise Skip(f"no published ports here: {failure}")
    try:
        e.start("mapped", "server", "sh", "-c", "echo served | busybox nc -l -p 8080; sleep 1000")
        time.sleep(0.3)
        return sh("busybox", "nc", "-w", "3", "10.99.0.1", str(port))[1] + sh("busybox", "nc", "-w", "3", "127.0.0.1", str(port))[1] or "nothing"
    finally:
        e.end_pod("mapped")


# --- a container's life ----------------------------------------------------------------------------------------------


def life(e):
    """Through its states, with the times that belong to them."""
    e.create("p", "life", "sh", "-c", "echo here; sleep 0.3; exit 3")
    states = [e.state("life")]
    e.call("StartContainer", container_id=e.boxes["life"])
    states.append(e.state("life"))
    states.append(e.ended("life"))
    again = of(e, lambda e: e.call("StartContainer", container_id=e.boxes["life"]))
    late = e.exec("life", "true")
    told = [f"{STATES[s['state']]} {s['exit_code']} {s['reason']} {s['started_at'] > 0} {s['finished_at'] > 0}" for s in states]
    e.remove("life")
    return "\n".join(told + [again, late])


def restarted(e):
    """The kubelet makes a container anew, with the next number."""
    told = []
    for attempt in range(3):
        e.start("p", "again", "sh", "-c", f"echo attempt; exit {attempt}", attempt=attempt)
        status = e.ended("again")
        told.append(f"{status['metadata']['attempt']} {status['exit_code']} {status['reason']} {e.log('p', 'again', attempt)}")
        e.remove("again")
    return "\n".join(told)


def deaf(e):
    e.start("p", "deaf", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
    time.sleep(0.2)
    return stop(e, "deaf", timeout=1)


def signalled(e):
    e.start("p", "b", "sleep", "1000")
    os.kill(first_process(e, "b"), 9)
    status = e.ended("b")
    e.remove("b")
    return f"{status['exit_code']} {status['reason']}"


def first_process(e, name):
    return json.loads(e.call("ContainerStatus", container_id=e.boxes[name], verbose=1)["info"]["info"])["pid"]


def polite(e):
    e.start("p", "polite", "sh", "-c", "trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.1; done")
    appears(e, "polite", "ready")
    e.call("StopContainer", container_id=e.boxes["polite"], timeout=20)
    told = e.log("p", "polite")
    return told + "\n" + stop(e, "polite")


def appears(e, name, word, pod="p"):
    end = time.monotonic() + 30
    while time.monotonic() < end and word not in e.log(pod, name):
        time.sleep(0.05)


def images_signal(e):
    e.start("p", "usr1", "sh", "-c", "trap 'echo usr1; exit 6' USR1; trap 'exit 7' TERM; id -u; pwd; echo $A; echo ready; while :; do sleep 0.1; done",
            image={"image": "docker.io/local/usr1:1"})
    appears(e, "usr1", "ready")
    e.call("StopContainer", container_id=e.boxes["usr1"], timeout=20)
    return e.log("p", "usr1") + "\n" + stop(e, "usr1")


def removed_running(e):
    e.start("p", "running", "sleep", "1000")
    e.remove("running")
    return f"{len(e.call('ListContainers', filter={'pod_sandbox_id': e.pods['p'][0]})['containers'])} left"


def ended_pod(e):
    """A pod that is ended with what runs in it."""
    e.pod("ends")
    e.start("ends", "inside", "sleep", "1000")
    found = e.pods["ends"][0]
    e.call("StopPodSandbox", pod_sandbox_id=found)
    told = f"{e.pod_status('ends')['status']['state']} {STATES[e.state('inside')['state']]} {e.state('inside')['exit_code']}"
    new = of(e, lambda e: e.create("ends", "late", "true"))
    e.end_pod("ends")
    gone = of(e, lambda e: e.call("PodSandboxStatus", pod_sandbox_id=found)["status"]["id"])
    return "\n".join([told, re.sub(r"[0-9a-f]{64}", "ID", str(new)), gone])


def logged(e):
    """A line of both streams, one longer than a part may be, one without its end, and a file that was taken away."""
    e.start("p", "log", "sh", "-c", "echo first; head -c 20000 /dev/zero | tr '\\0' x; echo; printf part; sleep 0.2; cat; exit 0", stdin=1)
    appears(e, "log", "part" if version() >= (2, 0) else "first")
    time.sleep(0.3)
    path = f"{e.pods['p'][1]['log_directory']}/log-0.log"
    before = e.log("p", "log")
    os.rename(path, path + ".1")
    e.call("ReopenContainerLog", container_id=e.boxes["log"])
    there = os.path.exists(path)
    stop(e, "log")
    return f"{re.sub('x+', lambda found: str(len(found[0])), before)}\n{there}"


def terminal(e):
    return e.whole("p", "tty", "sh", "-c", "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all; exit 2", tty=1, stdin=1)


# --- what the plugin knows of the runtime -----------------------------------------------------------------------------


def runtime_config(e):
    if version() < (2, 0):
        raise Skip("containerd 1 does not tell the driver of cgroups")
    return ["systemd", "cgroupfs"][e.call("RuntimeConfig")["linux"].get("cgroup_driver", 0)]


def handlers(e):
    """containerd 2 asks each runtime for its features."""
    found = [handler for handler in e.call("Status", verbose=1)["runtime_handlers"] if handler["name"] == e.handler]
    if version() < (2, 0):
        raise Skip("containerd 1 tells nothing of the handlers' features")
    features = found[0]["features"]
    return f"recursive read-only {features['recursive_read_only_mounts']}, user namespaces {features['user_namespaces']}"


def beside(e):
    """The drop-in takes nothing away of what config.toml has."""
    dump = sh("containerd", "-c", WORK + "/cri.toml", "config", "dump")[1]
    return " ".join(sorted(set(re.findall(r"containerd\.runtimes\.(\w+)\]", dump)))) + (" sandbox" if "local/pause:1" in dump else "")


# --- sudden ends -----------------------------------------------------------------------------------------------------


AWAY = WORK + "/away"


def containerd_killed(e):
    """It is killed under what runs; a container ends while it is away; then it takes over."""
    os.makedirs(AWAY, exist_ok=True)
    e.start("p", "stays", "sh", "-c", "echo before; sleep 100000")
    e.start("p", "ends", "sh", "-c", "until test -e /v/go; do sleep 0.1; done; exit 9", mounts=[{"container_path": "/v", "host_path": AWAY}])
    together(lambda: killed_daemon(lambda: (write(AWAY + "/go", ""), time.sleep(1))))
    e.channel = None
    end = time.monotonic() + 60
    while "error" in e.status() and time.monotonic() < end:
        time.sleep(0.3)
    status = e.ended("ends")
    lines = [f"pod {e.pod_status('p')['status']['state']}", STATES[e.state("stays")["state"]], e.exec("stays", "sh", "-c", "echo here; exit 3"),
             f"{status['exit_code']} {status['reason']}", e.whole("p", "new", "sh", "-c", "echo new")]
    e.remove("ends")
    return "\n".join(lines + [stop(e, "stays")])


def shim(e, identity):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                words = file.read().split("\0")
        except OSError:
            continue
        if "containerd-shim" in words[0] and identity in words:
            return int(pid)


def shim_killed(e):
    e.pod("shim")
    e.start("shim", "inside", "sleep", "1000")
    os.kill(shim(e, e.pods["shim"][0]), 9)
    end = time.monotonic() + 30
    while (e.state("inside")["state"] == 1 or e.pod_status("shim")["status"]["state"] == 0) and time.monotonic() < end:
        time.sleep(0.1)
    status = e.state("inside")
    text = f"pod {e.pod_status('shim')['status']['state']} {STATES[status['state']]} {status['exit_code']} {status['reason']}"
    # containerd 2.1 forgets what ran under that shim, with either runtime; it goes by hand then.
    time.sleep(1)
    root = "/run/containerd/runc/k8s.io"
    forgotten = [name for name in (e.boxes["inside"], e.pods["shim"][0]) if os.path.exists(f"{root}/{name}")]
    for name in forgotten:
        sh(e.runtime, "--root", root, "delete", "--force", name)
    e.end_pod("shim")
    return f"{text}\n{len(forgotten)} forgotten"


def many(e):
    """Each with a pod of its own, all at once."""
    failures = []

    def one(number):
        try:
            e.pod(f"m{number}")
            e.start(f"m{number}", f"b{number}", "sh", "-c", f"exit {number}")
            code = e.ended(f"b{number}")["exit_code"]
            code == number or failures.append(f"{number}: {code}")
            e.end_pod(f"m{number}")
        except Exception as failure:
            failures.append(f"{number}: {failure}")
    threads = [threading.Thread(target=one, args=(number,)) for number in range(MANY)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return "\n".join(["all"] + failures)


# An emulated machine would not have as many in the time that the CRI plugin gives each step.
MANY = 8 if EMULATED else 25


def last(e):
    for pod in ("n", "p"):
        e.end_pod(pod)
    left = []
    together(lambda: left.extend(left_behind(Server.before)))
    return f"{len([pod for pod in e.call('ListPodSandbox')['items'] if pod['metadata']['name'].endswith('-' + e.tag)])} pods\n" + "\n".join(left)


HOST = {"network": NODE, "pid": NODE, "ipc": NODE}
FIRST = [
    Case("the drop-in beside what was there", beside, "^runbox runc sandbox$"),
    Case("features of the handler", handlers, "^recursive read-only 1, user namespaces 1$"),
    Case("driver of cgroups", runtime_config, "^(systemd|cgroupfs)$"),
    Case("a pod", made, "^0 True "),
    Case("a pod with a network, host name and resolver", networked, "address True.*inner.*example.test.*eth0"),
    Case("states, a second start, exec after the end", life, "^created 0 .*running 0 .*exited 3 Error True True.*error"),
    Case("exit status and both streams", lambda e: e.whole("p", "b", "sh", "-c", "echo out; echo err >&2; exit 7"),
         "^7 Error [|] stdout F out [|] stderr F err$"),
    Case("killed from outside", signalled, "^137 Error"),
    Case("a command that is not there", lambda e: e.whole("p", "b", "nothere"), r"executable file not found in \$PATH [|] 2 128 StartError"),
    Case("a path that is not there", lambda e: e.whole("p", "b", "/bin/nothere"), "no such file or directory [|] 2 128 StartError"),
    Case("no program", lambda e: e.whole("p", "b", "/bin/plainfile"), "permission denied [|] 2 128 StartError"),
    Case("a working directory that is a file", lambda e: e.whole("p", "b", "true", working_dir="/etc/passwd"), "not a directory [|] 2 128 StartError"),
    Case("attempts, as the kubelet counts restarts", restarted, "^0 0 Completed.*1 1 Error.*2 2 Error"),
]
SHARED = [
    Case("two containers talk over the pod's network", two, "^0 Completed [|] stdout F served$"),
    Case("namespaces of a pod", own_pod("ns", {"network": POD}, lambda e: namespaces(e, "ns", namespace_options={"network": POD, "pid": CONTAINER})),
         "^net=shared ipc=shared uts=shared pid=own mnt=own "),
    Case("shareProcessNamespace", own_pod("sp", {"network": NODE, "pid": POD}, shared_processes),
         "^0 Completed [|] stdout F sh [|] stdout F 1 [|] stdout F not first"),
    Case("the processes of a target", targeted, "sleep 1234 "),
    Case("hostNetwork, hostPID, hostIPC", own_pod("host", HOST, lambda e: namespaces(e, "host", namespace_options=HOST)),
         "^net=host ipc=host uts=host pid=host mnt=own"),
    Case("a published port", with_port, "served"),
    Case("a pod that ends with what runs in it", ended_pod, "^1 exited 137 .*not found$", clean=True),
]
ENDS = [
    Case("containerd killed and started again", containerd_killed,
         "^pod 0 [|] running [|] 3: [|] here [|] (9 Error|255 Unknown) [|] 0 Completed .*new [|] exited 137"),
    Case("the shim killed", shim_killed, "^pod 1 exited", clean=True),
    Case(f"{MANY} pods at once", many, "^all$", clean=True),
    Case("the pods end", last, "^0 pods$"),
]
