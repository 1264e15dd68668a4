"""The cases of Podman's networks and of the namespaces that containers share."""

import os
import re

from bench import ROOT, WORK, Case, Skip, sh, wait_for, which, write
from podman import BOX, since
from podman_flags import seen, told
from podman_life import gone, running

PORTS = {"runbox": 18080, "runc": 18180}


def bridge(e):
    """Skips where the kernel, or the machine, has no bridges or no rules for packets."""
    if not ROOT:
        return
    for words in (["link", "add", "b" + e.tag, "type", "bridge"], ["link", "add", "v" + e.tag, "type", "veth", "peer", "name", "w" + e.tag]):
        status = sh("ip", *words)[0]
        sh("ip", "link", "del", words[2])
        if status:
            raise Skip(f"this kernel makes no {words[4]}")


def fetched(port):
    """What a server on this host's port answers."""
    return sh("busybox", "timeout", "5", "busybox", "nc", "127.0.0.1", str(port), input="")[1].strip()


SERVE = "while :; do echo served | nc -l -p 80; done & echo ready; wait"


def published(e, *words):
    """A port of the container's on the host's."""
    bridge(e)
    port = PORTS[e.tag]
    name = e.name("net")
    try:
        began = running(e, "net", *words, "-p", f"127.0.0.1:{port}:80", command=("sh", "-c", SERVE))
        served = wait_for(lambda: fetched(port) == "served", 20)
        text = [began, "served" if served else "nothing", e.do("port", name).replace(str(port), "PORT"), e.do("exec", name, "sh", "-c",
            "ls /sys/class/net | wc -l; cat /etc/resolv.conf | grep -c nameserver"), gone(e, "net")]
    finally:
        sh(*e.words("rm", "-f", "-t", "0", name))
    return "\n".join(text)


def rootless_port(helper):
    def run(e):
        if ROOT:
            raise Skip("root's containers have a bridge")
        if not which(helper):
            raise Skip(f"{helper} is not here")
        if helper == "pasta":
            since(4, 4)
        if not os.access("/dev/net/tun", os.W_OK):
            raise Skip("/dev/net/tun is not for ordinary users here")
        return published(e, "--network", helper)
    return run


def over_bridge(e):
    if not ROOT:
        raise Skip("bridges of an ordinary user's lie in a namespace of slirp4netns's or pasta's; see there")
    return published(e, "--network", "bridge")


def own_network(e):
    """A network of its own: names, addresses, connect and disconnect."""
    bridge(e)
    if not ROOT:
        raise Skip("bridges of an ordinary user's lie in a namespace of slirp4netns's or pasta's; see there")
    net = e.name("net")
    subnet = {"runbox": "10.77.1", "runc": "10.77.2"}[e.tag]
    text = [e.do("network", "create", "--subnet", subnet + ".0/24", net).splitlines()[0]]
    text.append(running(e, "one", "--network", net, "--ip", subnet + ".9", "--mac-address", "02:00:00:00:00:09", command=("sh", "-c", SERVE)))
    text.append(e.box("--network", net, BOX, "sh", "-c", f"for i in 1 2 3 4 5; do nc -w 5 {subnet}.9 80 < /dev/null && break; sleep 1; done"))
    text.append(e.do("exec", e.name("one"), "sh", "-c", "cat /sys/class/net/eth0/address; ip -4 addr show eth0 | grep -o 'inet [0-9./]*'"))
    text += [e.do("network", "disconnect", net, e.name("one")), e.do("exec", e.name("one"), "ls", "/sys/class/net"), e.do("network", "connect", net,
        e.name("one"))]
    text += [e.do("exec", e.name("one"), "ls", "/sys/class/net"), gone(e, "one"), e.do("network", "rm", net)]
    return "\n".join(text).replace(subnet, "NET")


def of_another(kinds):
    """The namespaces of another container, by name; the test is whether they are the same ones."""
    def run(e):
        began = running(e, "one", "--ipc", "shareable", command=("sh", "-c", "echo ready; exec sleep 1000"))
        look = "cd /proc/self/ns; for n in " + " ".join(kinds) + "; do readlink $n; done"
        first = sh(*e.words("exec", e.name("one"), "sh", "-c", look))[1].split()
        words = [word for kind in kinds for word in ({"net": "--network", "cgroup": "--cgroupns"}.get(kind, "--" + kind), "container:" + e.name("one"))]
        second = sh(*e.words("run", "--rm", *words, BOX, "sh", "-c", look))
        same = [kind for kind, a, b in zip(kinds, first, second[1].split()) if a == b]
        return "\n".join([began, f"{second[0]} the same: {' '.join(same)}", gone(e, "one")])
    return Case(f"the {', '.join(kinds)} of another", run, "0 the same: " + " ".join(kinds))


def joined_by_path(e):
    running(e, "one", command=("sh", "-c", "echo ready; exec sleep 1000"))
    path = f"/proc/{e.pid('one')}/ns/"
    look = "cd /proc/self/ns; readlink net; readlink uts"
    first = sh(*e.words("exec", e.name("one"), "sh", "-c", look))[1]
    second = sh(*e.words("run", "--rm", "--network", "ns:" + path + "net", "--uts", "ns:" + path + "uts", BOX, "sh", "-c", look))
    return f"{second[0]} same {first == second[1]}\n" + gone(e, "one")


def of_host(kind, flag):
    def run(e):
        status, out, _ = sh(*e.words("run", "--rm", flag, "host", BOX, "readlink", "/proc/self/ns/" + kind))
        return f"{status} the host's {out.strip() == os.readlink('/proc/self/ns/' + kind)}"
    return Case(f"{flag} host, the namespace", run, "^0 the host's True" if kind != "user" or ROOT else "^0 the host's ")


def cni(e):
    """Podman 4's other network stack."""
    if not ROOT or not os.path.isdir("/usr/lib/cni"):
        raise Skip("no CNI plugins here")
    if e.do("--network-backend", "cni", "info", "--format", "{{.Host.NetworkBackend}}").split()[-1] != "cni":
        raise Skip("this Podman has no CNI")
    bridge(e)
    write("/etc/cni/net.d/77-engines.conflist", """{"cniVersion": "0.4.0", "name": "engines", "plugins": [
{"type": "bridge", "bridge": "cni-engines", "isGateway": true, "ipMasq": false, "ipam": {"type": "host-local", "subnet": "10.88.77.0/24"}}, {"type": "portmap", "capabilities": {"portMappings": true}}]}""")
    name = e.name("cni")
    words = ["--network-backend", "cni"]
    status, out, err = sh("podman", *words, *e.globals[1:], "run", "--rm", "--name", name, "--network", "engines", BOX, "sh", "-c",
        "ls /sys/class/net; ip -4 addr show eth0 | grep -o 'inet [0-9.]*' | cut -d. -f1-3")
    return e.told(status, out, err)


HOSTS = "cat /etc/hosts | grep -v -e localhost -e containers.internal | cut -f2 | cut -d' ' -f1 | sort"
NET = [
    seen("^0: [|] lo$", "--network", "none", look="ls /sys/class/net; cat /etc/resolv.conf 2>/dev/null | wc -l > /dev/null"),
    Case("published ports over a bridge", over_bridge, "served [|] 0: [|] 80/tcp"),
    Case("published ports with slirp4netns", rootless_port("slirp4netns"), "served"),
    Case("published ports with pasta", rootless_port("pasta"), "served"),
    Case("a network of its own", own_network, "served.*NET.9/24"),
    Case("CNI", cni, "^0: [|] eth0 [|] lo [|] inet 10.88.77"),
    seen("nameserver 1.2.3.4.*", "--network", "host", "--dns", "1.2.3.4", "--dns-search", "inner.test", "--dns-option", "ndots:3",
        look="sort /etc/resolv.conf"),
    seen("one", "--add-host", "one:1.2.3.4", "--hostname", "inner", look="grep -w one /etc/hosts; hostname"),
    seen("^0:", "--no-hosts", look="wc -l < /etc/hosts > /dev/null; hostname | wc -c"),
    seen("inner", "--hostname", "inner", look="hostname; cat /etc/hostname; echo $HOSTNAME; " + HOSTS),
    told("^125: ", "--network", "none", "--dns", "1.2.3.4", "--network", "host"),
    told("^12[567]: ", "--network", "container:not-there"),
    told("^12[567]: ", "--network", "ns:/not/there"),
    told("^12[567]: ", "--network", "not-there"),
    of_host("net", "--network"), of_host("pid", "--pid"), of_host("ipc", "--ipc"), of_host("uts", "--uts"), of_host("cgroup", "--cgroupns"), of_host("user",
        "--userns"),
    of_another(["net"]), of_another(["pid"]), of_another(["ipc"]), of_another(["uts"]), of_another(["cgroup"]), of_another(["net", "ipc", "uts", "pid"]),
    Case("namespaces by path", joined_by_path, "^0 same True"),
    seen("0::/$", "--cgroupns", "private", look="cat /proc/self/cgroup"),
    seen("^0: ", "--ipc", "none", look="ls -d /dev/shm; grep -c ' /dev/shm ' /proc/self/mountinfo; true"),
    seen("^0: ", "--ipc", "private", look="grep -c ' /dev/shm ' /proc/self/mountinfo"),
    seen("1 sleep|catatonit|podman-init|1", "--init", name="--init, process 1", look="cat /proc/1/comm; test $$ != 1 && echo child"),
    seen("^0: ", "--pid", "private", look="test $$ = 1 && echo first"),
]

# --- user namespaces -------------------------------------------------------------------------------------------------

MAPS = "cat /proc/self/uid_map | tr -s ' '; id -u; touch /made; stat -c %u /made /bin/busybox; grep -E '^CapEff' /proc/self/status"


def subordinate():
    """Ids for --userns=auto, which this host may not have shared out yet."""
    for path in ("/etc/subuid", "/etc/subgid"):
        with open(path) as file:
            there = "containers:" in file.read()
        if not there and ROOT:
            with open(path, "a") as file:
                file.write("containers:1000000:1000000\n")


def auto(*words):
    def run(e):
        if ROOT:
            subordinate()
        text = e.box(*words, BOX, "sh", "-c", MAPS)
        return re.sub(r"(?m)^ 0 \d+ ", " 0 N ", text)
    # An ordinary user may have too few ids for that.
    return Case(" ".join(words), run, "0 N " if ROOT else "0 N |permission denied")


def rootless(expected, *words, look=MAPS, least=(4, 0)):
    def run(e):
        if ROOT:
            raise Skip("for ordinary users")
        since(*least)
        return e.box(*words, BOX, "sh", "-c", look)
    return Case(" ".join(words) + ", rootless", run, expected)


def volume_of_ones_own(e):
    if ROOT:
        raise Skip("for ordinary users")
    folder = f"{WORK}/own-{e.tag}"
    write(folder + "/file", "mine\n")
    return e.box("--userns", "keep-id", "-v", folder + ":/v", BOX, "sh", "-c",
        "stat -c %u /v/file; touch /v/made; id -u") + f"\n{os.stat(folder + '/made').st_uid == os.geteuid()}"


USERS = [
    auto("--userns", "auto"), auto("--userns", "auto:size=2000"),
    seen("0 (0|1|4242) ", "--userns", "host", name="--userns host, its map", look=MAPS),
    rootless("^0: ", "--userns", "keep-id"), rootless("^0: .*123", "--userns", "keep-id:uid=123,gid=456", least=(4, 3)), rootless("^0: ", "--userns", "nomap",
        look="cat /proc/self/uid_map | tr -s ' '; id -u", least=(4, 1)),
    rootless("^0: ", "--userns", "keep-id", "--user", "root"), Case("--userns keep-id with a volume", volume_of_ones_own, "True"),
    Case("--userns of another", lambda e: "\n".join([running(e, "one", *(("--uidmap", "0:100000:5000") if ROOT else ("--uidmap", "0:1:500")), command=("sh",
        "-c", "echo ready; exec sleep 1000")),
         e.box("--userns", "container:" + e.name("one"), BOX, "sh", "-c", MAPS), gone(e, "one")]), "0: "),
]
