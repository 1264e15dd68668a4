"""The known holes of runtimes whose attacker is a process, a user or a configuration: descriptors, capabilities, users, cgroups, lengths."""
import os
import subprocess

from harness import ALL, Skip, attack, bind, capabilities, namespace, user_namespace
from images import link


# --- descriptors, capabilities, users ---------------------------------------------------------------------------------

@attack("cve-2024-21626-working-directory")
def leaked_directory(bench):
    """The working directory is one of the runtime's own descriptors."""
    name = bench.start(bench.bundle(["/attacker", "wait"], lambda config: capabilities(config, ALL)))
    up = "/".join([".."] * 12) + bench.host_secret
    for number in list(range(3, 24)):
        for way in ("/proc/self/fd/%d", "/proc/self/fd/%d/..", "/link"):
            bench.once()
            place = way % number if "%" in way else way
            bundle = bench.bundle(["/bin/cat", up], lambda config: config["process"].update(cwd=place))
            if way == "/link":
                link(bundle, "link", "/proc/self/fd/%d" % number)
            done = bench.run(bundle)
            if "the host's secret" in done.out:
                bench.lost("run, %s" % place)
            subprocess.run(["rm", "-rf", bundle])
            done = bench.call("exec", "--cwd", place, name, "/bin/cat", up)
            if "the host's secret" in done.out:
                bench.lost("exec, %s" % place)


@attack("cve-2022-24769-inheritable")
def inheritable(bench):
    """No capability is inheritable unless the configuration says so."""
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    show = ["/bin/grep", "CapInh", "/proc/self/status"]
    for words in (["exec", name], ["exec", "--cap", "CAP_NET_RAW", name], ["exec", "--cap", "CAP_SYS_ADMIN", "--user", "1000", name]):
        bench.once()
        done = bench.call(*words, *show)
        if "CapInh:\t0000000000000000" not in done.out:
            bench.lost("%s: %s" % (" ".join(words).replace(name, "ID"), done))
    bench.once()
    if "CapInh:\t0000000000000000" not in bench.run(bench.bundle(show)).out:
        bench.lost("run")


@attack("cve-2026-30892-user-words")
def user_words(bench):
    """exec --user: a number is that user, and anything else is refused."""
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    expected = {"1": ("1", "0"), "0": ("0", "0"), "1000": ("1000", "0"), "1:2": ("1", "2"), "65534:65534": ("65534", "65534"), "4294967294": ("4294967294", "0")}
    hostile = ["1x", "x1", "-1", "0x10", " 1", "1 ", "1:", ":1", "1:2:3", "4294967295", "4294967296", "99999999999999999999", "+1", "1:-1", "root", "1,2", "1:x", "1.5", "\u0661"]
    for word in [*expected, *hostile]:
        bench.once()
        done = bench.call("exec", "--user", word, name, "/bin/sh", "-c", "id -u; id -g")
        words = tuple(done.out.split())
        if word in expected and words != expected[word] and (done.status == 0 or len(word) < 10):
            bench.lost("%r is %s" % (word, done))
        if word not in expected and word.strip(" +:") not in ("1",) and done.status == 0:
            bench.lost("%r runs as %s" % (word, words))
        if word not in expected and words[:1] == ("0",) and word not in (":1", "root"):
            bench.lost("%r runs as root" % word)


@attack("hook-surroundings")
def hooks(bench):
    """Hooks get three descriptors and the environment that the configuration names."""
    out = bench.path("hook")
    script = "ls -l /proc/self/fd > %s; cat /proc/self/environ >> %s" % (out, out)
    entry = {"path": "/bin/sh", "args": ["sh", "-c", script], "env": ["ONLY=this"]}
    for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
        bench.once()
        if os.path.exists(out):
            os.unlink(out)
        bundle = bench.bundle(["/bin/true"], lambda config: config.update(hooks={kind: [entry]}))
        bench.run(bundle, env=dict(os.environ, TOKEN="SECRET_OF_THE_HOST"))
        text = open(out).read() if os.path.exists(out) else ""
        numbers = [line.split(" -> ")[0].split()[-1] for line in text.splitlines() if " -> " in line]
        # 3 is the folder that ls reads.
        if "ONLY=this" not in text or "SECRET_OF_THE_HOST" in text or len(numbers) > 4:
            bench.lost("%s: %s" % (kind, " ".join(numbers) + (" and the caller's environment" if "SECRET" in text else "")))


@attack("leaked-descriptors")
def descriptors(bench):
    """What the caller has open, and what the runtime opens, does not reach the payload."""
    secret = os.open(bench.host_secret, os.O_RDONLY)
    folder = os.open("/", os.O_RDONLY)
    os.set_inheritable(secret, True)
    os.set_inheritable(folder, True)
    name = bench.start(bench.bundle(["/attacker", "wait"]))
    bundle = bench.bundle(["/bin/ls", "-l", "/proc/self/fd"])
    for what, words in (("run", ["run", "--bundle", bundle, "ID"]), ("exec", ["exec", name, "/bin/ls", "-l", "/proc/self/fd"])):
        bench.once()
        done = bench.call(*[bench.new_id() if word == "ID" else word for word in words], pass_fds=[secret, folder])
        if done.out.count(" -> ") > 4:
            bench.lost("%s: %s" % (what, done))
    os.close(secret)
    os.close(folder)


# --- namespaces and privileges of ordinary users ----------------------------------------------------------------------

@attack("cve-2014-8989-negative-groups")
def negative_groups(bench):
    """A group that a file denies: an ordinary user must not get rid of it in a user namespace."""
    denied = bench.path("denied", "not for this group\n")
    os.chown(denied, 0, 4711)
    os.chmod(denied, 0o604)
    bench.once()

    def edit(config):
        namespace(config, "user")
        config["linux"].update(uidMappings=[{"containerID": 0, "hostID": 1234, "size": 1}], gidMappings=[{"containerID": 0, "hostID": 1234, "size": 1}])
        config["linux"]["namespaces"] = [entry for entry in config["linux"]["namespaces"] if entry["type"] in ("user", "mount", "pid", "ipc", "uts")]
        config["linux"].pop("cgroupsPath", None)
        config["linux"].pop("resources", None)
        config["mounts"] = [{"destination": "/proc", "type": "proc", "source": "proc"}]
        bind(config, denied, "/denied")
    bundle = bench.bundle(["/bin/cat", "/denied"], edit)
    subprocess.run(["chown", "-R", "-h", "1234:1234", bundle], check=True)
    states = bench.dir("states", 0o700)
    os.chown(states, 1234, 1234)
    done = bench.command(["setpriv", "--reuid", "1234", "--regid", "1234", "--groups", "4711", bench.runtime, "--root", states, "run", "--bundle", bundle, "rootless"],
                         env=dict(os.environ, XDG_RUNTIME_DIR=states))
    if "not for this group" in done.out:
        bench.lost("the file was read")
    elif "denied" not in done.err.lower():
        raise Skip("no container for an ordinary user: %s" % done.err.strip()[-150:])


@attack("cve-2023-25809-cgroup-of-the-host")
def host_cgroup(bench):
    """A user namespace without a cgroup namespace: the host's cgroups are no place to write to."""
    probe = "/sys/fs/cgroup/attack-%d-evil" % os.getpid()
    for bound in (False, True):
        bench.once()

        def edit(config):
            user_namespace(config, 100000)
            capabilities(config, ALL)
            config["linux"]["namespaces"] = [entry for entry in config["linux"]["namespaces"] if entry["type"] not in (["cgroup", "network"] if bound else ["cgroup"])]
            if bound:
                config["mounts"] = [entry for entry in config["mounts"] if not entry["destination"].startswith("/sys")]
                config["mounts"].append({"destination": "/sys", "type": "none", "source": "/sys", "options": ["rbind", "nosuid", "noexec", "nodev", "ro"]})
        bundle = bench.bundle(["/bin/sh", "-c", "for i in $(find /sys/fs/cgroup -maxdepth 1 -type d); do mkdir $i/attack-%d-evil && echo made; done; true" % os.getpid()], edit)
        subprocess.run(["chown", "-R", "-h", "100000:100000", bundle], check=True)
        for tool in ("attacker", "busybox"):
            os.chown(bench.tool(tool), 100000, 100000)
        done = bench.run(bundle)
        if "made" in done.out or os.path.exists(probe):
            bench.lost("a cgroup of the host's was made: %s" % done)
            if os.path.exists(probe):
                os.rmdir(probe)


@attack("cve-2021-43784-long-messages")
def long_messages(bench):
    """Fields of lengths that wrap around in 16 bits: none of the namespaces may be missing afterwards."""
    host = {kind: os.readlink("/proc/self/ns/" + kind) for kind in ("mnt", "net", "ipc", "uts", "pid", "user")}
    many = [{"containerID": number, "hostID": 100000 + number, "size": 1} for number in range(6000)]

    def ids(config):
        namespace(config, "user")
        config["linux"].update(uidMappings=many, gidMappings=many)

    def paths(config):
        namespace(config, "ipc", "/" + "a/" * 33000 + "x")

    def names(config):
        config["mounts"].append({"destination": "/tmp/" + "d/" * 40000, "type": "tmpfs", "source": "s" * 70000})
    show = "for n in mnt net ipc uts pid user; do readlink /proc/self/ns/$n; done"
    for edit in (ids, paths, names):
        bench.once()
        done = bench.run(bench.bundle(["/bin/sh", "-c", show], edit))
        shared = [kind for kind, value in host.items() if value in done.out and (kind != "user" or edit is ids)]
        if done.status == 0 and shared:
            bench.lost("%s: the host's namespaces: %s" % (edit.__name__, " ".join(shared)))
        if str(done.status).startswith(("-", "none")) or "Fatal" in done.err:
            bench.lost("%s: %s" % (edit.__name__, done))


@attack("cve-2026-119101-restore")
def restore(bench):
    """Links in an image confuse the names of mounts at restore (crun: CVE-2026-115520)."""
    raise Skip("it needs CRIU: Tests/Checkpoint/cases.py, mounts that the container has moved")


@attack("host-propagation")
def host_propagation(bench):
    """A container without a mount namespace of its own, or with a shared root, does not change the host's propagation."""
    def table():
        return sorted((line.split()[4], [word for word in line.split()[6:] if word.split(":")[0] in ("shared", "master", "unbindable")])
                      for line in open("/proc/self/mountinfo") if bench.folder not in line)
    before = table()
    for value in ("rshared", "rslave", "rprivate", None):
        bench.once()

        def edit(config):
            if value:
                config["linux"]["rootfsPropagation"] = value
            else:
                config["linux"]["namespaces"] = [entry for entry in config["linux"]["namespaces"] if entry["type"] != "mount"]
                config["mounts"] = []
                config["linux"].update(maskedPaths=[], readonlyPaths=[])
        bench.run(bench.bundle(["/bin/true"], edit))
        if table() != before:
            bench.lost("%s: the mounts of the host are not as before" % value)
            before = table()


@attack("names-of-containers")
def names(bench):
    """A name is no path."""
    bundle = bench.bundle(["/bin/true"])
    before = bench.listing(bench.root)
    for word in ("..", ".", "../evil", "a/b", "/tmp/evil", "a\nb", "", "a" * 2000, "-x", "..\x01", "\u2044"):
        bench.once()
        done = bench.call("run", "--bundle", bundle, word)
        if word in ("..", ".", "../evil", "a/b", "/tmp/evil") and done.status == 0 and bench.kind != "runbox":
            bench.lost("%r: accepted" % word)
        if os.path.exists(bench.path("evil")) or os.path.exists("/tmp/evil") or bench.differences(before, bench.root):
            bench.lost("%r: something was made" % word)
