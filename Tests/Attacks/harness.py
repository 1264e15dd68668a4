"""What every attack needs: bundles, the runtime under attack, rounds, victims in a folder of their own, and a look for leftovers."""
import ctypes
import json
import os
import shutil
import subprocess
import tempfile
import time

ATTACKS = []
ALL = ["CAP_" + name for name in """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
    NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
    SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP""".split()]
USUAL = ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_MKNOD", "CAP_NET_BIND_SERVICE"]


class Skip(Exception):
    """The host lacks what the attack needs."""


def attack(name, only=None):
    """Registers an attack. `only`: the runtimes that it makes sense for."""
    def register(act):
        ATTACKS.append(dict(name=name, act=act, only=only, family=act.__module__))
        return act
    return register


class Done:
    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err
    def __str__(self):
        return "exit %s: %s %s" % (self.status, self.out.strip()[-200:], self.err.strip()[-300:])


class Bench:
    """One attack's surroundings; nothing of it is left after `close`."""
    def __init__(self, runtime, attacker, long):
        self.runtime, self.attacker, self.long = os.path.realpath(runtime), attacker, long
        name = os.path.basename(runtime)
        self.kind = name if name in ("runc", "crun") else "runbox"
        self.folder = tempfile.mkdtemp(prefix="runbox-attack-")
        os.chmod(self.folder, 0o711)
        self.root = self.folder + "/root"
        os.mkdir(self.root, 0o700)
        self.tries, self.losses, self.lost_in, self.ran, self.reasons = 0, 0, -1, 0, []
        self.ids, self.helpers, self.mounts, self.count = [], [], [], 0
        self.host_secret = self.path("secret", "the host's secret\n")

    def rounds(self, short, seconds=8):
        """Numbers of tries: so many in the short form, but no longer than so many seconds; 1000 or 60 seconds in the long one."""
        count, limit = (1000, 60) if self.long else (short, seconds)
        end = time.monotonic() + limit
        for number in range(count):
            if time.monotonic() > end:
                return
            self.tries += 1
            yield number

    def once(self):
        self.tries += 1

    def lost(self, why, each=False):
        """At most once a try, however many things go wrong in it; `each` for what is counted afterwards."""
        if each or self.lost_in != self.tries:
            self.losses += 1
        self.lost_in = self.tries
        if why not in self.reasons and len(self.reasons) < 4:
            self.reasons.append(why)

    def path(self, name, text=None):
        path = os.path.join(self.folder, name)
        if text is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write(text)
        return path

    def dir(self, name, mode=0o755):
        path = self.path(name)
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        return path

    def mount(self, *words):
        """mount(8); the last word is the place, which is taken off at the end."""
        done = subprocess.run(["mount", *words], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise Skip("mount %s: %s" % (" ".join(words), done.stderr.strip()))
        self.mounts.append(words[-1])

    def listing(self, folder):
        """All that is in a folder, with what could have been changed of it."""
        found = {}
        for where, folders, names in os.walk(folder):
            for name in [""] + folders + names if where == folder else folders + names:
                path = os.path.join(where, name)
                status = os.lstat(path)
                text = open(path, "rb").read() if os.path.isfile(path) and not os.path.islink(path) else b""
                found[os.path.relpath(path, folder)] = (oct(status.st_mode), status.st_uid, status.st_gid, status.st_rdev, text[:4096])
        return found

    def differences(self, before, folder):
        now = self.listing(folder)
        return sorted(name for name in set(before) | set(now) if before.get(name) != now.get(name))

    def bundle(self, args, edit=None, name=None):
        """A bundle with busybox and the attacker in its image. `edit` changes the configuration."""
        self.count += 1
        folder = self.path(name or "bundle%d" % self.count)
        rootfs = folder + "/rootfs"
        for part in ("bin", "proc", "sys", "dev", "etc", "tmp", "vol"):
            os.makedirs(os.path.join(rootfs, part), exist_ok=True)
        os.link(self.tool("attacker"), rootfs + "/attacker")
        os.link(self.tool("busybox"), rootfs + "/bin/busybox")
        for word in ("sh", "cat", "ls", "stat", "id", "sleep", "echo", "mkdir", "readlink", "grep", "touch", "true", "find", "dd", "head"):
            os.symlink("busybox", rootfs + "/bin/" + word)
        subprocess.run([self.runtime, "spec", "--bundle", folder], check=True, stdout=subprocess.DEVNULL)
        with open(folder + "/config.json") as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=args, env=["PATH=/bin"])
        config["process"].pop("rlimits", None)
        config["root"]["readonly"] = False
        config["linux"]["cgroupsPath"] = "/attack-%d-%d" % (os.getpid(), self.count)
        for key in ("ambient", "inheritable"):
            config["process"]["capabilities"].pop(key, None)
        capabilities(config, USUAL)
        if self.kind != "runbox":
            # Their device programs need CAP_SYS_RESOURCE, which a nested host may lack; no attack is about them.
            config["linux"]["resources"] = {}
        if edit:
            edit(config)
        with open(folder + "/config.json", "w") as file:
            json.dump(config, file)
        return folder

    def tool(self, name):
        """A copy of the program, on the disk where the images are: they share it."""
        path = self.path("tools/" + name)
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            shutil.copy(self.attacker if name == "attacker" else shutil.which("busybox"), path)
        return path

    def new_id(self):
        self.ids.append("attack-%d-%d" % (os.getpid(), len(self.ids)))
        return self.ids[-1]

    def words(self, *words):
        return [self.runtime, "--root", self.root, *words]

    def reap(self, but=()):
        """Orphans come to this process, and a pid namespace ends only when all of its dead are reaped."""
        for helper in self.helpers:
            helper.poll()
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if not found or found.si_pid in but:
                return
            try:
                os.waitpid(found.si_pid, 0)
            except ChildProcessError:
                pass

    def command(self, words, timeout=30, **more):
        """A command to its end, its output through files, which nobody can hold open against us."""
        with tempfile.TemporaryFile("w+", errors="replace") as out, tempfile.TemporaryFile("w+", errors="replace") as err:
            more.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen(words, stdout=more.pop("stdout", out), stderr=err, **more)
            end = time.monotonic() + timeout
            while process.poll() is None:
                self.reap(but=[process.pid, *[helper.pid for helper in self.helpers]])
                if time.monotonic() > end:
                    process.kill()
                    process.wait()
                    return Done("none after %d s" % timeout, "", "")
                time.sleep(0.001)
            out.seek(0)
            err.seek(0)
            return Done(process.returncode, out.read(), err.read())

    def call(self, *words, **more):
        return self.command(self.words(*words), **more)

    def run(self, bundle, *flags, **more):
        """A container in the foreground, to its end; a new name each time."""
        name = self.new_id()
        done = self.call("run", "--bundle", bundle, *flags, name, **more)
        self.ran += done.status == 0
        if str(done.status).startswith("none"):
            self.call("delete", "--force", name)
        return done

    def start(self, bundle, *flags, **more):
        """A container in the background: its name."""
        name = self.new_id()
        with open(self.path("log-" + name), "w") as log:
            done = self.command(self.words("run", "--detach", "--bundle", bundle, *flags, name), stdout=log, **more)
        assert done.status == 0, "a container of the attack's own: %s" % done
        return name

    def create(self, bundle, *flags, **more):
        name = self.new_id()
        with open(self.path("log-" + name), "w") as log:
            done = self.command(self.words("create", "--bundle", bundle, *flags, name), stdout=log, **more)
        assert done.status == 0, "a container of the attack's own: %s" % done
        return name

    def log(self, name):
        with open(self.path("log-" + name), errors="replace") as file:
            return file.read()

    def wait_for(self, text, name, seconds=5):
        end = time.monotonic() + seconds
        while text not in self.log(name):
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def state(self, name):
        done = self.call("state", name)
        return json.loads(done.out) if done.status == 0 else {}

    def delete(self, name):
        return self.call("delete", "--force", name)

    def helper(self, *words, **more):
        """A process of the attacker's on the host."""
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=more.pop("stdout", subprocess.DEVNULL),
                                   stderr=more.pop("stderr", subprocess.DEVNULL), **more)
        self.helpers.append(process)
        return process

    def stop_helpers(self):
        for helper in self.helpers:
            helper.kill()
            helper.wait()
        self.helpers = []

    def close(self):
        """Ends everything, and says what the runtime did not take away."""
        self.stop_helpers()
        for name in self.ids:
            if os.path.exists(os.path.join(self.root, name)):
                self.delete(name)
        self.reap()
        left = leftovers(self.folder)
        for name in left_cgroups():
            subprocess.run(["rmdir", "/sys/fs/cgroup/" + name], stderr=subprocess.DEVNULL)
        for place in reversed(self.mounts):
            subprocess.run(["umount", "-l", place], stderr=subprocess.DEVNULL)
        force_away(self.folder)
        return left


def leftovers(folder):
    found = ["mount " + line.split()[4] for line in open("/proc/self/mountinfo") if folder + "/root" in line]
    found += ["cgroup " + name for name in left_cgroups()]
    return found


def left_cgroups():
    return [name for name in os.listdir("/sys/fs/cgroup") if name.startswith("attack-%d-" % os.getpid())]


def force_away(folder):
    for line in reversed(list(open("/proc/self/mountinfo"))):
        if folder in line:
            subprocess.run(["umount", "-l", line.split()[4]], stderr=subprocess.DEVNULL)
    # rm(1) has no limit of depth.
    subprocess.run(["rm", "-rf", folder], stderr=subprocess.DEVNULL)


def capabilities(config, names):
    for key in ("bounding", "effective", "permitted"):
        config["process"]["capabilities"][key] = list(names)


def namespace(config, kind, path=None):
    config["linux"]["namespaces"] = [entry for entry in config["linux"]["namespaces"] if entry["type"] != kind]
    config["linux"]["namespaces"].append({"type": kind, **({"path": path} if path else {})})


def user_namespace(config, first=0):
    namespace(config, "user")
    ids = [{"containerID": 0, "hostID": first, "size": 65536}]
    config["linux"].update(uidMappings=ids, gidMappings=ids)


def bind(config, source, destination, *options):
    config["mounts"].append({"destination": destination, "type": "bind", "source": source, "options": ["bind", *options]})


def become_subreaper():
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
