"""The known holes of runtimes, one attack each where no race of the other files is it already: README.md has the table."""
import json
import os
import subprocess

from harness import ALL, Skip, attack, bind, capabilities, namespace, user_namespace


def image(bundle, name):
    return os.path.join(bundle, "rootfs", name)


def link(bundle, name, target):
    path = image(bundle, name)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def victim(bench):
    folder = bench.dir("victim", 0o777)
    bench.path("victim/file", "as it was\n")
    os.chmod(folder + "/file", 0o666)
    return folder, bench.listing(folder)


def unchanged(bench, folder, before, what):
    changed = bench.differences(before, folder)
    if changed:
        bench.lost("%s: %s of the host has changed" % (what, changed[0]))


# --- links in the image -------------------------------------------------------------------------------------------------

def linked(bench, where, edit=None, drop=(), args=("/bin/true",)):
    """A place of the image is a link to a folder of the host's."""
    folder, before = victim(bench)
    for target in (folder, "../../../../../../../../../.." + folder, "/proc/self/root" + folder, "/proc/1/root" + folder):
        bench.once()

        def configure(config):
            capabilities(config, ALL)
            config["mounts"] = [entry for entry in config["mounts"] if not any(entry["destination"] == word or entry["destination"].startswith(word + "/") for word in drop)]
            if edit:
                edit(config)
        bundle = bench.bundle(list(args), configure)
        link(bundle, where, target)
        bench.run(bundle)
        unchanged(bench, folder, before, "/%s -> %s" % (where, target.replace(bench.folder, "FOLDER")))


attack("cve-2026-41579-dev-link")(lambda bench: linked(bench, "dev", drop=["/dev"]))
attack("cve-2026-41579-dev-link-mounted")(lambda bench: linked(bench, "dev"))
attack("cve-2019-18837-link-in-destination")(lambda bench: linked(bench, "mnt", lambda config: bind(config, bench.host_secret, "/mnt/new/place")))
attack("cve-2023-27561-proc-link")(lambda bench: linked(bench, "proc"))
attack("cve-2023-28642-sys-link")(lambda bench: linked(bench, "sys"))
attack("cve-2025-24965-file-link")(lambda bench: linked(bench, ".krun_config.json", lambda config: config.update(annotations={"run.oci.handler": "krun"})))
attack("link-working-directory")(lambda bench: linked(bench, "work", lambda config: config["process"].update(cwd="/work/a/b")))
attack("link-run")(lambda bench: linked(bench, "run"))
attack("link-device-parent")(lambda bench: linked(bench, "nodes", lambda config: config["linux"].update(
    devices=[{"path": "/nodes/new/node", "type": "c", "major": 1, "minor": 3}])))
attack("link-console")(lambda bench: linked(bench, "dev/console", drop=["/dev"]))
attack("link-ptmx")(lambda bench: linked(bench, "dev/ptmx", drop=["/dev"]))
attack("link-masked")(lambda bench: linked(bench, "masked", lambda config: config["linux"]["maskedPaths"].extend(["/masked", "/masked/file"])))


# --- procfs that is none, or is not where it seems -------------------------------------------------------------------------

@attack("cve-2019-16884-fake-proc")
def fake_proc(bench):
    """The image's /proc is a volume with files of /proc's names: what the runtime writes must not land there, nor be lost without a word."""
    for place in ("/proc", "/proc/self", "/proc/sys", "/proc/self/attr", "/proc/sys/kernel"):
        bench.once()
        fake = bench.dir("fake%d" % bench.tries)
        names = {"/proc": "sys/kernel/msgmax", "/proc/sys": "kernel/msgmax", "/proc/sys/kernel": "msgmax"}.get(place, "attr/exec")
        for name in (names, "self/attr/exec", "self/attr/apparmor/exec", "self/oom_score_adj", "self/setgroups"):
            bench.path("fake%d/%s" % (bench.tries, name), "orig\n")

        def edit(config):
            config["linux"]["sysctl"] = {"kernel.msgmax": "4242"}
            config["process"]["oomScoreAdj"] = 7
            if place == "/proc":
                config["mounts"] = [entry for entry in config["mounts"] if entry["destination"] != "/proc"]
            bind(config, fake, place)
        before = bench.listing(fake)
        done = bench.run(bench.bundle(["/bin/cat", "/proc/sys/kernel/msgmax"], edit))
        unchanged(bench, fake, before, place)
        if done.status == 0 and place != "/proc" and "4242" not in done.out:
            bench.lost("%s: it runs without what was configured: %s" % (place, done))


@attack("cve-2025-52881-redirected-write", races=True)
def redirected(bench):
    """Volumes and links make writes to /proc/self land in another file of /proc, or the other way round."""
    folder, before = victim(bench)
    tests = [("/proc/self/attr/exec", "/file"), ("/proc/sys/kernel/msgmax", "/file"), ("/proc/self/oom_score_adj", "/file")]
    for place, name in tests:
        bench.once()

        def edit(config):
            config["linux"]["sysctl"] = {"kernel.msgmax": "4242"}
            config["process"]["oomScoreAdj"] = 7
            bind(config, folder + name, place)
        bench.run(bench.bundle(["/bin/true"], edit))
        unchanged(bench, folder, before, place)


# --- masks ---------------------------------------------------------------------------------------------------------------------

@attack("cve-2025-31133-null-link")
def null_link(bench):
    """/dev/null of the image, which files are masked with, is something else."""
    for target in ("/shown", "/proc/sys/kernel/core_pattern", bench.host_secret, "/dev/full"):
        bench.once()

        def edit(config):
            capabilities(config, ALL)
            config["mounts"] = [entry for entry in config["mounts"] if not entry["destination"].startswith("/dev")]
            config["linux"]["maskedPaths"] += ["/masked"]
        bundle = bench.bundle(["/bin/sh", "-c", "stat -c '%t:%T %F' /masked; cat /masked; echo changed > /masked"], edit)
        for name in ("shown", "masked"):
            with open(image(bundle, name), "w") as file:
                file.write("SECRET\n")
        link(bundle, "dev/null", target)
        done = bench.run(bundle)
        if "SECRET" in done.out or (done.status == 0 and "1:3 character" not in done.out):
            bench.lost("/dev/null -> %s: %s" % (target, done))
        if open(image(bundle, "shown")).read() != "SECRET\n" or open(bench.host_secret).read() != "the host's secret\n":
            bench.lost("/dev/null -> %s: the target was written to" % target)


@attack("cve-2025-31133-null-swapped", races=True)
def null_swapped(bench):
    """The same, with /dev on a volume where somebody exchanges the two."""
    volume = bench.dir("devices")
    os.mknod(volume + "/null", 0o666 | 0o020000, os.makedev(1, 3))
    os.symlink("/shown", volume + "/other")

    def edit(config):
        capabilities(config, ALL)
        config["mounts"] = [entry for entry in config["mounts"] if not entry["destination"].startswith("/dev")]
        bind(config, volume, "/dev")
        config["linux"]["maskedPaths"] += ["/masked"]
    bundle = bench.bundle(["/bin/cat", "/masked"], edit)
    for name in ("shown", "masked"):
        with open(image(bundle, name), "w") as file:
            file.write("SECRET\n")
    bench.helper(bench.attacker, "swap", volume + "/null", volume + "/other")
    for _ in bench.rounds(60, 4):
        done = bench.run(bundle)
        if "SECRET" in done.out:
            bench.lost("the mask shows another file")


@attack("cve-2025-52565-console", races=True)
def console(bench):
    """/dev/console, onto which the terminal is mounted, is exchanged with a link."""
    folder, before = victim(bench)
    volume = bench.dir("devices")
    for name in ("pts", "shm", "mqueue"):
        os.makedirs(os.path.join(volume, name))
    open(volume + "/console", "w").close()
    os.symlink(folder + "/file", volume + "/other")

    def edit(config):
        capabilities(config, ALL)
        config["process"]["terminal"] = True
        config["mounts"] = [entry for entry in config["mounts"] if entry["destination"] not in ("/dev", "/dev/shm", "/dev/mqueue")]
        config["mounts"].insert(1, {"destination": "/dev", "type": "bind", "source": volume, "options": ["bind"]})
    bundle = bench.bundle(["/bin/sh", "-c", "echo to the console > /dev/console; grep -c ' /proc/' /proc/self/mountinfo"], edit)
    bench.helper(bench.attacker, "swap", volume + "/console", volume + "/other")
    for _ in bench.rounds(60, 5):
        bench.run(bundle)
        if open(folder + "/file").read() != "as it was\n":
            bench.lost("a file of the host was written to")
    unchanged(bench, folder, before, "console")


# --- descriptors, capabilities, users ----------------------------------------------------------------------------------------------

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
    hostile = ["1x", "x1", "-1", "0x10", " 1", "1 ", "1:", ":1", "1:2:3", "4294967295", "4294967296", "99999999999999999999", "+1", "1:-1", "root", "1,2", "1:x", "1.5", "\u0661", ""]
    for word in [*expected, *hostile]:
        bench.once()
        done = bench.call("exec", "--user", word, name, "/bin/sh", "-c", "id -u; id -g")
        words = tuple(done.out.split())
        if word in expected and words != expected[word]:
            bench.lost("%r is %s" % (word, done))
        if word not in expected and word.strip(" +:") not in ("1",) and done.status == 0:
            bench.lost("%r runs as %s" % (word, words))
        if word not in expected and words[:1] == ("0",) and word not in ("", ":1", "root"):
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


# --- namespaces and privileges of ordinary users -----------------------------------------------------------------------------------

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
    raise Skip("there is no restore" if bench.kind == "runbox" else "it needs CRIU")


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
            assert json
