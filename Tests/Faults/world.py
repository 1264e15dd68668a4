"""What a fault may not change: mounts, cgroups, processes and state of our containers, and the host."""
import ctypes
import json
import os
import shutil
import signal
import stat
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36
SYSCTLS = ["kernel/hostname", "kernel/msgmax", "kernel/domainname"]
DEVICES = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/console", "/dev/ptmx", "/dev/stdout", "/dev/fd"]


def lines(path):
    with open(path) as file:
        return file.read().splitlines()


def cgroup_tree():
    for path in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        if os.path.exists(os.path.join(path, "cgroup.procs")) and os.path.exists(os.path.join(path, "cgroup.controllers")):
            return path
    return None


class World:
    """One container's place: bundle, root of states, cgroup. Orphans come to this process, so none can hide."""

    def __init__(self, folder, runtime, payload):
        self.folder, self.runtime = folder, runtime
        self.root, self.bundle = folder + "/root", folder + "/bundle"
        self.rootfs = self.bundle + "/rootfs"
        self.id = "faults-%d" % os.getpid()
        self.cgroup = "/%s/inner" % self.id
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        for name in ("proc", "sys", "dev", "etc", "bin"):
            os.makedirs(os.path.join(self.rootfs, name))
        shutil.copy(payload, self.rootfs + "/payload")
        self.expected = set()
        self.before = self.host()

    def configure(self, edit=None):
        path = self.bundle + "/config.json"
        if os.path.exists(path):
            os.unlink(path)
        subprocess.run([self.runtime, "spec", "--bundle", self.bundle], check=True)
        with open(path) as file:
            config = json.load(file)
        config["process"].update(terminal=False, args=["/payload", "say"], oomScoreAdj=100)
        config["process"]["env"] = ["PATH=/", "HOME=/"]
        config["hostname"] = "faulty"
        config["linux"]["cgroupsPath"] = self.cgroup
        config["linux"]["sysctl"] = {"kernel.msgmax": "4096"}
        if edit:
            edit(config)
        with open(path, "w") as file:
            json.dump(config, file)

    def ended(self, process, seconds):
        """Waits for it, and reaps meanwhile whatever else dies: the end of a pid namespace waits for its orphans' reaper."""
        end = time.monotonic() + seconds
        while process.poll() is None:
            if time.monotonic() > end:
                return False
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if found and found.si_pid != process.pid:
                os.waitpid(found.si_pid, 0)
            elif not found:
                time.sleep(0.001)
        return True

    def call(self, *words):
        """The runtime without a fault, and with no pipe that what it makes would hold open."""
        with open(self.folder + "/aside", "w+") as aside:
            process = subprocess.Popen([self.runtime, "--root", self.root, *words], stdin=subprocess.DEVNULL, stdout=aside, stderr=aside)
            if not self.ended(process, 20):
                process.kill()
                process.wait()
                return 1, "no end after 20 s"
            aside.seek(0)
            return process.returncode, aside.read().strip()

    def state(self):
        status, text = self.call("state", self.id)
        return json.loads(text) if status == 0 else None

    # --- what there is

    def processes(self):
        found = {}
        me = os.getpid()
        parents = {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    text = file.read()
            except OSError:
                continue
            comm = text[text.index(b"(") + 1:text.rindex(b")")].decode(errors="replace")
            words = text[text.rindex(b")") + 2:].split()
            parents[int(name)] = (int(words[1]), comm, words[0])
        for pid, (parent, comm, _) in parents.items():
            above = parent
            while above in parents and above not in (me, 0):
                above = parents[above][0]
            if above == me:
                found[pid] = comm
        return found

    def reap(self):
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return

    def left(self):
        """What is there of our containers: a list of words, empty where nothing is."""
        self.reap()
        found = ["mount %s" % line.split()[4] for line in lines("/proc/self/mountinfo") if self.folder in line]
        tree = cgroup_tree()
        top = os.path.join(tree, self.id) if tree else None
        if top and os.path.isdir(top):
            found += ["cgroup " + os.path.relpath(where, tree) for where, _, _ in os.walk(top)]
        if os.path.isdir(self.root):
            # The cache of compiled seccomp programs belongs to no container.
            for name in sorted(set(os.listdir(self.root)) - {".cache"}):
                inside = os.path.join(self.root, name)
                names = os.listdir(inside) if os.path.isdir(inside) else []
                found.append("state %s: %s" % (name.replace(self.id, "ID"), " ".join(sorted(names))))
        found += ["process %s" % comm for pid, comm in self.processes().items() if pid not in self.expected]
        return [word.replace(self.id, "ID").replace(self.folder, "FOLDER") for word in found]

    def settled(self, seconds=2.0):
        """What is still there after a moment: a process that dies needs one."""
        end = time.monotonic() + seconds
        while True:
            found = self.left()
            if not found or time.monotonic() > end:
                return found
            time.sleep(0.005)

    def files(self):
        found = {}
        for where, folders, names in os.walk(self.rootfs):
            for name in folders + names:
                path = os.path.join(where, name)
                status = os.lstat(path)
                found[os.path.relpath(path, self.rootfs)] = (stat.S_IFMT(status.st_mode), status.st_mode, status.st_uid, status.st_rdev,
                                                             status.st_size if stat.S_ISREG(status.st_mode) else 0)
        return found

    def host(self):
        facts = {name: lines("/proc/sys/" + name) for name in SYSCTLS}
        for path in DEVICES:
            try:
                status = os.lstat(path)
                facts[path] = (status.st_mode, status.st_uid, status.st_rdev)
            except OSError:
                facts[path] = None
        return facts

    def changed(self, files):
        """What of the host, and of the files of the image, is not as before. Mount points may have been made."""
        now, found = self.host(), []
        found += ["%s is %s, was %s" % (name, now[name], self.before[name]) for name in now if now[name] != self.before[name]]
        self.before = now
        present = self.files()
        found += ["rootfs/%s is %s" % (name, present.get(name)) for name in files["before"] if present.get(name) != files["before"][name]]
        found += ["rootfs/%s is new" % name for name in present if name not in files["after"]]
        return found

    def purge(self):
        """By force, where the runtime has failed: so that the next point has a clean place."""
        self.expected = set()
        end = time.monotonic() + 5
        while self.processes() and time.monotonic() < end:
            for pid in self.processes():
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    pass
            self.reap()
            time.sleep(0.01)
        for line in reversed(lines("/proc/self/mountinfo")):
            if self.folder in line:
                subprocess.run(["umount", "-l", line.split()[4]], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.root, ignore_errors=True)
        tree = cgroup_tree()
        for where, _, _ in os.walk(os.path.join(tree, self.id), topdown=False) if tree else ():
            try:
                os.rmdir(where)
            except OSError:
                pass
