"""The cases of Podman's flags: what a container is given, and sees of it."""

import os

from bench import ROOT, WORK, Case, Skip, sh, which, write
from podman import BOX, since


def seen(expected, *words, name=None, look, clean=False, input=None):
    """A case that runs a shell's line in a container with these flags."""
    return Case(name or " ".join(words), lambda e: e.box(*words, BOX, "sh", "-c", look, input=input), expected, clean)


def told(expected, *words, name=None):
    """A case whose container runs `true`, if it runs at all."""
    return Case(name or " ".join(words), lambda e: e.box(*words, BOX, "true"), expected)


def file_of(e, name, text, mode=0o644):
    path = f"{WORK}/files-{e.tag}/{name}"
    write(path, text, mode)
    return path


# --- who and where ---------------------------------------------------------------------------------------------------


def env_file(e):
    path = file_of(e, "env", "# a comment\nFROM_FILE=one two\nHOST_ONE\nEMPTY=\n")
    os.environ["HOST_ONE"] = "host"
    return e.box("--env-file", path, "-e", "B=2", "-e", "HOST_ONE=over", BOX, "sh", "-c", "env | grep -v ^HOSTNAME | sort")


def kept_groups(e):
    """Of an ordinary user's groups runc keeps none, since Podman asks it for nothing; crun stands beside runbox."""
    if ROOT:
        raise Skip("root's groups can be had by their numbers")
    runtime = e.runtime if e.tag == "runbox" else which("crun")
    status, out, err = sh("podman", "--cgroup-manager", e.manager, "--runtime", runtime, "run", "--rm", "--group-add", "keep-groups", BOX, "id", "-G")
    return e.told(status, out, err)


ID = "id; echo $HOME; pwd"
WHO = [
    Case("environment: a file, the host's, over each other", env_file, r"^0: .*EMPTY= [|] FROM_FILE=one two [|].*HOST_ONE=over"),
    seen("^0: .*A=1 [|].*SPACE=a b", "-e", "A=1", "-e", "SPACE=a b", "-e", "E=", look="env | grep -v ^HOSTNAME | sort"),
    seen("^0: [|] HOME", "--unsetenv-all", look="env | grep -v ^HOSTNAME | sort"),
    seen("uid=1000", "--user", "user", look=ID),
    seen("uid=1000.*gid=0", "--user", "user:root", look=ID),
    seen("uid=1234.*gid=5678", "--user", "1234:5678", look=ID),
    seen("uid=0.*gid=1000", "--user", ":1000", look=ID),
    seen("groups=.*77", "--user", "user", "--group-add", "77", "--group-add", "user", look=ID),
    seen("groups=.*77", "--group-add", "77", look=ID),
    told("^12[56]: .*no matching entries|unable to find user", "--user", "nobodyhere"),
    told("^12[56]: ", "--user", "user:nogroup"),
    told("^12[56]: ", "--group-add", "nogroup"),
    seen("^0: [|] 1000", "--user", "user", "--passwd-entry", "x", look="id -u"),
    Case("--group-add keep-groups", kept_groups, "^0: "),
    seen("/tmp$", "-w", "/tmp", look="pwd"),
    told("^12[67]: ", "-w", "/not/there"),
    told("^126: .*does not exist", "-w", "relative"),
    seen("^0: [|] 0027$", "--umask", "0027", look="umask"),
    seen("^0: [|] .*(UTC|GMT|Etc)", "--tz", "UTC", look="date +%Z"),
    seen("^3: [|] entry a b$", "--entrypoint", '["sh", "-c", "echo entry $0 $1; exit 3", "a", "b"]', look="", name="--entrypoint, a list"),
    seen("^0: [|] sh -c given$", "--entrypoint", "echo", look="given", name="--entrypoint, a word"),
    seen("armv8l|i[36]86|x86_64", "--personality", "LINUX32", look="uname -m"),
    seen("^0: [|] 100$", "--oom-score-adj", "100", look="cat /proc/self/oom_score_adj"),
]

# --- file systems ----------------------------------------------------------------------------------------------------


def folder_of(e, name, file="from the host\n"):
    folder = f"{WORK}/folder-{name}-{e.tag}"
    sh(*(["podman", "unshare"] if not ROOT else []), "rm", "-rf", folder)
    write(folder + "/file", file)
    write(folder + "/sub/deep", "deep\n")
    os.chmod(folder, 0o777)
    return folder


OPTIONS = r"grep ' /v' /proc/self/mountinfo | while read a b c d e f g; do echo $e $f ${g%% - *}; done | sed 's/:[0-9]*/:N/g'"


def volume(expected, options, look="cat /v/file; touch /v/made && echo made; " + OPTIONS, words=(), name=None):
    """A folder of the host's as a volume with these options."""
    def run(e):
        folder = folder_of(e, "v")
        text = e.box(*words, "-v", f"{folder}:/v{options}", BOX, "sh", "-c", look)
        return text + f"\nowner {os.stat(folder).st_uid}"
    return Case(name or f"--volume with '{options}' {' '.join(words)}".strip(), run, expected)


def mount(expected, what, look="cat /v/file; touch /v/made && echo made; " + OPTIONS, least=(4, 0), words=()):
    def run(e):
        since(*least)
        return e.box(*words, "--mount", what.replace("FOLDER", folder_of(e, "m")).replace("VOLUME", e.name("vol")), BOX, "sh", "-c", look)
    return Case("--mount " + what, run, expected)


def propagated(e):
    """What the host mounts later shows in the container, and what the container mounts on the host, if that is wanted."""
    if not ROOT:
        raise Skip("mounts of the host's are root's")
    folder, name, text = folder_of(e, "p"), e.name("prop"), []
    sh("mount", "--bind", folder, folder)
    # Where the mount that it lies in is shared, it would else be shared with that, and seen there, too.
    sh("mount", "--make-private", folder)
    sh("mount", "--make-shared", folder)
    for option in ("rprivate", "rslave", "rshared"):
        e.do("run", "-d", "--name", name, "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined", "-v", f"{folder}:/v:{option}", BOX, "sleep",
            "1000")
        os.makedirs(folder + "/late", exist_ok=True)
        sh("mount", "-t", "tmpfs", "late", folder + "/late")
        inside = sh(*e.words("exec", name, "grep", "-c", " /v/late ", "/proc/self/mountinfo"))[1].strip()
        sh("umount", folder + "/late")
        sh(*e.words("exec", name, "mount", "-t", "tmpfs", "inner", "/v/sub"))
        with open("/proc/self/mountinfo") as file:
            outside = file.read().count(folder + "/sub ")
        sh("umount", folder + "/sub") if outside else None
        text.append(f"{option}: host's seen inside {inside}, container's seen outside {outside}")
        e.do("rm", "-f", "-t", "0", name)
    sh("umount", folder)
    return "\n".join(text)


def named_volume(e):
    name = e.name("vola")
    made = e.do("volume", "create", name)
    first = e.box("-v", name + ":/data", BOX, "sh", "-c", "echo kept > /data/file; stat -c '%u %a' /data")
    second = e.box("-v", name + ":/data:ro", BOX, "sh", "-c", "cat /data/file; touch /data/x")
    copied = e.box("-v", e.name("volb") + ":/etc", BOX, "sh", "-c", "ls /etc/passwd")
    mapped = e.box("-v", name + ":/data:noexec,nosuid,nodev", BOX, "sh", "-c", OPTIONS.replace("/v", "/data"))
    return "\n".join([made, first, second, copied, mapped, e.do("volume", "rm", name, e.name("volb"))])


def from_another(e):
    name = e.name("donor")
    e.do("create", "--name", name, "-v", folder_of(e, "d") + ":/v", BOX, "true")
    text = e.box("--volumes-from", name + ":ro", BOX, "sh", "-c", "cat /v/file; touch /v/x")
    return text + "\n" + e.do("rm", name)


def one_file(e):
    path = file_of(e, "one", "only this\n")
    return e.box("-v", path + ":/etc/passwd:ro", "-v", "/dev/null:/etc/group", BOX, "sh", "-c", "cat /etc/passwd; cat /etc/group; echo x > /etc/passwd")


def own_root(e):
    """A folder as the root file system, with and without a layer over it."""
    tree = WORK + "/tree"
    return "\n".join(e.box(*words, sh_, "-c", "id -u; touch /left-here; ls -d /left-here") for words, sh_ in (
        (("--rootfs", tree + ":O"), "/bin/sh"), (("--read-only", "--rootfs", tree), "/bin/sh")))


MOUNTS = "cat /proc/self/mountinfo | while read a b c d e f g; do case $e in /t*) echo $e $f ${g##* - };; esac; done | sort"
FILES = [
    seen("^0: .*Read-only", "--read-only", look="touch /x; touch /tmp/x && touch /run/x && touch /dev/shm/x && echo fine", name="--read-only"),
    seen("Read-only.*Read-only", "--read-only", "--read-only-tmpfs=false", look="touch /x; touch /tmp/x; touch /dev/shm/x; true"),
    seen("size=1024k", "--tmpfs", "/t:size=1m,mode=1770,noexec,nosuid", look=MOUNTS + "; stat -c %a /t; stat -f -c %b /t"),
    seen("/t", "--tmpfs", "/t:rw,exec,suid,dev,size=50%", look="grep -c ' /t ' /proc/self/mountinfo; " + MOUNTS.replace("${g##* - }",
        "") + "; cp /bin/sh /t 2>/dev/null; stat -c %a /t"),
    seen("passwd", "--tmpfs", "/etc", look="ls /etc; stat -c '%u %a' /etc"),
    mount("^0: .*tmpfs.*700", "type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=700", look=MOUNTS + "; stat -c %a /t"),
    mount("^0:$", "type=tmpfs,destination=/etc,notmpcopyup", look="ls /etc | grep -v -e hosts -e resolv -e hostname; true"),
    mount("^0: .*/t", "type=ramfs,destination=/t", look=MOUNTS + "; stat -c %a /t", least=(5, 0)),
    mount("^0: .*/t", "type=devpts,destination=/t", look=MOUNTS),
    volume("from the host [|] made [|] /v rw", ""),
    volume("from the host.*/v ro", ":ro"),
    volume("made [|] /v rw", ":z"), volume("made [|] /v rw", ":Z"), volume("made [|] /v rw", ":rw,noexec,nosuid,nodev"),
    volume("1000 [|] made", ":U", words=("--user", "1000"), look="stat -c %u /v; touch /v/made && echo made"),
    volume("made|invalid argument", ":O", look="cat /v/file; touch /v/made && echo made; ls /v"),
    volume("/v rw", ":slave"), volume("/v rw", ":rshared"), volume("/v rw", ":rprivate"), volume("/v rw", ":private"), volume("/v ro", ":rslave,ro"),
    volume("^12[56]: |^0: ", ":idmap", words=("--uidmap", "0:1:100", "--gidmap", "0:1:100") if not ROOT else ("--uidmap", "0:200000:5000", "--gidmap",
        "0:200000:5000"),
           look="stat -c %u /v/file; touch /v/made && stat -c %u /v/made"),
    volume("^125: ", ":nothing"),
    volume("^125: ", ":ro,rw"),
    Case("--volume of what is not there", lambda e: e.box("-v", "/not/there:/v", BOX, "true"), "^125: "),
    Case("--volume below a file of the image", lambda e: e.box("-v", folder_of(e, "v") + ":/etc/passwd/x", BOX, "true"), "^12[567]: "),
    Case("--volume of a folder over a file", lambda e: e.box("-v", folder_of(e, "v") + ":/etc/passwd", BOX, "true"), "^12[567]: "),
    Case("--volume of single files", one_file, "^1: [|] only this"),
    Case("--volume: propagation", propagated,
        "rprivate: host's seen inside 0, container's seen outside 0.*rslave: host's seen inside 1.*rshared: .* outside 1"),
    Case("named volumes", named_volume, "^0: .*kept"),
    Case("--volumes-from", from_another, "from the host"),
    mount("from the host [|] made", "type=bind,source=FOLDER,destination=/v"),
    mount("from the host", "type=bind,source=FOLDER,destination=/v,ro=true"),
    mount("from the host", "type=bind,source=FOLDER,destination=/v,bind-nonrecursive,bind-propagation=private"),
    mount("/v/bin/sh", f"type=image,source={BOX},destination=/v", look="ls /v/bin/sh; touch /v/x"),
    mount("^0: .*made", "type=volume,source=VOLUME,destination=/v", look="touch /v/made && echo made; rm /v/made; stat -c '%u %a' /v"),
    mount("^12[567]: ", "type=volume,source=VOLUME,destination=/v,subpath=/none", least=(5, 0)),
    mount("^125: ", "type=bind,source=FOLDER"),
    Case("--rootfs", own_root, "^0: "),
    seen("^0: [|] 1024$", "--shm-size", "1m", look="df -k /dev/shm | awk 'NR == 2 {print $2}'"),
]

# --- devices, rights, filters, limits --------------------------------------------------------------------------------

DEVICE = "for d in /dev/mine /dev/zero; do test -e $d && stat -c '%n %a %t:%T' $d; done; head -c 3 /dev/mine | wc -c; echo x > /dev/mine; true"
RIGHTS = "grep -E '^(Cap|NoNew|Seccomp:)' /proc/self/status"
SECCOMP = """{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
"syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}, {"names": ["sync"], "action": "SCMP_ACT_KILL_PROCESS"}]}"""


def filtered(e):
    path = file_of(e, "seccomp.json", SECCOMP)
    return e.box("--security-opt", "seccomp=" + path, BOX, "sh", "-c", "grep Seccomp: /proc/self/status; mkdir /x; (sync); echo $?")


def bad_filter(e):
    return e.box("--security-opt", "seccomp=" + file_of(e, "bad.json", '{"defaultAction": "SCMP_ACT_NOTHING"}'), BOX, "true")


def ruled(e):
    """Nodes that the container makes itself; what it may do with them is the cgroup's affair. Only root can be given CAP_MKNOD."""
    if not ROOT:
        raise Skip("an ordinary user's container makes no nodes")
    look = "mknod /tmp/full c 1 7; mknod /tmp/zero c 1 5; mknod /tmp/mem c 1 1; head -c 1 /tmp/zero | wc -c; echo x > /tmp/full; head -c 1 /tmp/mem; sleep 0.3"
    return "\n".join(e.box("--cap-add", "MKNOD,SYS_RAWIO", *words, BOX, "sh", "-c", look) for words in (
        (), ("--device-cgroup-rule", "c 1:1 rwm"), ("--device-cgroup-rule", "c *:* m"), ("--device-cgroup-rule", "b 8:* rwm", "--device-cgroup-rule",
            "a *:* rwm")))


def limits_of(e):
    return e.box("--ulimit", "nofile=77:99", "--ulimit", "core=0:0", "--ulimit", "nproc=50:60", BOX, "sh", "-c",
        "ulimit -n; ulimit -Hn; ulimit -c; grep processes /proc/self/limits")


RIGHT_CASES = [
    seen("/dev/mine 666 1:5.*3", "--device", "/dev/zero:/dev/mine", look=DEVICE),
    seen("/dev/mine", "--device", "/dev/zero:/dev/mine:r", look=DEVICE),
    seen("/dev/mine", "--device", "/dev/zero:/dev/mine:w", look=DEVICE),
    seen("/dev/full", "--device", "/dev/full", "--user", "user", look="stat -c '%n %a' /dev/full; id -u"),
    told("^12[567]: ", "--device", "/dev/nothere"),
    told("^12[567]: ", "--device", "/dev/zero:/dev/mine:x"),
    Case("--device-cgroup-rule", ruled, "^"),
    seen("CapEff:.*[1-9a-f]", "--cap-add", "all", look=RIGHTS),
    seen("CapPrm: 0000000000000000 .*CapEff: 0000000000000000", "--cap-drop", "all", look="sed 's/\\t/ /' /proc/self/status | grep -E '^Cap'"),
    seen("CapEff", "--cap-drop", "all", "--cap-add", "CHOWN,net_raw", look=RIGHTS),
    seen("CapEff", "--cap-add", "NET_ADMIN", "--user", "user", look=RIGHTS),
    seen("CapEff", "--user", "user", name="--user user, its rights", look=RIGHTS),
    told("^125: ", "--cap-add", "CAP_NOTHING"),
    seen("NoNewPrivs:.1", "--security-opt", "no-new-privileges", look=RIGHTS),
    seen("Seccomp:.0", "--security-opt", "seccomp=unconfined", look=RIGHTS),
    seen("Seccomp:.2", look=RIGHTS + "; unshare -U true; mount -t tmpfs x /tmp", name="seccomp, the default"),
    Case("seccomp, a file", filtered, "Seccomp:.2 [|] 159 [|] .*No space left"),
    told("^12[567]: ", "--security-opt", "seccomp=/not/there"),
    Case("seccomp, a file that is wrong", bad_filter, "^12[567]: "),
    seen("Seccomp:.0", "--privileged", name="--privileged, its rights",
        look=RIGHTS + "; ls /dev/kmsg; ls /dev | wc -l; test -s /sys/fs/cgroup/cgroup.procs && echo own; touch /proc/sys/kernel/hostname && echo writable"),
    seen("CapEff", "--privileged", "--user", "user", look=RIGHTS),
    seen("NoNewPrivs:.1", "--privileged", "--security-opt", "no-new-privileges", look=RIGHTS),
    seen("0", "--security-opt", "mask=/proc/version:/etc", look="wc -c < /proc/version; ls /etc"),
    seen("^0: [|] 0 [|] 0 [|] 0 [|] 0$", "--security-opt", "unmask=ALL",
        look="for f in /proc/kcore /proc/keys /sys/firmware /proc/sys; do grep -c \" $f \" /proc/self/mountinfo; done; true"),
    seen("^0: [|] [01] [|] 0$", "--security-opt", "unmask=/proc/keys",
        look="for f in /proc/kcore /proc/keys; do grep -c \" $f \" /proc/self/mountinfo; done; true"),
    seen("hidepid", "--security-opt", "proc-opts=hidepid=2", look="grep ' /proc ' /proc/self/mountinfo | sed 's/.* - //'"),
    seen("^0:", "--security-opt", "label=disable", "--security-opt", "label=type:spc_t", look="true"),
    Case("--ulimit", limits_of, "^0: [|] 77 [|] 99"),
    seen("^0:", "--ulimit", "host", look="ulimit -n > /dev/null"),
    told("^125: ", "--ulimit", "nofile=99:77"),
    told("^125: ", "--ulimit", "nothing=1"),
    seen("^0: [|] 1 [|] 12345", "--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.msgmax=12345",
        look="cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax"),
    seen("^0: [|] 33", "--sysctl", "fs.mqueue.msg_max=33", look="cat /proc/sys/fs/mqueue/msg_max"),
    told("^12[567]: ", "--sysctl", "kernel.panic=7"),
    told("^12[567]: ", "--sysctl", "net.ipv4.nothing_here=1"),
    told("^12[567]: ", "--sysctl", "net.ipv4.ip_forward=1", "--network", "host"),
    told("^12[567]: ", "--sysctl", "kernel.msgmax=1", "--ipc", "host"),
]

FLAGS = WHO + FILES + RIGHT_CASES
