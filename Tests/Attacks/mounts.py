"""Mounts that are locked: a container with a user namespace and CAP_SYS_ADMIN opens what the host, or its configuration, has closed."""
import os
import subprocess

from harness import ALL, attack, bind, capabilities, user_namespace

WAYS = ["remount", "superblock", "setattr", "recursive", "umount", "detach", "move", "rebind", "below", "namespace", "user"]


def unlock(bench, edit, mount, act, files, evil, ways=WAYS, first=0, prepare=None):
    """Each way in turn; `evil` judges what came out."""
    def configure(config):
        capabilities(config, ALL)
        user_namespace(config, first)
        edit(config)
    for way in ways:
        bench.once()
        bundle = bench.bundle(["/attacker", "unlock", way, mount, act, *files], configure)
        if first:
            subprocess.run(["chown", "-R", "-h", str(first), bundle], check=True)
            for tool in ("attacker", "busybox"):
                os.chown(bench.tool(tool), first, first)
        if prepare:
            prepare(bundle)
        done = bench.run(bundle)
        if "unlock" not in done.out and way not in done.out:
            bench.lost("%s: the container did not run: %s" % (way, done))
            continue
        reason = evil(done)
        if reason:
            bench.lost("%s: %s" % (way, reason))


def written(done):
    return "written: " + done.out.strip().replace("\n", ", ")[-120:] if ": done" in done.out else None


def host_folder(bench, flags, first=0):
    folder = bench.dir("closed", 0o777)
    bench.path("closed/file", "of the host\n")
    os.chmod(folder + "/file", 0o666)
    bench.mount("--bind", folder, folder)
    subprocess.run(["mount", "-o", "remount,bind," + flags, folder], check=True)
    return folder


@attack("userns-host-read-only")
def host_read_only(bench):
    """Read-only on the host; the configuration says nothing of it."""
    folder = host_folder(bench, "ro")
    unlock(bench, lambda config: bind(config, folder, "/data"), "/data", "write", ["/data/file", "/tmp/file", "/tmp/data/file"], written)


@attack("userns-host-read-only-mapped")
def host_read_only_mapped(bench):
    """The same with ids that are nobody's on the host."""
    folder = host_folder(bench, "ro")
    unlock(bench, lambda config: bind(config, folder, "/data"), "/data", "write", ["/data/file", "/tmp/file", "/tmp/data/file"], written, first=100000)


@attack("userns-host-read-only-recursive")
def host_read_only_recursive(bench):
    folder = host_folder(bench, "ro")
    bench.mount("-t", "tmpfs", "none", bench.dir("volume"))
    inner = bench.dir("volume/inner")
    bench.mount("--bind", folder, inner)
    subprocess.run(["mount", "-o", "remount,bind,ro", inner], check=True)
    unlock(bench, lambda config: config["mounts"].append({"destination": "/data", "type": "bind", "source": bench.path("volume"), "options": ["rbind"]}),
           "/data/inner", "write", ["/data/inner/file", "/tmp/file"], written)


@attack("userns-configured-read-only")
def configured_read_only(bench):
    """Read-only by the configuration's word."""
    folder = bench.dir("open", 0o777)
    bench.path("open/file", "of the host\n")
    os.chmod(folder + "/file", 0o666)
    unlock(bench, lambda config: bind(config, folder, "/data", "ro"), "/data", "write", ["/data/file", "/tmp/file", "/tmp/data/file"], written)


@attack("userns-read-only-root")
def read_only_root(bench):
    """root.readonly; what is written lands in the image."""
    def edit(config):
        config["root"]["readonly"] = True
    unlock(bench, edit, "/", "write", ["/etc/file", "/tmp/etc/file"], written, ways=["remount", "superblock", "setattr", "recursive", "rebind", "namespace", "user"],
           prepare=lambda bundle: bench.path(os.path.relpath(bundle, bench.folder) + "/rootfs/etc/file", "of the image\n"))


@attack("userns-nosuid")
def nosuid(bench):
    """nosuid, nodev and noexec of the host's mount hold, too: the mount's flags are looked at after each way."""
    folder = host_folder(bench, "nosuid,nodev,noexec")
    for way in ("remount", "setattr", "recursive", "rebind"):
        bench.once()

        def configure(config):
            capabilities(config, ALL)
            user_namespace(config)
            bind(config, folder, "/data")
        done = bench.run(bench.bundle(["/bin/sh", "-c", "/attacker unlock %s /data read; cat /proc/self/mountinfo" % way], configure))
        for line in done.out.splitlines():
            words = line.split()
            if len(words) > 5 and words[3].endswith("/closed") and not {"nosuid", "nodev", "noexec"} <= set(words[5].split(",")):
                bench.lost("%s: the mount at %s is %s" % (way, words[4], words[5]))


def image_secret(bench):
    def prepare(bundle):
        for name in ("hidden/file", "shown/file"):
            bench.path(os.path.relpath(bundle, bench.folder) + "/rootfs/" + name, "SECRET\n")
            os.chmod(bundle + "/rootfs/" + name, 0o666)
    return prepare


@attack("userns-masked-folder")
def masked_folder(bench):
    def edit(config):
        config["linux"]["maskedPaths"] += ["/hidden"]
    unlock(bench, edit, "/hidden", "read", ["/hidden/file", "/tmp/hidden/file", "/tmp/file"],
           lambda done: "the masked file was read" if "SECRET" in done.out else None, prepare=image_secret(bench))


@attack("userns-masked-file")
def masked_file(bench):
    def edit(config):
        config["linux"]["maskedPaths"] += ["/hidden/file"]
    unlock(bench, edit, "/hidden/file", "read", ["/hidden/file", "/tmp/file"],
           lambda done: "the masked file was read" if "SECRET" in done.out else None, prepare=image_secret(bench))


@attack("userns-masked-proc")
def masked_proc(bench):
    """A masked file of /proc, which shows something on every host."""
    def edit(config):
        config["linux"]["maskedPaths"] += ["/proc/cmdline"]
    with open("/proc/cmdline") as file:
        mark = file.read()[:20]
    unlock(bench, edit, "/proc/cmdline", "read", ["/proc/cmdline", "/tmp/cmdline"], lambda done: "the masked file was read" if mark in done.out else None)


@attack("userns-read-only-path")
def read_only_path(bench):
    def edit(config):
        config["linux"]["readonlyPaths"] += ["/shown"]
    unlock(bench, edit, "/shown", "write", ["/shown/file", "/tmp/shown/file", "/tmp/file"], written, prepare=image_secret(bench))


@attack("userns-read-only-proc-sys")
def read_only_proc_sys(bench):
    """/proc/sys is read-only; the value is one of the container's own ipc namespace."""
    unlock(bench, lambda config: None, "/proc/sys", "write", ["/proc/sys/kernel/msgmax", "/tmp/kernel/msgmax", "/tmp/sys/kernel/msgmax"],
           lambda done: "written" if ": done" in done.out or "EINVAL" in done.out.split("\n", 1)[1] else None)
