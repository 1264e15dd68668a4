"""The cases of Podman's pods: `podman pod`, `podman kube play`, and what is generated from them."""

import os

from bench import ROOT, WORK, Case, Skip, sh, wait_for, write
from podman import BOX, at_top, need, version


def can_have_pods(e):
    if ROOT and e.manager == "cgroupfs" and version() < (5, 0):
        raise Skip("Podman 4 forbids all devices to the cgroup of a pod, and no runtime starts its first container")
    if e.manager == "systemd" and version() >= (5, 0) and not at_top():
        raise Skip("Podman 5 makes the slice of a pod twice where systemd is not at the top of the cgroups")


def pod_life(e):
    """All that is asked of a pod as a whole."""
    can_have_pods(e)
    name, one = e.name("pod"), e.name("one")
    text = [e.do("pod", "create", "--name", name, "--network", "none", "--hostname", "podhost"), e.do("create", "--pod", name, "--name", one, BOX, "sh", "-c",
        "hostname; exec sleep 1000")]
    def now():
        return e.do("pod", "inspect", "--format", "{{.State}} {{.NumContainers}}", name)
    for words in (["start"], ["pause"], ["unpause"], ["restart"], ["stop", "-t", "0"], ["start"], ["kill"]):
        text += [e.do("pod", *words, name)]
        wait_for(lambda: "Degraded" not in now(), 5)
        text += [now()]
    text += [e.do("pod", "ps", "--filter", "name=" + name, "--format", "{{.Name}} {{.NumberOfContainers}}"), e.do("logs", one), e.do("pod", "rm", "-f", "-t",
        "0", name), e.do("pod", "exists", name)]
    return "\n".join(text)


def pod_without(e):
    """A pod without the container that holds its namespaces, and one with that of its own choosing."""
    can_have_pods(e)
    name = e.name("bare")
    text = [e.do("pod", "create", "--name", name, "--infra=false"), e.do("run", "--rm", "--pod", name, BOX, "echo", "in the pod"), e.do("pod", "rm", "-f",
        name)]
    return "\n".join(text)


def pod_limited(e):
    need("memory")
    can_have_pods(e)
    name = e.name("small")
    text = [e.do("pod", "create", "--name", name, "--network", "none", "--memory", "64m", "--cpus", "0.5"), e.do("run", "--rm", "--pod", name, BOX, "echo",
        "in the pod")]
    return "\n".join(text + [e.do("pod", "rm", "-f", "-t", "0", name)])


# The commands by their paths: what a pod of kube play gets from an image without an environment has no PATH.
KUBE = """apiVersion: v1
kind: ConfigMap
metadata:
  name: settings-TAG
data:
  word: configured
---
apiVersion: v1
kind: Pod
metadata:
  name: kube-TAG
spec:
  hostname: kubehost
  restartPolicy: Never
  initContainers:
  - name: first
    image: localhost/box
    command: [/bin/sh, -c, "echo prepared > /shared/file"]
    volumeMounts: [{name: shared-TAG, mountPath: /shared}]
  containers:
  - name: main
    image: localhost/box
    command: [/bin/sh, -c]
    args: ["cat /shared/file; cat /host/file; echo $WORD $DIRECT; id -u; id -G; hostname; grep CapEff /proc/self/status; touch /x; touch /run/x; echo ready; exec sleep 1000"]
    workingDir: /tmp
    env:
    - {name: DIRECT, value: "a b"}
    - {name: WORD, valueFrom: {configMapKeyRef: {name: settings-TAG, key: word}}}
    securityContext:
      runAsUser: 1000
      runAsGroup: 1000
      readOnlyRootFilesystem: true
      allowPrivilegeEscalation: false
      capabilities: {drop: [ALL], add: [CHOWN]}
    volumeMounts:
    - {name: shared-TAG, mountPath: /shared}
    - {name: host, mountPath: /host, readOnly: true}
  - name: other
    image: localhost/box
    command: [/bin/sh, -c, "hostname; echo ready; exec sleep 1000"]
    securityContext: {privileged: false}
  volumes:
  - {name: shared-TAG, emptyDir: {}}
  - {name: host, hostPath: {path: FOLDER, type: Directory}}
"""


def kube(e):
    can_have_pods(e)
    folder = f"{WORK}/kube-{e.tag}"
    write(folder + "/host/file", "from the host\n")
    os.chmod(folder + "/host", 0o777)
    write(folder + "/pod.yaml", KUBE.replace("TAG", e.tag).replace("FOLDER", folder + "/host"))
    play = ["kube", "play"] if version() >= (4, 2) else ["play", "kube"]
    status, out, err = sh(*e.words(*play, "--network", "none", folder + "/pod.yaml"))
    name = "kube-" + e.tag
    wait_for(lambda: all("ready" in sh(*e.words("logs", f"{name}-{box}"))[1] for box in ("main", "other")))
    text = [f"{status}: " + "; ".join(line for line in err.splitlines() if line.startswith("Error"))]
    text += [e.do("logs", f"{name}-main"), e.do("logs", f"{name}-other"), e.do("exec", f"{name}-other", "/bin/sh", "-c", "hostname; ls /sys/class/net")]
    made = sh(*e.words("generate", "kube", name) if version() < (4, 2) else e.words("kube", "generate", name))
    text.append(f"generated {made[0]} {'kind: Pod' in made[1]}")
    status, out, err = sh(*e.words(*play, "--down", folder + "/pod.yaml"))
    text += [f"down {status}", e.do("pod", "exists", name), e.do("volume", "rm", "-f", "settings-" + e.tag).splitlines()[0]]
    # `--down` leaves it where a container of it is just being removed.
    sh(*e.words("volume", "rm", "-f", "shared-" + e.tag))
    return "\n".join(text)


POD_CASES = [
    Case("pod: start, pause, restart, stop, kill", pod_life, "Running 2.*Paused.*Exited", clean=True),
    Case("pod without a first container", pod_without, "in the pod", clean=True),
    Case("pod with limits", pod_limited, "in the pod", clean=True),
    Case("kube play", kube, "^0: .*prepared [|] from the host [|] configured a b [|] 1000 .*kubehost.*generated 0 True [|] down 0", clean=True),
]
