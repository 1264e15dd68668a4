#!/usr/bin/env python3
"""check-drop-ins.py: what config/ gives to engines has the form that they read, names the installed executable, and says how to see that it works."""

import json
import os
import re
import sys
import tomllib

PROJECT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
EXECUTABLE = "/usr/local/bin/runbox"
SHIM = {"runtime_type": "io.containerd.runc.v2", "options": {"BinaryName": EXECUTABLE, "SystemdCgroup": False}}


def read(name):
    with open(f"{PROJECT}/config/{name}") as file:
        return file.read()


def toml(name, before=""):
    return tomllib.loads(before + read(name).replace('{{ template "base" . }}', "").replace("{{ .SystemdCgroup }}", "false"))


def expect(name, found, wanted):
    if found != wanted:
        sys.exit(f"config/{name}: {found} where {wanted} is meant")


def yaml(text):
    """As much of YAML as these files use: maps by indentation, lists of `- `, plain or quoted values, flow lists of strings. What else there is is an error."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    value, rest = block(lines, 0)
    if rest:
        raise ValueError(f"not read: {rest[0]}")
    return value


def indent(line):
    return len(line) - len(line.lstrip(" "))


def block(lines, depth):
    if not lines or indent(lines[0]) < depth:
        raise ValueError("a key without value")
    return items(lines, indent(lines[0])) if lines[0].lstrip().startswith("- ") else pairs(lines, indent(lines[0]))


def items(lines, depth):
    found = []
    while lines and indent(lines[0]) == depth and lines[0].lstrip().startswith("- "):
        lines = [" " * (depth + 2) + lines[0].lstrip()[2:]] + lines[1:]
        value, lines = pairs(lines, depth + 2)
        found.append(value)
    return found, lines


def pairs(lines, depth):
    found = {}
    while lines and indent(lines[0]) == depth and not lines[0].lstrip().startswith("- "):
        matched = re.fullmatch(r" *([A-Za-z.]+):(?: (.+))?", lines[0])
        if not matched or matched[1] in found or "\t" in lines[0]:
            raise ValueError(f"no pair, or one that was there before: {lines[0]}")
        lines = lines[1:]
        if matched[2]:
            found[matched[1]] = plain(matched[2])
        else:
            found[matched[1]], lines = block(lines, depth + 1)
    return found, lines


def plain(text):
    if text[0] in "[\"":
        return json.loads(text)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9./:-]*", text):
        raise ValueError(f"needs quotes: {text}")
    return {"true": True, "false": False}.get(text, int(text) if text.isdigit() else text)


def containerd():
    old, new = "io.containerd.grpc.v1.cri", "io.containerd.cri.v1.runtime"
    # Debian's own config.toml, and one that configures runc: the appended lines name no table a second time.
    beside = f'version = 2\n[plugins]\n  [plugins."{old}"]\n    [plugins."{old}".cni]\n      bin_dir = "/usr/lib/cni"\n' \
        f'[plugins."{old}".containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n'
    for name, before, plugin in (("containerd/runbox.toml", beside, old), ("containerd/runbox-v3.toml", "", new),
                                 ("k3s/config.toml.tmpl", beside, old), ("k3s/config-v3.toml.tmpl", "version = 3\n", new)):
        found = toml(name, before)
        expect(name, found["plugins"][plugin]["containerd"]["runtimes"]["runbox"], SHIM)
        expect(name, found["version"], 3 if plugin == new else 2)


def kubernetes():
    name = "kubernetes/runbox.yaml"
    kind, pod = [yaml(part) for part in read(name).split("\n---\n")]
    expect(name, (kind["apiVersion"], kind["kind"], kind["handler"]), ("node.k8s.io/v1", "RuntimeClass", "runbox"))
    expect(name, (pod["apiVersion"], pod["kind"], pod["spec"]["runtimeClassName"]), ("v1", "Pod", kind["metadata"]["name"]))
    expect(name, [sorted(box) for box in pod["spec"]["containers"]], [["command", "image", "name", "resources", "securityContext"]])


def main():
    containerd()
    kubernetes()
    expect("crio/10-runbox.conf", toml("crio/10-runbox.conf"),
           {"crio": {"runtime": {"runtimes": {"runbox": {"runtime_path": EXECUTABLE, "runtime_type": "oci", "runtime_root": "/run/runbox"}}}}})
    expect("docker/daemon.json", json.loads(read("docker/daemon.json"))["runtimes"], {"runbox": {"path": EXECUTABLE}})
    expect("containers.conf.d/runbox.conf", toml("containers.conf.d/runbox.conf")["engine"]["runtimes"], {"runbox": [EXECUTABLE]})
    with open(PROJECT + "/docs/engines.md") as file:
        document = file.read()
    for folder in ("containerd", "containers.conf.d", "crio", "docker", "k3s", "kubernetes"):
        for name in os.listdir(f"{PROJECT}/config/{folder}"):
            if f"config/{folder}/{name}" not in document:
                sys.exit(f"docs/engines.md says nothing of config/{folder}/{name}")


if __name__ == "__main__":
    main()
