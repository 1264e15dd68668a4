"""Somebody exchanges a directory with a link while the runtime works below it (CVE-2021-30465, CVE-2024-45310 and their kind): on a volume that
two containers share, or in the image itself. The victims are a folder of the host and the /etc of the second container's image."""
import os
import re

from harness import ALL, attack, bind, capabilities


class Swapping:
    """A volume with `d`, which is a folder at one moment and a link to `target` at the next."""

    def __init__(self, bench, target, where=None, content=False):
        self.bench = bench
        self.volume = bench.dir("volume") if where is None else where
        self.victim = bench.dir("victim")
        bench.path("victim/file", "as it was\n")
        self.folder, link = os.path.join(self.volume, "d"), os.path.join(self.volume, "l")
        os.makedirs(self.folder, exist_ok=True)
        if content:
            evil = os.path.join(self.folder, "evil")
            with open(evil, "w") as file:
                file.write("#!/bin/sh\n")
            os.chmod(evil, 0o4755)
        os.symlink(self.victim if target == "host" else target, link)
        self.before = bench.listing(self.victim)

    def begin(self, a="d", b="l"):
        self.bench.helper(self.bench.attacker, "swap", os.path.join(self.volume, a), os.path.join(self.volume, b))

    def check(self, what="the host's folder"):
        for name in self.bench.differences(self.before, self.victim):
            self.bench.lost("%s: %s has changed" % (what, name))
            return


def on_volume(bench, edit, target="host", args=("/bin/true",), content=False, judge=None, prepare=None, short=60):
    """Runs containers that mount or make something at /vol/d."""
    swapping = Swapping(bench, target, content=content)

    def configure(config):
        capabilities(config, ALL)
        bind(config, swapping.volume, "/vol")
        edit(config)
    bundle = bench.bundle(list(args), configure)
    if prepare:
        prepare(bundle)
    # A first run makes the mount points of an image that are not there.
    image = bundle + "/rootfs"
    first = bench.run(bundle)
    assert first.status in (0, 1), first
    etc = bench.listing(image + "/etc")
    swapping.begin()
    for _ in bench.rounds(short, 5):
        done = bench.run(bundle)
        swapping.check()
        changed = bench.differences(etc, image + "/etc")
        if changed:
            bench.lost("the image's /etc: %s has changed" % changed[0])
            restore(image + "/etc", etc)
        if judge:
            reason = judge(done)
            if reason:
                bench.lost(reason)
    if not bench.ran:
        bench.lost("no container has run: %s" % done)


def restore(folder, before):
    """Takes away what a try has put there, so that the next can be seen."""
    for name in os.listdir(folder):
        if name not in before:
            os.unlink(os.path.join(folder, name))
    os.chmod(folder, int(before["."][0], 8) & 0o7777)


def tmpfs(*options):
    return lambda config: config["mounts"].append({"destination": "/vol/d", "type": "tmpfs", "source": "tmpfs", "options": list(options)})


def flag_missing(mark, flag):
    """What is mounted of the source whose name ends in `mark` must have the flag, wherever it is now."""
    def judge(done):
        for line in done.out.splitlines():
            words = line.split()
            if len(words) > 5 and words[3].endswith(mark) and flag not in words[5].split(",") + words[6:words.index("-")]:
                return "a mount without %s: %s" % (flag, re.sub(r"\S*/runbox-attack-\w*", "FOLDER", " ".join(words[3:6])))
        return None
    return judge


SHOW = ("/bin/cat", "/proc/self/mountinfo")


@attack("swap-tmpcopyup")
def tmpcopyup(bench):
    """A setuid file of the volume must not get into the image."""
    on_volume(bench, tmpfs("tmpcopyup"), target="/etc", content=True, short=150)


@attack("swap-tmpcopyup-host")
def tmpcopyup_host(bench):
    on_volume(bench, tmpfs("tmpcopyup", "mode=0777"), content=True)


def source_of(bench):
    source = bench.dir("bound")
    bench.path("bound/file", "of the source\n")
    return source


@attack("swap-read-only")
def read_only(bench):
    source = source_of(bench)
    on_volume(bench, lambda config: bind(config, source, "/vol/d", "ro"), target="/etc", args=SHOW, judge=flag_missing("/bound", "ro"), short=150)


@attack("swap-flags")
def flags(bench):
    source = source_of(bench)
    on_volume(bench, lambda config: bind(config, source, "/vol/d", "nosuid", "nodev", "noexec"), target="/etc", args=SHOW, judge=flag_missing("/bound", "nosuid"))


def tmpfs_without(word):
    """The tmpfs, known by its size, lacks what it was configured with; after exchanges another mount has it."""
    def judge(done):
        for line in done.out.splitlines():
            words = line.split()
            if "size=80k" in words[-1] and word not in words[5].split(",") + words[6:words.index("-")]:
                return "a tmpfs without %s: %s" % (word, " ".join(words[4:words.index("-")]))
        return None
    return judge


@attack("swap-tmpfs-read-only")
def tmpfs_read_only(bench):
    on_volume(bench, tmpfs("ro", "tmpcopyup", "size=77k"), target="/dev", args=SHOW, judge=tmpfs_without("ro"), short=100)


@attack("swap-tmpfs-recursive")
def tmpfs_recursive(bench):
    on_volume(bench, tmpfs("rro", "rnosuid", "size=77k"), target="/dev", args=SHOW, judge=tmpfs_without("ro"), short=100)


@attack("swap-propagation")
def propagation(bench):
    on_volume(bench, tmpfs("unbindable", "size=77k"), target="/dev", args=SHOW, judge=tmpfs_without("unbindable"), short=100)


@attack("swap-mode")
def mode(bench):
    """A tmpfs without mode= takes that of the folder it covers: nothing else may get it."""
    on_volume(bench, tmpfs("size=64k"), target="/etc", prepare=lambda bundle: os.chmod(bundle + "/rootfs/etc", 0o750), short=60)


@attack("swap-mode-idmapped")
def mode_idmapped(bench):
    ids = [{"containerID": 0, "hostID": 1000, "size": 100}]

    def edit(config):
        tmpfs("size=64k")(config)
        config["mounts"][-1].update(uidMappings=ids, gidMappings=ids)
    on_volume(bench, edit, target="/etc", prepare=lambda bundle: os.chmod(bundle + "/rootfs/etc", 0o750), short=100)


@attack("swap-mount-destination")
def destination(bench):
    source = source_of(bench)
    on_volume(bench, lambda config: bind(config, source, "/vol/d/new/folder", "rw"))


@attack("swap-file-destination")
def file_destination(bench):
    source = source_of(bench)
    on_volume(bench, lambda config: bind(config, source + "/file", "/vol/d/new/file", "rw"))


@attack("swap-proc-destination")
def proc_destination(bench):
    on_volume(bench, lambda config: config["mounts"].append({"destination": "/vol/d/proc", "type": "proc", "source": "proc"}))


@attack("swap-cgroup-destination")
def cgroup_destination(bench):
    on_volume(bench, lambda config: config["mounts"].append({"destination": "/vol/d/cg", "type": "cgroup", "source": "cgroup", "options": ["ro"]}))


@attack("swap-working-directory")
def working_directory(bench):
    on_volume(bench, lambda config: config["process"].update(cwd="/vol/d/a/b"))


@attack("swap-device")
def device(bench):
    node = {"path": "/vol/d/node", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666, "uid": 0, "gid": 0}
    on_volume(bench, lambda config: config["linux"].update(devices=[node]))


@attack("swap-masked-path")
def masked(bench):
    """Masks and read-only paths are put below a path that moves: nothing of the host may be covered, and no link followed out."""
    def edit(config):
        config["linux"]["maskedPaths"] += ["/vol/d/file", "/vol/d"]
        config["linux"]["readonlyPaths"] += ["/vol/d"]
    on_volume(bench, edit)


def in_image(bench, part, short=60, edit=None, terminal=False):
    """The image itself is shared: a folder of it is exchanged with a link to the host's."""
    def configure(config):
        capabilities(config, ALL)
        # Nothing covers what the image has there.
        config["mounts"] = [entry for entry in config["mounts"] if not entry["destination"].startswith("/" + part)]
        if edit:
            edit(config)
    bundle = bench.bundle(["/bin/true"], configure)
    image = bundle + "/rootfs"
    victim = bench.dir("victim")
    bench.path("victim/file", "as it was\n")
    before = bench.listing(victim)
    os.makedirs(os.path.join(image, part), exist_ok=True)
    os.symlink(victim, image + "/swapped")
    bench.helper(bench.attacker, "swap", os.path.join(image, part), image + "/swapped")
    for _ in bench.rounds(short, 5):
        bench.run(bundle)
        changed = bench.differences(before, victim)
        if changed:
            bench.lost("the host's folder: %s has changed" % changed[0])
            before = bench.listing(victim)


attack("swap-image-dev")(lambda bench: in_image(bench, "dev"))
attack("swap-image-proc")(lambda bench: in_image(bench, "proc", edit=lambda config: config["mounts"].append(
    {"destination": "/proc", "type": "proc", "source": "proc"})))
attack("swap-image-sys")(lambda bench: in_image(bench, "sys", edit=lambda config: config["mounts"].extend(
    [{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]}, {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup"}])))
attack("swap-image-etc")(lambda bench: in_image(bench, "etc", edit=lambda config: bind(config, bench.host_secret, "/etc/new/hosts", "ro")))
