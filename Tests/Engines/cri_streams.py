"""The cases of what goes in and out of a pod's containers: exec, attach, port-forward, logs, statistics, events; and how they are stopped."""

import json
import re
import threading
import time

import grpc

from bench import WORK, Case, Skip
from cri import Failure, version
from cri_pods import STATES, appears, deaf, images_signal, logged, of, polite, removed_running, stop, terminal
from ctr import has_controller
from websocket import ERROR, RESIZE, STDERR, STDIN, STDOUT, WebSocket


def server(e):
    e.start("p", "long", "sh", "-c", "echo started; sleep 100000 & while :; do wait $!; done",
        security={"run_as_user": {"value": 1000}, "supplemental_groups": [7, 8]})
    return STATES[e.state("long")["state"]]


def slow(e):
    told = e.exec("long", "sleep", "7777", timeout=1)
    # What it started goes with it.
    end = time.monotonic() + 10
    while "sleep 7777" in (left := e.exec("long", "ps")) and time.monotonic() < end:
        time.sleep(0.1)
    return f"{told}\n{'still there' if 'sleep 7777' in left else 'gone'}"


def stream(e, method, protocol="v4.channel.k8s.io", **values):
    return WebSocket(e.call(method, **values)["url"], protocol)


def told(found):
    """By channel; of the last what a client makes the exit status of."""
    text = [f"{name} {found[number].strip()}" for number, name in ((STDOUT, "out"), (STDERR, "err")) if number in found]
    if ERROR in found:
        status = json.loads(found[ERROR])
        text.append(f"{status['status']} {status.get('reason', '')} {status.get('details', {}).get('causes', '')}")
    return "\n".join(text)


def streamed(e):
    socket = stream(e, "Exec", container_id=e.boxes["long"], cmd=["sh", "-c", "id -u; head -1; echo err >&2; exit 3"], stdin=1, stdout=1, stderr=1)
    socket.send(STDIN, b"through\n")
    return told(socket.gather())


def streamed_terminal(e):
    socket = stream(e, "Exec", container_id=e.boxes["long"], cmd=["sh", "-c", "tty; read x; stty size; exit 4"], tty=1, stdin=1, stdout=1)
    first = socket.gather(until=b"/dev/pts")
    socket.send(RESIZE, b'{"Width": 101, "Height": 31}')
    time.sleep(1)
    socket.send(STDIN, b"x\n")
    found = socket.gather()
    found[STDOUT] = first.get(STDOUT, "") + found.get(STDOUT, "")
    return told(found)


def streamed_absent(e):
    socket = stream(e, "Exec", container_id=e.boxes["long"], cmd=["nothere"], stdout=1, stderr=1)
    found = socket.gather()
    text = "".join(found.values())
    return e.told(text)


def attached(e):
    e.start("p", "att", "sh", "-c", "echo ready; read x; echo got $x; exit 4", stdin=1, stdin_once=1)
    appears(e, "att", "ready")
    socket = stream(e, "Attach", container_id=e.boxes["att"], stdin=1, stdout=1, stderr=1)
    time.sleep(0.2)
    socket.send(STDIN, b"this\n")
    found = told({number: text for number, text in socket.gather(timeout=20).items() if number != ERROR})
    status = e.ended("att")
    text = f"{found}\n{status['exit_code']} {e.log('p', 'att')}"
    e.remove("att")
    return text


def attached_terminal(e):
    e.start("p", "attt", "sh", "-c", "echo ready; read x; stty size; exit 4", stdin=1, tty=1)
    appears(e, "attt", "ready")
    socket = stream(e, "Attach", container_id=e.boxes["attt"], stdin=1, stdout=1, tty=1)
    socket.send(RESIZE, b'{"Width": 102, "Height": 32}')
    time.sleep(0.3)
    socket.send(STDIN, b"x\n")
    e.ended("attt")
    socket.close()
    text = e.log("p", "attt")
    e.remove("attt")
    return text


def forwarded(e):
    e.start("n", "port", "sh", "-c", "echo served | busybox nc -l -p 8081; sleep 1000")
    time.sleep(0.3)
    socket = stream(e, "PortForward", pod_sandbox_id=e.pods["n"][0], port=[8081])
    found = socket.gather(until=b"served", timeout=10)
    socket.close()
    stop(e, "port")
    # The first two bytes of a channel are the number of the port; data come by channel 0.
    return re.sub(r"[^a-z\n]", "", found.get(0, "")) or str(found)


def statistics(e):
    if not has_controller("cpu") or not has_controller("memory"):
        raise Skip("the host gives no controllers to count by")
    found = e.call("ContainerStats", container_id=e.boxes["long"])["stats"]
    return f"{found['attributes']['metadata']['name']} cpu={found['cpu'].get('usage_core_nano_seconds', {}).get('value', 0) > 0} " \
        f"memory={found['memory'].get('working_set_bytes', {}).get('value', 0) > 0}"


def pod_statistics(e):
    if version() < (1, 7):
        raise Skip("containerd 1.6 has no statistics of pods")
    try:
        found = e.call("PodSandboxStats", pod_sandbox_id=e.pods["p"][0])["stats"]["linux"]
    except Failure as failure:
        if "invalid group path" not in str(failure):
            raise
        raise Skip("containerd cannot read the cgroup of a slice")
    return f"containers={len(found['containers'])} processes={found['process'].get('process_count', {}).get('value', 0)}"


def events(e):
    if version() < (1, 7):
        raise Skip("containerd 1.6 has no events of containers")
    seen, call = [], e.ask("GetContainerEvents", stream=True, within=120)

    def listen():
        try:
            seen.extend((event["container_id"], event["container_event_type"]) for event in call)
        except grpc.RpcError:
            pass  # it was ended
    thread = threading.Thread(target=listen)
    thread.start()
    time.sleep(0.3)
    made = e.start("p", "events", "sh", "-c", "exit 3")
    e.ended("events")
    e.remove("events")
    end = time.monotonic() + 3
    while len(seen) < 4 and time.monotonic() < end:
        time.sleep(0.1)
    call.cancel()
    thread.join()
    # The last two come in either order, and containerd 1.7 leaves one of them out now and then.
    return " ".join(["created", "started", "stopped", "deleted"][kind] for found, kind in seen if found == made and kind < 2) + f" {len(seen) > 2}"


def checkpoint(e):
    return of(e, lambda e: str(e.call("CheckpointContainer", container_id=e.boxes["long"], location=f"{WORK}/checkpoint-{e.tag}.tar")))


STREAMS = [
    Case("a container that stays", server, "^running$"),
    Case("exec: status and both streams", lambda e: e.exec("long", "sh", "-c", "id; echo err >&2; exit 5"), "^5: [|] .*7,8.* [|] stderr err$"),
    Case("exec: what is not there", lambda e: e.exec("long", "nothere"), r"executable file not found in \$PATH"),
    Case("exec: no program", lambda e: e.exec("long", "/bin/plainfile"), "permission denied"),
    Case("exec: too late", slow, "error .*exceeded.*gone$"),
    Case("exec as a stream, with input", streamed, "^out 1000 [|] through [|] err err [|] Failure NonZeroExitCode .*'3'"),
    Case("exec as a stream, on a terminal", streamed_terminal, "/dev/pts/0.*31 101.*'4'"),
    Case("exec as a stream, of what is not there", streamed_absent, r"executable file not found in \$PATH"),
    Case("attach", attached, "^out got this [|] 4 "),
    Case("attach to a terminal", attached_terminal, "32 102"),
    Case("port-forward", forwarded, "^served$"),
    Case("a terminal", terminal, "^2 Error [|] .*/dev/pts/0.*all"),
    Case("logs, long lines, a log taken away", logged, "first.*True$"),
    Case("statistics", statistics, "^long cpu=True memory=True"),
    Case("statistics of the pod", pod_statistics, "containers=1"),
    Case("events", events, "^created started True$"),
    Case("checkpoint is refused", checkpoint, "^error "),
    Case("stop", polite, "ready [|] stdout F bye [|] exited 5 Error"),
    Case("stop of one that does not listen", deaf, "^exited 137 Error$"),
    Case("the image's user, directory, environment and signal", images_signal, "1000 [|] stdout F /tmp [|] stdout F image .*usr1 [|] exited 6 Error"),
    Case("removed while it runs", removed_running, "^1 left$"),
]
