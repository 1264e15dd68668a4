#!/usr/bin/env python3
"""The same bundles under runbox, crun and runc: what differs, and why.

Each case is a bundle that exercises one feature. It is run under every runtime that is installed, in one private mount
namespace where /sys/fs/cgroup is the cgroup v2 tree, and what came out is compared: the exit code, what the probe saw inside
the container, the fields of `state` and `list`. Error texts are not compared, only that there is an error.

    fifty.py [--runbox PATH] [--probe PATH] [--only WORD] [--verbose] [--write | --check]

A difference that no entry of EXPLAINED covers makes the exit status 1. --write makes docs/differences.md, --check compares it.
"""
import argparse
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.dirname(os.path.dirname(HERE))
DOCUMENT = os.path.join(PACKAGE, "docs", "differences.md")
RUNTIMES = ["runbox", "crun", "runc"]
CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]

# ------------------------------------------------------------------------------------------------------------- cases

CASES = []


def case(*verbs, flags=(), user_namespace=False, prepare=None, args=None, scenario=None):
    """Registers an edit of the configuration as a case; its name is the function's, its text the doc string."""
    def register(edit):
        CASES.append(dict(
            name=edit.__name__.strip("_").replace("_", "-"), text=edit.__doc__, edit=edit, verbs=list(verbs), flags=list(flags),
            user_namespace=user_namespace, prepare=prepare, args=args, scenario=scenario))
        return edit
    return register


def mount(config, destination, type=None, source=None, options=None):
    entry = {"destination": destination}
    for key, value in (("type", type), ("source", source), ("options", options)):
        if value is not None:
            entry[key] = value
    config["mounts"].append(entry)


def drop_namespace(config, type):
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != type]


def put(path, content, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(content)
    os.chmod(path, mode)


@case("ids", "caps", "process", "cwd", "umask", "env", "uts")
def plain(c, b): "The plain bundle of `spec`, without a terminal"


@case("exit:42")
def exit_code(c, b): "The payload's exit code"


@case("kill:KILL")
def killed(c, b):
    "A payload that dies of a signal"
    drop_namespace(c, "pid")


@case(args=["absent-program"])
def not_found(c, b): "A program that is not there"


@case(args=["/etc/passwd"])
def not_executable(c, b): "A file that is no program"


@case(args=["env"])
def path_lookup(c, b):
    "The program is found on the container's PATH"
    c["process"]["env"] = ["PATH=/absent:/bin", "A=b"]


@case("env")
def environment(c, b):
    "process.env and HOME"
    c["process"]["env"] = ["PATH=/bin", "A=b=c", "EMPTY="]


@case("env")
def home_of_another_user(c, b):
    "HOME comes from the container's passwd"
    c["process"]["user"] = {"uid": 1000, "gid": 1000}


@case("cwd", "stat:/new/place")
def cwd_made(c, b):
    "process.cwd is made when it is missing"
    c["process"]["cwd"] = "/new/place"


@case("ids", "caps")
def user_and_groups(c, b):
    "process.user with additional groups"
    c["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [5, 1002]}


@case("umask", "create:/file", "stat:/file")
def umask(c, b):
    "process.user.umask"
    c["process"]["user"]["umask"] = 0o027


@case("limits")
def rlimits(c, b):
    "process.rlimits"
    c["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}]


@case("read:/proc/self/oom_score_adj")
def oom_score_adj(c, b):
    "process.oomScoreAdj"
    c["process"]["oomScoreAdj"] = 321


@case("caps")
def capabilities_of_root(c, b):
    "Root with one capability"
    for name in ("bounding", "effective", "permitted"):
        c["process"]["capabilities"][name] = ["CAP_CHOWN"]


@case("caps")
def capabilities_of_a_user(c, b):
    "A user with ambient capabilities"
    c["process"]["user"] = {"uid": 1000, "gid": 1000}
    for name in ("bounding", "effective", "permitted", "inheritable", "ambient"):
        c["process"]["capabilities"][name] = ["CAP_NET_BIND_SERVICE"]


@case("caps")
def no_capabilities_object(c, b):
    "process.capabilities is absent"
    del c["process"]["capabilities"]


@case("process")
def new_privileges(c, b):
    "process.noNewPrivileges is false"
    c["process"]["noNewPrivileges"] = False


@case("fds", "signals")
def descriptors_and_signals(c, b): "What the payload inherits"


@case("fds", "fdread:3", flags=["--preserve-fds", "1"])
def preserved_descriptors(c, b): "--preserve-fds"


@case("keyring")
def keyring(c, b): "A session keyring of its own"


@case("ns")
def namespaces(c, b): "The five namespaces of `spec`"


@case("ns", "read:/proc/self/cgroup")
def cgroup_namespace(c, b):
    "A cgroup namespace"
    c["linux"]["namespaces"].append({"type": "cgroup"})


@case("ns", "ids", "userns", "caps", user_namespace=True)
def user_namespace(c, b): "A user namespace with mappings, as root"


@case("ids", "write:/dev/null:x", "stat:/dev/null", "mount:/proc", "mount:/sys", "mqueue", user_namespace=True)
def user_namespace_devices_and_mounts(c, b): "Devices and mounts in a user namespace"


@case("ids", "userns", "mount:/m", "write:/dev/null:x")
def user_namespace_without_mappings(c, b):
    "A user namespace without mappings, as root"
    c["linux"]["namespaces"].append({"type": "user"})
    for entry in c["mounts"]:
        entry["options"] = [option for option in entry.get("options", []) if option != "gid=5"]  # which is not mapped
    mount(c, "/m", "tmpfs", "tmpfs", ["size=1m", "ro", "nosuid", "mode=755"])


@case("stat:/dev/mine", "open:/dev/mine:rw", "stat:/dev/pipe", user_namespace=True)
def user_namespace_with_devices_of_its_own(c, b):
    "linux.devices below a user namespace that the host does not have"
    c["linux"]["devices"] = [
        {"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 5, "gid": 6},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o600}]


@case("mount:/sys/fs/cgroup", "mkdir:/sys/fs/cgroup/x", user_namespace=True)
def user_namespace_with_the_hosts_cgroups(c, b):
    "The cgroup file system in a user namespace without a cgroup namespace"
    mount(c, "/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime"])


@case("ns", "lo")
def hosts_network(c, b):
    "No network namespace"
    drop_namespace(c, "network")


@case("ns", "process")
def hosts_pids(c, b):
    "No pid namespace"
    drop_namespace(c, "pid")


@case("ns", "uts")
def joined_namespaces(c, b):
    "Namespaces by path: those of another process"
    c.pop("hostname")
    for entry in c["linux"]["namespaces"]:
        if entry["type"] in ("uts", "ipc"):
            entry["path"] = "/proc/%s/ns/%s" % (os.environ["FIFTY_HOLDER"], entry["type"])


@case("lo")
def loopback(c, b): "The loopback device of a new network namespace"


@case("uts")
def hostname(c, b):
    "hostname"
    c["hostname"] = "some-name"


@case("uts")
def hostname_without_namespace(c, b):
    "hostname without a UTS namespace"
    drop_namespace(c, "uts")


@case("read:/proc/sys/net/ipv4/ip_forward", "read:/proc/sys/kernel/msgmax")
def sysctl(c, b):
    "linux.sysctl"
    c["linux"]["sysctl"] = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "4096"}


@case("say:it ran")
def sysctl_of_the_host(c, b):
    "A sysctl that belongs to no namespace"
    c["linux"]["sysctl"] = {"vm.swappiness": "10"}


@case("create:/file", "mount:/")
def readonly_root(c, b):
    "root.readonly"
    c["root"]["readonly"] = True


@case("say:it ran")
def missing_root(c, b):
    "root.path is not there"
    c["root"]["path"] = "absent"


@case("create:/file", "mount:/proc", "list:/", flags=["--no-pivot"])
def no_pivot(c, b): "--no-pivot"


@case("mount:/")
def shared_root(c, b):
    "linux.rootfsPropagation: shared"
    c["linux"]["rootfsPropagation"] = "shared"


@case("mount:/m", "stat:/m")
def tmpfs(c, b):
    "A tmpfs with flags and data"
    mount(c, "/m", "tmpfs", "tmpfs", ["nosuid", "nodev", "noexec", "noatime", "size=64k", "mode=711"])


@case("mount:/m", "read:/m/hello", "create:/m/new", prepare=lambda b: put(b + "/data/hello", "world"))
def bind_mount(c, b):
    "A read-only bind mount of a folder, relative to the bundle"
    mount(c, "/m", "none", "data", ["rbind", "ro", "nosuid"])


@case("read:/a/b/file", "stat:/a/b/file", "stat:/a", prepare=lambda b: put(b + "/file", "content"))
def bind_mount_of_a_file(c, b):
    "A file on a target that has to be made"
    mount(c, "/a/b/file", "none", b + "/file", ["bind"])


@case("say:it ran")
def missing_source(c, b):
    "A bind mount whose source is not there"
    mount(c, "/m", "none", b + "/absent", ["bind"])


@case("mount:/m", "mount:/n")
def mount_propagation(c, b):
    "Propagation of mounts"
    mount(c, "/m", "tmpfs", "tmpfs", ["shared"])
    mount(c, "/n", "tmpfs", "tmpfs", ["unbindable"])


@case("mount:/m", "create:/m/x")
def recursive_readonly(c, b):
    "rro"
    mount(c, "/m", "none", b + "/rootfs/tmp", ["rbind", "rro"])


@case("mount:/m")
def no_symlink_following(c, b):
    "nosymfollow"
    mount(c, "/m", "tmpfs", "tmpfs", ["nosymfollow"])


@case("mount:/m", "read:/m/old", "create:/m/new", prepare=lambda b: put(b + "/rootfs/m/old", "old"))
def tmpcopyup(c, b):
    "tmpcopyup"
    mount(c, "/m", "tmpfs", "tmpfs", ["tmpcopyup"])


@case("say:it ran")
def unknown_mount_option(c, b):
    "An option that no file system knows"
    mount(c, "/m", "tmpfs", "tmpfs", ["frobnicate=1"])


@case("say:it ran")
def mount_inside_proc(c, b):
    "A mount on a file of /proc that is not on the list"
    mount(c, "/proc/version", "none", b + "/config.json", ["bind"])


@case("create:/link/x", "stat:/link",
      prepare=lambda b: (os.makedirs(b + "/victim"), os.symlink("../" * 12 + b[1:] + "/victim", b + "/rootfs/link")))
def target_behind_a_link(c, b):
    "A mount's target is a link that leads out of the root"
    mount(c, "/link/x/y", "tmpfs", "tmpfs")


@case("stat:/gone/there", "stat:/elsewhere/deep", prepare=lambda b: (
    os.symlink("/gone/there", b + "/rootfs/link"), os.symlink("elsewhere", b + "/rootfs/parent"), os.makedirs(b + "/rootfs/elsewhere")))
def target_behind_a_dangling_link(c, b):
    "A bind mount's target is a link to what is not there, another's lies below a linked folder"
    mount(c, "/parent/deep", "none", b + "/rootfs/tmp", ["bind"])
    mount(c, "/link", "none", b + "/rootfs/tmp", ["bind"])


@case("mount:/m/shm")
def recursion_beside_bind(c, b):
    "rbind and bind in one list of options"
    mount(c, "/m", "none", "/dev", ["rbind", "bind"])


@case("read:/out/file", "mount:/out", prepare=lambda b: put(b + "/data/sub/file", "content"))
def source_in_an_earlier_mount(c, b):
    "A bind mount whose source an earlier mount of the container brings"
    mount(c, "/data", "none", b + "/data", ["rbind"])
    mount(c, "/out", "none", b + "/rootfs/data/sub", ["rbind", "ro"])


@case("read:/out/secret", prepare=lambda b: (put(b + "/outside/secret", "x"), os.symlink(b + "/outside", b + "/rootfs/link")))
def source_behind_a_link_of_the_image(c, b):
    "A bind mount whose source is a link of the image that leads out of the root"
    mount(c, "/out", "none", b + "/rootfs/link", ["rbind"])


@case("say:it ran")
def symbolic_link_at_proc(c, b):
    "/proc is a link in the image"
    os.rmdir(b + "/rootfs/proc")
    os.symlink("tmp", b + "/rootfs/proc")


@case("say:it ran")
def cgroup_mount_with_an_unknown_option(c, b):
    "An option of the cgroup file system that the kernel does not know"
    c["linux"]["namespaces"].append({"type": "cgroup"})
    mount(c, "/sys/fs/cgroup", "cgroup", "cgroup", ["ro", "frobnicate"])


@case("mount:/sys/fs/cgroup", "mkdir:/sys/fs/cgroup/x")
def cgroup_mount(c, b):
    "The cgroup file system, read-only, in a cgroup namespace"
    c["linux"]["namespaces"].append({"type": "cgroup"})
    mount(c, "/sys/fs/cgroup", "cgroup", "cgroup", ["nosuid", "noexec", "nodev", "relatime", "ro"])


@case("list:/dev", "stat:/dev/null", "stat:/dev/tty", "link:/dev/fd", "link:/dev/ptmx", "open:/dev/ptmx:rw")
def default_devices(c, b): "The devices and links of /dev"


@case("stat:/dev/mine", "stat:/dev/pipe")
def configured_devices(c, b):
    "linux.devices"
    c["linux"]["devices"] = [
        {"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 5, "gid": 6},
        {"path": "/dev/pipe", "type": "p", "fileMode": 0o600}]


@case("open:/dev/fuse:rw", "open:/dev/null:rw", "mknod:/tmp/node:c:10:229")
def device_rules(c, b):
    "linux.resources.devices: all denied"
    c["linux"]["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666}]
    c["linux"]["resources"] = {"devices": [{"allow": False, "access": "rwm"}]}
    for name in ("bounding", "effective", "permitted"):
        c["process"]["capabilities"][name] = ["CAP_MKNOD"]


@case("open:/dev/fuse:rw")
def device_rules_allow(c, b):
    "linux.resources.devices: one allowed"
    c["linux"]["devices"] = [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666}]
    c["linux"]["resources"] = {"devices": [
        {"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"}]}


@case("stat:/secret", "read:/secret", "list:/secrets", "create:/secrets/x",
      prepare=lambda b: (put(b + "/rootfs/secret", "x"), put(b + "/rootfs/secrets/key", "x")))
def masked_paths(c, b):
    "linux.maskedPaths: a file, a folder, one that is not there"
    c["linux"]["maskedPaths"] = ["/secret", "/secrets", "/absent"]


@case("mount:/secret", "mount:/secrets", prepare=lambda b: (put(b + "/rootfs/secret", "x"), put(b + "/rootfs/secrets/key", "x")))
def masked_twice(c, b):
    "A path twice in linux.maskedPaths"
    c["linux"]["maskedPaths"] = ["/secret", "/secrets", "/secret", "/secrets"]


@case("create:/data/x", "write:/proc/sys/kernel/domainname:x", prepare=lambda b: put(b + "/rootfs/data/old", "x"))
def readonly_paths(c, b):
    "linux.readonlyPaths"
    c["linux"]["readonlyPaths"] = ["/data", "/proc/sys", "/absent"]


@case("seccomp", "try:99:0x7fff00000000", "try:39")
def seccomp_errno(c, b):
    "linux.seccomp: ERRNO with errnoRet"
    c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["sysinfo", "no_such_call"], "action": "SCMP_ACT_ERRNO", "errnoRet": 2}]}


@case("try:99:0x7fff00000000", "try:95:10", "try:95:11")
def seccomp_kill_and_arguments(c, b):
    "linux.seccomp: KILL and a comparison of an argument"
    c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["sysinfo"], "action": "SCMP_ACT_KILL_PROCESS"},
        {"names": ["umask"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": 10, "op": "SCMP_CMP_EQ"}]}]}


SMALL_PROFILE = """read write open openat close stat fstat lstat lseek mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn
ioctl pread64 writev access madvise dup dup2 dup3 nanosleep getpid clone fork vfork execve exit wait4 kill uname fcntl getcwd chdir fchdir
readlink readlinkat getuid getgid geteuid getegid getppid setuid setgid setgroups setresuid setresgid capget capset sigaltstack prctl arch_prctl
gettid futex sched_getaffinity sched_yield set_tid_address clock_gettime exit_group epoll_ctl epoll_pwait epoll_create1 tgkill newfstatat faccessat
faccessat2 set_robust_list pipe2 prlimit64 getrandom execveat statx rseq clone3 close_range openat2 seccomp getdents64 statfs fstatfs setsid umask
poll ppoll mremap sendmsg recvmsg sendto recvfrom getsockopt fsync eventfd2""".split()


@case("try:99:0", "try:1000", "try:39")
def seccomp_newer_than_the_profile(c, b):
    "linux.seccomp: a system call that is newer than the profile"
    c["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X86_64"],
        "syscalls": [{"names": SMALL_PROFILE, "action": "SCMP_ACT_ALLOW"}]}


@case("seccomp", "process", "try:99:0x7fff00000000")
def seccomp_with_new_privileges(c, b):
    "linux.seccomp without noNewPrivileges and without capabilities"
    c["process"]["noNewPrivileges"] = False
    c["process"]["capabilities"] = {}
    c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sysinfo"], "action": "SCMP_ACT_ERRNO"}]}


@case("read:/proc/self/cgroup")
def cgroups_path(c, b):
    "linux.cgroupsPath, absolute"
    c["linux"]["cgroupsPath"] = "/fifty-cgroups-path"


@case("say:it ran")
def limit_without_controller(c, b):
    "A limit whose controller is not in the v2 tree"
    c["linux"]["resources"] = {"pids": {"limit": 100}}


@case("say:hello")
def unified(c, b):
    "linux.resources.unified"
    c["linux"]["resources"] = {"unified": {"cgroup.max.descendants": "7"}}


@case("personality")
def personality(c, b):
    "linux.personality"
    c["linux"]["personality"] = {"domain": "LINUX32"}


@case("sched")
def scheduler(c, b):
    "process.scheduler"
    c["process"]["scheduler"] = {"policy": "SCHED_BATCH", "nice": 5}


@case("ioprio")
def io_priority(c, b):
    "process.ioPriority"
    c["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 3}


@case("say:it ran")
def unknown_rlimit(c, b):
    "An unknown word in process.rlimits"
    c["process"]["rlimits"] = [{"type": "RLIMIT_COFFEE", "soft": 1, "hard": 1}]


@case("say:it ran")
def wrong_type(c, b):
    "A string where a number belongs"
    c["process"]["user"]["uid"] = "0"


@case("say:it ran")
def unknown_key(c, b):
    "A key that the specification does not have"
    c["process"]["noNewPrivilege"] = True


@case("say:it ran")
def twice_the_same_namespace(c, b):
    "A namespace twice"
    c["linux"]["namespaces"].append({"type": "pid"})


def hook(b, kind, *verbs, program=None):
    return [{"path": program or b + "/rootfs/probe", "args": ["hook", "save:%s/log" % b, "say:" + kind] + list(verbs)}]


@case("say:payload", scenario="hooks")
def hooks(c, b):
    "The six kinds of hooks, in order"
    mount(c, b, "none", b, ["bind"])
    for kind in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"):
        c.setdefault("hooks", {})[kind] = hook(b, kind, "stdin", program="/probe" if kind == "startContainer" else None)


@case("say:it ran")
def failing_hook(c, b):
    "A createRuntime hook that fails"
    c["hooks"] = {"createRuntime": hook(b, "createRuntime", "stdin", "exit:3")}


@case("hang", scenario="life-cycle")
def life_cycle(c, b):
    "create, state, start, list, kill, delete"
    c["annotations"] = {"org.example": "value"}


@case("hang", scenario="misuse")
def misuse(c, b): "start twice, delete while running, kill when stopped, unknown names"


@case("hang", scenario="pid-file")
def pid_file(c, b): "--pid-file"


@case("exit:5", scenario="keep")
def detached(c, b): "run --detach"


# ------------------------------------------------------------------------------------------- explained differences

# case → list of (prefix of the compared key, why). A `*` case holds for all.
EXPLAINED = {}
with open(os.path.join(HERE, "explained.json")) as file:
    EXPLAINED = json.load(file)

# ------------------------------------------------------------------------------------------------------ the machinery


def base_config(args):
    return {
        "ociVersion": "1.0.0",
        "process": {
            "terminal": False, "user": {"uid": 0, "gid": 0}, "args": args, "cwd": "/", "noNewPrivileges": True,
            "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            "capabilities": {name: list(CAPABILITIES) for name in ("bounding", "effective", "permitted")}},
        "root": {"path": "rootfs"}, "hostname": "fifty",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
            {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]}],
        "linux": {
            "namespaces": [{"type": t} for t in ("pid", "network", "ipc", "uts", "mount")],
            "maskedPaths": ["/proc/keys", "/sys/firmware"], "readonlyPaths": ["/proc/sys"]}}


class Bench:
    """One case under one runtime."""

    def __init__(self, options, case, runtime, folder):
        self.options, self.case, self.runtime, self.folder = options, case, runtime, folder
        self.bundle = os.path.join(folder, "bundle")
        self.root = os.path.join(folder, "root")
        self.id = "fifty-" + case["name"]
        self.environment = {"PATH": os.environ["PATH"]}
        if runtime == "crun" and options.shim:
            self.environment["LD_PRELOAD"] = options.shim

    def make_bundle(self):
        rootfs = self.bundle + "/rootfs"
        for name in ("bin", "proc", "sys", "dev", "tmp", "etc", "home/service"):
            os.makedirs(rootfs + "/" + name)
        shutil.copy(self.options.probe, rootfs + "/probe")
        shutil.copy(self.options.busybox, rootfs + "/bin/busybox")
        for name in ("sh", "env", "true"):
            os.symlink("busybox", rootfs + "/bin/" + name)
        put(rootfs + "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nservice:x:1000:1000::/home/service:/bin/sh\n")
        if self.case["prepare"]:
            self.case["prepare"](self.bundle)
        config = base_config(self.case["args"] or ["/probe"] + self.case["verbs"])
        self.case["edit"](config, self.bundle)
        if self.case["user_namespace"]:
            config["linux"]["namespaces"].append({"type": "user"})
            for name in ("uidMappings", "gidMappings"):
                config["linux"][name] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
            for folder, _, files in os.walk(rootfs):
                for name in [""] + files:
                    os.lchown(os.path.join(folder, name), 100000, 100000)
        put(self.bundle + "/config.json", json.dumps(config, indent=1))

    def call(self, *words):
        """Runs the runtime; a container that lives on must not keep a pipe of ours open, so output goes to files."""
        program = self.options.programs[self.runtime]
        self.calls = getattr(self, "calls", 0) + 1
        output, errors = (os.path.join(self.folder, "%s%d" % (name, self.calls)) for name in ("out", "err"))
        # Not the host's /dev/null for input: a runtime may give the standard streams to the container's user.
        put(self.folder + "/in", "")
        with open(self.folder + "/in", "rb") as empty, open(output, "wb+") as out, open(errors, "wb+") as err:
            before = []
            if "--preserve-fds" in words:
                put(self.folder + "/preserved", "preserved")
                before = ["sh", "-c", 'exec 3<"%s"; exec "$0" "$@"' % (self.folder + "/preserved")]
            process = subprocess.Popen(
                [*before, program, "--root", self.root, *words], stdin=empty, stdout=out, stderr=err, cwd=self.folder,
                env=self.environment)
            try:
                status = process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                status = "timeout"
            out.seek(0)
            err.seek(0)
            self.error = err.read().decode(errors="replace")
            return status, out.read().decode(errors="replace")

    def observe(self):
        self.make_bundle()
        try:
            seen = getattr(self, "scenario_" + (self.case["scenario"] or "run").replace("-", "_"))()
        finally:
            self.call("delete", "--force", self.id)
        seen["left on the host"] = self.leftovers()
        for folder, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if os.path.basename(folder) == self.id:
                os.rmdir(folder)
        return {key: self.normalise(key, value) for key, value in seen.items()}

    def leftovers(self):
        found = []
        for _ in range(60):
            found = [line.split()[4] for line in open("/proc/self/mountinfo") if self.folder in line]
            found += ["cgroup" for folder, _, _ in os.walk("/sys/fs/cgroup") if os.path.basename(folder) == self.id]
            if os.path.isdir(self.root):
                found += ["state" for name in os.listdir(self.root) if not name.startswith(".")]
            if not found:
                return "nothing"
            time.sleep(0.05)
        return ", ".join(sorted(set(found)))

    def facts(self, text):
        seen = {}
        for line in text.splitlines():
            key, equals, value = line.partition("=")
            seen[key if equals else "says " + line] = value
        return seen

    def scenario_run(self):
        status, out = self.call("run", "--bundle", self.bundle, *self.case["flags"], self.id)
        seen = {"exit": status, "complains": bool(self.error.strip())}
        seen.update(self.facts(out))
        return seen

    def scenario_hooks(self):
        seen = self.scenario_run()
        text = open(self.bundle + "/log").read() if os.path.exists(self.bundle + "/log") else ""
        kinds, states = [], {}
        for line in text.splitlines():
            if line.startswith("stdin="):
                try:
                    state = json.loads(line[6:].replace("\\\\", "\\").replace("\\n", "\n"))
                except ValueError:
                    state = {"status": "unreadable"}
                states[kinds[-1]] = state
            else:
                kinds.append(line)
        seen["order"] = " ".join(kinds)
        for kind, state in states.items():
            seen["status in " + kind] = state.get("status")
            seen["keys in " + kind] = " ".join(sorted(state))
        return seen

    def until(self, *statuses):
        for _ in range(200):
            status, out = self.call("state", self.id)
            if status == 0 and json.loads(out)["status"] in statuses:
                return
            time.sleep(0.02)

    def scenario_life_cycle(self):
        seen = {"create": self.call("create", "--bundle", self.bundle, self.id)[0]}
        for step in ("created", "running", "stopped"):
            self.until(step)
            status, out = self.call("state", self.id)
            state = json.loads(out) if status == 0 else {}
            seen["state %s: status" % step] = state.get("status")
            seen["state %s: has a pid" % step] = bool(state.get("pid"))
            if step == "created":
                seen["state: keys"] = " ".join(sorted(state))
                seen["state: bundle"] = state.get("bundle")
                seen["state: rootfs"] = state.get("rootfs")
                seen["state: annotations"] = json.dumps(state.get("annotations"))
                seen["state: ociVersion"] = state.get("ociVersion")
                seen["start"] = self.call("start", self.id)[0]
            elif step == "running":
                status, out = self.call("list", "--format", "json")
                entries = json.loads(out or "null") or [{}]
                seen["list: keys"] = " ".join(sorted(entries[0]))
                seen["list: status"] = entries[0].get("status")
                seen["list: header"] = " ".join(self.call("list")[1].splitlines()[0].split())
                seen["kill"] = self.call("kill", self.id, "KILL")[0]
        seen["delete"] = self.call("delete", self.id)[0]
        seen["state after delete"] = self.call("state", self.id)[0]
        seen["empty list"] = self.call("list", "--format", "json")[1].strip().replace("\n", "")
        return seen

    def scenario_misuse(self):
        seen = {}
        self.call("create", "--bundle", self.bundle, self.id)
        seen["create twice"] = self.call("create", "--bundle", self.bundle, self.id)[0]
        self.call("start", self.id)
        self.until("running")
        seen["start twice"] = self.call("start", self.id)[0]
        seen["delete while running"] = self.call("delete", self.id)[0]
        seen["unknown signal"] = self.call("kill", self.id, "FOO")[0]
        self.call("kill", self.id, "9")
        self.until("stopped")
        seen["kill when stopped"] = self.call("kill", self.id, "9")[0]
        seen["start when stopped"] = self.call("start", self.id)[0]
        seen["delete"] = self.call("delete", self.id)[0]
        for command in ("state", "start", "kill", "delete"):
            seen[command + " of an unknown name"] = self.call(command, self.id)[0]
        seen["forced delete of an unknown name"] = self.call("delete", "--force", self.id)[0]
        seen["a bad name"] = self.call("create", "--bundle", self.bundle, "a b")[0]
        self.call("delete", "--force", "a b")
        return seen

    def scenario_pid_file(self):
        path = self.folder + "/pid"
        seen = {"create": self.call("create", "--bundle", self.bundle, "--pid-file", path, self.id)[0]}
        state = json.loads(self.call("state", self.id)[1])
        seen["is the state's pid, without a newline"] = open(path).read() == str(state["pid"])
        return seen

    def scenario_keep(self):
        seen = {"run": self.call("run", "--detach", "--bundle", self.bundle, self.id)[0]}
        self.until("stopped")
        status, out = self.call("state", self.id)
        seen["status"] = json.loads(out)["status"] if status == 0 else "gone"
        seen["delete"] = self.call("delete", self.id)[0]
        return seen

    def normalise(self, key, value):
        """Takes out what must differ: numbers of the moment, names and folders of this run."""
        text = str(value)
        if key.startswith("ns."):
            if text == holders(key[3:]):
                return "the holder's"
            return "the host's" if text == str(os.stat("/proc/self/ns/" + key[3:]).st_ino) else "its own"
        if key in ("pid", "ppid", "sid", "pgid") and text not in ("0", "1"):
            return "N"
        if key == "keyring.id" or key.startswith("keyring.description") or key == "boottime":
            return "N"
        if key.startswith("fd."):
            return "the caller's" if text.startswith(self.folder) else text.split(":")[0]
        for old, new in ((self.bundle, "BUNDLE"), (self.folder, "FOLDER"), (self.id, "ID")):
            text = text.replace(old, new)
        # What nobody can guess is runbox's alone; the name in front of it is what there is to compare.
        return re.sub(r"\.[0-9a-f]{16}$", ".RANDOM", text) if key == "keyring" else text


def holders(name):
    """The inode of a namespace that belongs to the process whose namespaces are joined; none where it has the host's."""
    inode = os.stat("/proc/%s/ns/%s" % (os.environ["FIFTY_HOLDER"], name)).st_ino
    return str(inode) if inode != os.stat("/proc/self/ns/" + name).st_ino else None


def in_private_view():
    """This program again, in a mount namespace where /sys/fs/cgroup is the v2 tree (as on an ordinary host)."""
    if os.environ.get("FIFTY_VIEW") == "private":
        return
    os.environ["FIFTY_VIEW"] = "private"
    script = 'if ! grep -q " /sys/fs/cgroup .* - cgroup2 " /proc/self/mountinfo; then ' \
             'mount --bind "$(grep -m1 " - cgroup2 " /proc/self/mountinfo | cut -d" " -f5)" /sys/fs/cgroup; fi; exec "$0" "$@"'
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", "sh", "-c", script, sys.executable, os.path.abspath(__file__)] + sys.argv[1:])


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/resource.h>
// crun 1.8 raises RLIMIT_MEMLOCK before it loads its device program, which kernels since 5.11 do not need: without
// CAP_SYS_RESOURCE it would stop there.
int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) {
    int (*real)(__rlimit_resource_t, const struct rlimit *) = dlsym(RTLD_NEXT, "setrlimit");
    return resource == RLIMIT_MEMLOCK && limit->rlim_cur == RLIM_INFINITY ? 0 : real(resource, limit);
}
int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) {
    int (*real)(__rlimit_resource_t, const struct rlimit64 *) = dlsym(RTLD_NEXT, "setrlimit64");
    return resource == RLIMIT_MEMLOCK && limit->rlim_cur == RLIM64_INFINITY ? 0 : real(resource, limit);
}
"""


def compiled(source, target, *flags):
    subprocess.run(["cc", "-O2", *flags, "-o", target, source], check=True)
    return target


def needs_shim():
    capabilities = next(line for line in open("/proc/self/status") if line.startswith("CapEff:")).split()[1]
    return not int(capabilities, 16) >> 24 & 1


def explanation(name, key):
    for scope in (name, "*"):
        for prefix, why in EXPLAINED.get(scope, {}).items():
            if key.startswith(prefix):
                return why
    return None


def compare(results):
    """[(key, {runtime: value})] of the keys in which the runtimes differ."""
    keys = []
    for seen in results.values():
        keys += [key for key in seen if key not in keys]
    return [
        (key, {runtime: seen.get(key, "—") for runtime, seen in results.items()}) for key in keys
        if len({seen.get(key, "—") for seen in results.values()}) > 1]


def document(cases, runtimes, versions, differences):
    with open(os.path.join(PACKAGE, "Tests", "Compare", "rule.md")) as file:
        rule = file.read().strip()
    lines = [
        "# Differences to crun and runc", "", rule, "", "## What was compared", "",
        "Written by `Tests/Compare/fifty.py --write`: %d bundles, each exercising one feature, run under %s; their exit codes, what a probe" % (
            len(cases), ", ".join(versions[r] for r in runtimes)),
        "saw inside, and the fields of `state` and `list` are compared, error texts are not. The explanations stand in",
        "`Tests/Compare/explained.json`; a difference without one fails the comparison. The rule and the deviations stand in `Tests/Compare/rule.md`.", "",
        "## The bundles", "", "| Bundle | What it exercises | Outcome |", "|---|---|---|"]
    for case in cases:
        odd = differences[case["name"]]
        if not odd:
            word = "the same"
        else:
            agrees = [r for r in runtimes if r != "runbox" and all(v[r] == v.get("runbox") for _, v in odd)]
            word = "differs" + (", as %s" % " and ".join(agrees) if agrees else "")
        lines.append("| %s | %s | %s |" % (case["name"], case["text"].replace("|", "\\|"), word))
    lines += ["", "## The differences", "", "| Bundle | What | %s | Why |" % " | ".join(runtimes), "|---|---|%s---|" % ("---|" * len(runtimes))]
    for case in cases:
        for key, values in differences[case["name"]]:
            cells = [short(values[r]) for r in runtimes]
            lines.append("| %s | `%s` | %s | %s |" % (case["name"], key, " | ".join(cells), explanation(case["name"], key) or "**not explained**"))
    return "\n".join(lines) + "\n"


def short(value):
    text = value.replace("|", "\\|").replace("\n", " ")
    return "`%s`" % (text if len(text) <= 100 else text[:97] + "…") if text not in ("", "—") else (text or "empty")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runbox", default=os.environ.get("RUNBOX", os.path.join(PACKAGE, "build", "runbox")))
    parser.add_argument("--probe", default=os.environ.get("RUNBOX_PROBE"))
    parser.add_argument("--only", help="only cases whose name holds this word")
    parser.add_argument("--verbose", action="store_true", help="print everything that was seen")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("fifty.py: run it as root")
    in_private_view()

    options.programs = {}
    for name in RUNTIMES:
        program = options.runbox if name == "runbox" else shutil.which(name)
        if program and os.path.exists(program):
            options.programs[name] = os.path.abspath(program)
        else:
            print("fifty.py: no %s, it is left out" % name, file=sys.stderr)
    runtimes = list(options.programs)
    versions = {}
    for name, program in options.programs.items():
        words = subprocess.run([program, "--version"], capture_output=True, text=True).stdout.splitlines()[0].split()
        versions[name] = "%s %s" % (name, words[-1].split("+")[0])
    options.busybox = shutil.which("busybox") or sys.exit("fifty.py: busybox is missing: apt-get install busybox-static")

    work = tempfile.mkdtemp(prefix="fifty-")
    os.chmod(work, 0o755)
    cases = [case for case in CASES if not options.only or options.only in case["name"]]
    differences, unexplained = {}, 0
    holder = subprocess.Popen(["unshare", "--uts", "--ipc", "sleep", "10000"])
    os.environ["FIFTY_HOLDER"] = str(holder.pid)
    try:
        if not options.probe:
            options.probe = compiled(os.path.join(PACKAGE, "Tests", "Probe", "probe.c"), work + "/probe", "-static")
        options.shim = None
        if "crun" in runtimes and needs_shim():
            put(work + "/shim.c", SHIM)
            options.shim = compiled(work + "/shim.c", work + "/shim.so", "-shared", "-fPIC", "-ldl")
        print("%-36s %s" % ("bundle", "  ".join("%-9s" % r for r in runtimes)))
        for case in cases:
            results = {}
            for runtime in runtimes:
                folder = os.path.join(work, "%s-%s" % (case["name"], "x"))
                os.makedirs(folder)
                os.chmod(folder, 0o755)
                results[runtime] = Bench(options, case, runtime, folder).observe()
                shutil.rmtree(folder, ignore_errors=True)
            odd = compare(results)
            differences[case["name"]] = odd
            groups = []
            marks = []
            for runtime in runtimes:
                if results[runtime] not in groups:
                    groups.append(results[runtime])
                marks.append("=" if len(groups) == 1 else "%s" % "ABC"[groups.index(results[runtime])])
            if len(groups) > 1:
                marks = ["ABC"[groups.index(results[r])] for r in runtimes]
            print("%-36s %s" % (case["name"], "  ".join("%-9s" % m for m in marks)))
            if options.verbose:
                for runtime in runtimes:
                    for key, value in results[runtime].items():
                        print("      %-7s %s = %s" % (runtime, key, value))
            for key, values in odd:
                why = explanation(case["name"], key)
                if not why:
                    unexplained += 1
                print("    %s %s: %s" % (" " if why else "!", key, "; ".join("%s %s" % (r, v[:90]) for r, v in values.items())))
    finally:
        holder.kill()
        holder.wait()
        shutil.rmtree(work, ignore_errors=True)

    same = sum(1 for odd in differences.values() if not odd)
    total = sum(len(odd) for odd in differences.values())
    print("\n%d bundles under %s: %d the same, %d differences in the others, %d of them not explained" % (
        len(cases), ", ".join(versions.values()), same, total, unexplained))
    if not options.only and (options.write or options.check):
        text = document(cases, runtimes, versions, differences)
        if options.write:
            os.makedirs(os.path.dirname(DOCUMENT), exist_ok=True)
            put(DOCUMENT, text)
        elif not os.path.exists(DOCUMENT) or open(DOCUMENT).read() != text:
            print("docs/differences.md is not what this run says: fifty.py --write", file=sys.stderr)
            return 1
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
