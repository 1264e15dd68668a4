"""Cases of ctr about what a container is given: user, rights, mounts, devices, namespaces, cgroup, a whole configuration of its own."""

import itertools
import os
import re

from bench import WORK, Case, Skip, sh, write
from ctr import BOX, USER
from ctr_more import end

RIGHTS = "id; cat /proc/self/status | grep -E '^(Cap|NoNew|Seccomp:|Groups)'"
MOUNTS = "while read a b c d e f; do case $e in /v*|/t*) echo $e ${f%% - *};; esac; done < /proc/self/mountinfo"


NUMBERS = itertools.count()


def runs(command, *flags, **more):
    """A case that runs one container. What ctr refuses half-way it keeps, so that each has a name of its own."""
    name = f"b{next(NUMBERS)}"
    return lambda e: e.run(name, "sh", "-c", command, flags=flags, **more)


def has_flag(name):
    if name + " " not in sh("ctr", "run", "--help")[1]:
        raise Skip(f"this ctr has no {name}")


def with_flag(command, *flags):
    run = runs(command, *flags)

    def asked(e):
        has_flag(flags[0])
        return run(e)
    return asked


def volume(e, name):
    folder = f"{WORK}/volume-ctr-{name}-{e.tag}"
    write(folder + "/file", "from the host\n")
    os.makedirs(folder + "/deep", exist_ok=True)
    os.chmod(folder, 0o777)
    return folder


def mounted(options, command):
    def run(e):
        return e.run("b", "sh", "-c", command, flags=["--mount", f"type=bind,src={volume(e, 'm')},dst=/v,options={options}"])
    return run


def propagated(e):
    """What the host mounts later is seen with rslave, and not with rprivate."""
    folder = volume(e, "slave")
    sh("mount", "--bind", folder, folder)
    sh("mount", "--make-shared", folder)
    try:
        e.run("slave", "sleep", "1000", detach=True, flags=["--mount", f"type=bind,src={folder},dst=/v,options=rbind:rslave", "--mount",
                                                             f"type=bind,src={folder},dst=/v2,options=rbind:rprivate"])
        sh("mount", "-t", "tmpfs", "later", folder + "/deep")
        told = e.exec("slave", "sh", "-c", "grep -c ' /v/deep ' /proc/self/mountinfo; grep -c ' /v2/deep ' /proc/self/mountinfo")
    finally:
        sh("umount", folder + "/deep")
        sh("umount", folder)
    return told + "\n" + end(e, "slave")


PROFILE = '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}'


def seccomp_file(e):
    write(WORK + "/profile.json", PROFILE)
    return e.run("b", "sh", "-c", "busybox mkdir /made; echo $?; grep Seccomp: /proc/self/status",
        flags=["--seccomp", "--seccomp-profile", WORK + "/profile.json"])


def apparmor(*flags):
    def run(e):
        if not os.path.exists("/sys/kernel/security/apparmor/profiles"):
            raise Skip("no AppArmor here")
        told = e.run(f"aa{len(flags[1])}", "cat", "/proc/self/attr/current", flags=flags)
        return "refused" if told.startswith("1:") and len(told) > 10 else told
    return run


def environment(e):
    write(WORK + "/environment", "B=from file\nC=\n")
    return e.run("b", "sh", "-c", "echo $A-$B-$C-; pwd; echo $PATH", flags=["--env", "A=b c", "--env-file", WORK + "/environment", "--cwd", "/made/here"])


def device(e):
    """A node of the host that is no default one, and a folder of them."""
    if not os.path.exists("/dev/fuse"):
        raise Skip("the host has no /dev/fuse")
    return e.run("b", "sh", "-c", "ls -l /dev/fuse | tr -s ' ' | cut -d' ' -f1,3-6; ls /dev", flags=["--device", "/dev/fuse"])


def cgroup_path(e):
    path = f"/ctr-own-{e.tag}/inner"
    flags = ["--cgroup", path] if e.manager == "cgroupfs" else ["--cgroup", f"system.slice:own:{e.tag}"]
    base = [flag for flag in e.runtime_flags(e.name("own")) if not flag.startswith("system.slice:") and flag != "--cgroup"]
    e.do("run", "--detach", *base, *flags, BOX, e.name("own"), "sleep", "1000")
    with open(f"/proc/{e.pid('own')}/cgroup") as file:
        found = file.read().strip().replace(e.tag, "TAG")
    told = f"{found}\n{end(e, 'own')}"
    # What runc makes above its cgroup stays.
    if e.manager == "cgroupfs" and os.path.isdir(f"/sys/fs/cgroup/ctr-own-{e.tag}"):
        os.rmdir(f"/sys/fs/cgroup/ctr-own-{e.tag}")
    return told


def without_cgroup(e):
    base = ["--runc-binary", e.runtime, "--cpu-shares", "0", "--cgroup", ""]
    return e.do("run", "--rm", *base, BOX, e.name("nocg"), "sh", "-c", "echo it runs; exit 3")


def own_users(e):
    """Each with ids of its own: ctr makes a snapshot for a mapping, and two at once are in each other's way."""
    first = "200000" if e.tag == "runbox" else "300000"
    command = "tr -s ' ' < /proc/self/uid_map; id -u; stat -c '%u %g' /bin/busybox; touch /made && stat -c %u /made; cat /proc/self/setgroups; "
    told = e.run("users", "sh", "-c", command + RIGHTS, flags=["--uidmap", f"0:{first}:65536", "--gidmap", f"0:{first}:65536"])
    return told.replace(first, "FIRST")


def joined_processes(e):
    """The namespaces of another container's processes and host name."""
    e.run("host", "sleep", "4321", detach=True)
    flags = [word for kind in ("pid", "uts") for word in ("--with-ns", f"{kind}:/proc/{e.pid('host')}/ns/{kind}")]
    told = e.run("guest", "sh", "-c", "cat /proc/1/cmdline | tr '\\0' ' '; echo; test $$ != 1 && echo not first", flags=flags)
    return told + "\n" + end(e, "host")


def wrong_namespace(e):
    return e.run("b", "true", flags=["--with-ns", "network:/proc/self/ns/nothere"])


CONFIG = """{"ociVersion": "1.0.2", "process": {"terminal": false, "user": {"uid": 1000, "gid": 1000, "umask": 23, "additionalGids": [7, 8]},
"args": ["sh", "-c", "id; umask; head -8 /proc/self/limits | tail -2; grep files /proc/self/limits; cat /proc/self/oom_score_adj /etc/marked; hostname; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; exit 6"],
"env": ["PATH=/bin"], "cwd": "/tmp", "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"], "permitted": ["CAP_KILL"]},
"rlimits": [{"type": "RLIMIT_NOFILE", "hard": 99, "soft": 77}, {"type": "RLIMIT_CORE", "hard": 0, "soft": 0}], "noNewPrivileges": true, "oomScoreAdj": 300},
"root": {"path": "TREE", "readonly": true}, "hostname": "inner", "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
{"destination": "/etc/marked", "type": "bind", "source": "MARK", "options": ["bind", "ro"]},
{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
"hooks": {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "echo hooked >> MARK"]}], "poststop": [{"path": "/bin/sh", "args": ["sh", "-c", "echo stopped >> MARK"]}]},
"linux": {"sysctl": {"net.ipv4.ip_unprivileged_port_start": "81"}, "namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}],
"maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"]}}"""


def configured(e):
    """A whole configuration, as ctr passes it on: limits of the process, groups, umask, sysctl, hooks."""
    mark, path = f"{WORK}/mark-{e.tag}", f"{WORK}/config-{e.tag}.json"
    write(mark, "")
    write(path, CONFIG.replace("TREE", WORK + "/tree").replace("MARK", mark))
    told = e.do("run", "--rm", "--runc-binary", e.runtime, "--config", path, e.name("conf"))
    with open(mark) as file:
        return told + "\n" + file.read()


def wrong_config(text, words):
    def run(e):
        path = f"{WORK}/wrong-{e.tag}.json"
        write(path, CONFIG.replace("TREE", WORK + "/tree").replace("MARK", WORK + "/tree.tar").replace(*text))
        told = e.do("run", "--rm", "--runc-binary", e.runtime, "--config", path, e.name("wrong"))
        return "refused" if told.startswith("1:") and re.search(words + "|error (no such file|not found)", told) else told
    return run


USERS = [
    Case("environment, a directory that is made", environment, "^0: [|] b c-from file-- [|] /made/here [|] /bin"),
    Case("a working directory that is a file", runs("true", "--cwd", "/etc/passwd"), "^1:", clean=True),
    Case("the image's user, directory and environment", runs("id; pwd; echo $A", image=USER), "uid=1000.*[|] /tmp [|] image"),
    Case("a user by name", with_flag(RIGHTS, "--user", "user"), "uid=1000.*CapEff:.0000000000000000"),
    Case("a user and a group by number", with_flag(RIGHTS, "--user", "77:88"), "uid=77 gid=88"),
    Case("a user that is not there", with_flag(RIGHTS, "--user", "nobody"), "^1:"),
    Case("a host name", with_flag("hostname; cat /proc/sys/kernel/hostname", "--hostname", "inner"), "^0: [|] inner [|] inner"),
    Case("user namespace", own_users, "0 FIRST 65536", clean=True),
]
GIVEN = [
    Case("capabilities added and dropped", runs(RIGHTS, "--cap-add", "CAP_NET_ADMIN", "--cap-drop", "CAP_CHOWN"), "CapEff"),
    Case("a capability that is not there", runs("true", "--cap-add", "CAP_NOTHING"), "^[01]:"),
    Case("new privileges", runs(RIGHTS, "--allow-new-privs"), "NoNewPrivs:.0"),
    Case("no new privileges, no seccomp", runs(RIGHTS), "NoNewPrivs:.1.*Seccomp:.0"),
    Case("seccomp, the default", runs(RIGHTS + "; busybox unshare -U true; echo $?", "--seccomp"), "Seccomp:.2"),
    Case("seccomp from a file", seccomp_file, "Seccomp:.2.*not supported"),
    Case("AppArmor, the default", apparmor("--apparmor-default-profile", "cri-containerd.apparmor.d"), "cri-containerd"),
    Case("AppArmor, a profile that is not there", apparmor("--apparmor-profile", "nosuchprofile"), "^refused$", clean=True),
    Case("a volume", mounted("rbind:rw", "cat /v/file; touch /v/made && echo made"), "from the host [|] made"),
    Case("a read-only volume", mounted("rbind:ro", "cat /v/file; touch /v/made"), "from the host.*Read-only"),
    Case("a volume with options", mounted("rbind:ro:nosuid:nodev:noexec", MOUNTS), "/v ro,nosuid,nodev,noexec"),
    Case("a volume that is not there", runs("true", "--mount", "type=bind,src=/nowhere/at/all,dst=/v,options=rbind:rw"), "^1:", clean=True),
    Case("a wrong option of a mount", runs(MOUNTS, "--mount", "type=tmpfs,src=tmpfs,dst=/t,options=nothing"), "^1:", clean=True),
    Case("tmpfs with options", runs(MOUNTS + "; stat -c %a /t", "--mount", "type=tmpfs,src=tmpfs,dst=/t,options=size=1m:mode=1770:noexec:nosuid"),
         "/t rw,nosuid,noexec.*1770"),
    Case("propagation of a volume", propagated, "^[01]: [|] 1 [|] 0"),
    Case("propagation of the root", runs("grep -E ' / / ' /proc/self/mountinfo | grep -o 'master\\|shared'; echo done", "--rootfs-propagation", "rslave"),
         "done$"),
    Case("a device", device, "^0: .*fuse"),
    Case("a device that is not there", runs("true", "--device", "/dev/nowhere"), "^1:"),
    Case("a root without image", lambda e: e.do("run", "--rm", *e.runtime_flags(e.name("root")), "--read-only", "--rootfs", WORK + "/tree", e.name("root"),
         "/bin/sh", "-c", "cat /etc/group; touch /x 2>&1; sleep 0.5"),
         "user:x:1000.*Read-only"),
    Case("without pivot_root", runs("ls /; exit 3", "--no-pivot"), "^3: .*bin"),
    Case("annotations and labels", runs("exit 3", "--annotation", "a=b", "--label", "c=d"), "^3:$"),
    Case("processes and host name of another", joined_processes, "sleep 4321 .*not first", clean=True),
    Case("a namespace that is not there", wrong_namespace, "^1: [|] error (no such file or directory|not found)$", clean=True),
    Case("a cgroup of one's own", cgroup_path, "own", clean=True),
    Case("no cgroup", without_cgroup, "^3: [|] it runs$", clean=True),
    Case("a whole configuration", configured, "^6: .*groups=.*inner.*81.*hooked [|] stopped$", clean=True),
    Case("a hook that fails", wrong_config(("echo hooked >>", "exit 3;"), "hook"), "^refused$", clean=True),
    Case("a hook that is not there", wrong_config(('"/bin/sh"', '"/bin/nothere"'), "hook|no such file"), "^refused$", clean=True),
    Case("a sysctl that is not there", wrong_config(("net.ipv4.ip_unprivileged_port_start", "net.ipv4.nothing"), "sysctl|no such file"), "^refused$",
         clean=True),
    Case("a limit that is none", wrong_config(("RLIMIT_NOFILE", "RLIMIT_NOTHING"), "(?i)rlimit"), "^refused$", clean=True),
]
