"""The known holes of runtimes whose attacker is an image: links where the runtime looks, a procfs that is none, masks that show."""
import os

from harness import ALL, attack, bind, capabilities


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


# --- links in the image -----------------------------------------------------------------------------------------------

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
attack("link-working-directory")(lambda bench: linked(bench, "job", lambda config: config["process"].update(cwd="/job/a/b")))
attack("link-run")(lambda bench: linked(bench, "run"))
attack("link-device-parent")(lambda bench: linked(bench, "nodes", lambda config: config["linux"].update(
    devices=[{"path": "/nodes/new/node", "type": "c", "major": 1, "minor": 3}])))
attack("link-console")(lambda bench: linked(bench, "dev/console", drop=["/dev"]))
attack("link-ptmx")(lambda bench: linked(bench, "dev/ptmx", drop=["/dev"]))
attack("link-masked")(lambda bench: linked(bench, "masked", lambda config: config["linux"]["maskedPaths"].extend(["/masked", "/masked/file"])))


# --- procfs that is none, or is not where it seems --------------------------------------------------------------------

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


@attack("cve-2025-52881-redirected-write")
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


# --- masks ------------------------------------------------------------------------------------------------------------

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


@attack("cve-2025-31133-null-swapped")
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


@attack("cve-2025-52565-console")
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
