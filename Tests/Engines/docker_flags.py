"""What Docker's flags make of a container's process: who it is, what it sees and what it may do."""

import json
import os
import re

from bench import WORK, Case, Skip, must, sh, write
from docker import BOX
from docker_life import whole

# Below /proc and /sys only whether a mount is read-only: what lies over masked paths is the runtime's affair. Whether
# the root is the slave of the host's mount, runc has changed between its versions 1.1 and 1.3.
LOOK = """id; pwd; hostname; touch /made && echo made; grep -E '^(Cap|NoNew|Seccomp:|Umask|Groups)' /proc/self/status
cat /proc/self/mountinfo | while read a b c d e f g; do
case $e in /proc/*|/sys/*) f=${f%%,*}; g=;; /) g=;; esac; g=${g%%- *}; echo "$e $f ${g%%:*}"; done | sort
ls -l /dev | while read a b c d e f; do echo "$a $c $d ${f##* }"; done | sort | grep -v '^brw\\|/'
ls /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; cat /proc/self/limits | grep -v -E 'pending|processes'
echo $HOME $TERM $container; env | sort | grep -v HOSTNAME
for f in /proc/kcore /proc/keys /proc/timer_list /sys/firmware /proc/acpi /proc/scsi; do
test -e $f && echo $f $(head -c 1 $f 2> /dev/null | wc -c) $(ls -A $f 2> /dev/null | wc -l); done
cat /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/ip_unprivileged_port_start; echo x 2> /dev/null > /proc/sys/kernel/domainname && echo wrote"""


def looked(*flags, privileged=False):
    def run(e):
        if privileged:
            whole(e)
        return e.box("--hostname", "inner", *flags, BOX, "sh", "-c", LOOK)
    return run


def says(script, *flags):
    return lambda e: e.box(*flags, BOX, "sh", "-c", script)


def folder(e, word):
    path = f"{WORK}/docker-{word}-{e.tag}"
    write(path + "/file", "from the host\n")
    write(path + "/below/file", "below\n")
    os.chmod(path, 0o777)
    return path


# --- mounts ----------------------------------------------------------------------------------------------------------

TOUCH = "cat /v/file; touch /v/made 2>&1 && echo made; grep ' /v ' /proc/self/mountinfo | cut -d' ' -f5,6,7"


def volume(options, script=TOUCH):
    return lambda e: e.box("-v", f"{folder(e, 'vol' + re.sub('[^a-zA-Z]', '', options))}:/v{options}", BOX, "sh", "-c", script)


def propagated(kind):
    """A mount made on the host below the volume is seen inside or not, and one made inside outside."""
    def run(e):
        path = folder(e, kind)
        must("mount", "--bind", path, path)
        must("mount", "--make-shared", path)
        try:
            e.long("prop", "--cap-add", "SYS_ADMIN", "--security-opt", "apparmor=unconfined", "--security-opt", "seccomp=unconfined", "-v", f"{path}:/v:{kind}")
            must("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path + "/below")
            write(path + "/below/later", "")
            lines = [e.exec("prop", "ls", "/v/below"), e.exec("prop", "sh", "-c", "mkdir /v/own; mount -t tmpfs tmpfs /v/own && touch /v/own/inner; ls /v/own")]
            lines += ["outside " + " ".join(sorted(os.listdir(path + "/own"))), e.drop("prop")]
            return "\n".join(lines)
        finally:
            sh("umount", "-R", "-l", path)
    return run


def recursive(options):
    """A read-only volume and the mount below it."""
    def run(e):
        path = folder(e, "rec")
        must("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", path + "/below")
        try:
            return e.box("--mount", f"type=bind,src={path},dst=/v,{options}", BOX, "sh", "-c",
                "for d in /v /v/below; do touch $d/x 2> /dev/null && echo wrote $d; done; echo done")
        finally:
            sh("umount", "-l", path + "/below")
    return run


def named_volume(e):
    """It takes what the image has there, and keeps what is written."""
    name = e.name("kept")
    lines = [e.box("-v", name + ":/data", BOX, "sh", "-c", "cat /data/file; echo more > /data/more"),
        e.box("-v", name + ":/d:ro", BOX, "sh", "-c", "cat /d/more; touch /d/x"),
             e.do("volume", "rm", name)]
    return "\n".join(lines)


def subpath(e):
    name = e.name("parts")
    e.box("-v", name + ":/data", BOX, "mkdir", "-p", "/data/one/two")
    told = e.box("--mount", f"type=volume,src={name},dst=/v,volume-subpath=one", BOX, "sh", "-c", "ls /v; touch /v/x && echo made")
    wrong = e.box("--mount", f"type=volume,src={name},dst=/v,volume-subpath=no/where", BOX, "true")
    e.do("volume", "rm", name)
    if "volume-subpath" in told:
        raise Skip("this Docker has no volume-subpath")
    return told + "\n" + wrong.split(":", 1)[0]


def volumes_from(e):
    e.long("has", "-v", "/w", "-v", folder(e, "from") + ":/v:ro")
    return "\n".join([e.box("--volumes-from", e.name("has"), BOX, "sh", "-c", "cat /v/file; touch /v/x; touch /w/x && echo made"),
        e.do("rm", "-f", "-v", e.name("has"))])


# --- rights ----------------------------------------------------------------------------------------------------------


def profile(e):
    """A filter from a file: no new folders, and a text for it that is the kernel's of another error."""
    path = f"{WORK}/seccomp-{e.tag}.json"
    write(path, json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}))
    return e.box("--security-opt", "seccomp=" + path, BOX, "sh", "-c", "mkdir /x; grep -E '^(Seccomp|NoNew)[^_]*:' /proc/self/status")


def killing(e):
    path = f"{WORK}/killing-{e.tag}.json"
    write(path, json.dumps({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS"}]}))
    return e.box("--security-opt", "seccomp=" + path, BOX, "sh", "-c", "echo before; exec mkdir /x")


def apparmor(e):
    try:
        with open("/sys/module/apparmor/parameters/enabled") as file:
            if "Y" not in file.read():
                raise Skip("AppArmor is not enabled here")
    except OSError:
        raise Skip("this kernel has no AppArmor")
    lines = [e.box(*flags, BOX, "cat", "/proc/self/attr/current") for flags in ([], ["--security-opt", "apparmor=unconfined"],
        ["--security-opt", "apparmor=no-such-profile"])]
    e.long("confined")
    lines += [e.exec("confined", "cat", "/proc/self/attr/current"), e.exec("confined", "sh", "-c", "echo 1 > /proc/sysrq-trigger"), e.drop("confined")]
    return "\n".join(lines)


CAPS = "grep -E '^(Cap|NoNew)' /proc/self/status"
MKNOD = "mknod /x c 1 3 && echo made; echo through > /x && echo written; cat < /x && echo read"

WHO = [
    Case("as it is", looked(), "inner.*made.*CapEff"),
    Case("privileged", looked("--privileged", privileged=True), "CapEff.*wrote", clean=True),
    Case("read-only, with a tmpfs", looked("--read-only", "--tmpfs", "/tmp"), "touch: /made: Read-only.*"),
    Case("a user by name", says("id; echo $HOME", "--user", "user"), r"^0: [|] uid=1000\(user\) gid=1000\(user\) groups=1000\(user\),2000\(extra\) [|] /tmp$"),
    Case("a user and a group by name", says("id", "--user", "user:more"), r"^0: [|] uid=1000\(user\) gid=3000\(more\)"),
    Case("a user by number", looked("--user", "77"), ": [|] uid=77 gid=0"),
    Case("a user and a group by number", says("id", "--user", "77:88"), "^0: [|] uid=77 gid=88"),
    Case("additional groups", says("id", "--user", "77:88", "--group-add", "extra", "--group-add", "99"), "uid=77 gid=88 groups=88,99,2000.extra"),
    Case("a user with a capability", says(CAPS, "--user", "77", "--cap-add", "NET_ADMIN"), "^0: .*CapEff"),
    Case("environment", says("env | sort | grep -v HOSTNAME", "-e", "A=b c", "-e", "EMPTY=", "-e", "LINES=two\nlines", "-e", "TERM=dumb"),
        "A=b c.*EMPTY=.*lines"),
    Case("a working directory that is made", says("pwd; ls -ld .", "-w", "/not/there"), "^0: [|] /not/there"),
    Case("an entrypoint", lambda e: e.box("--entrypoint", "/bin/echo", BOX, "one", "two"), "^0: [|] one two$"),
    Case("hostname, domain", says("hostname; cat /etc/hostname; cat /proc/sys/kernel/domainname", "--hostname", "h", "--domainname", "example.org"),
        "^0: [|] h[. ].*example.org$"),
    Case("hosts and dns", says("grep -v -E 'ip6|localhost|inner' /etc/hosts; grep -v '^#' /etc/resolv.conf", "--hostname", "inner", "--add-host",
        "there:192.0.2.7",
                               "--dns", "192.0.2.1", "--dns-search", "example.org", "--dns-opt", "ndots:3"), "192.0.2.7"),
    Case("--oom-score-adj", says("cat /proc/self/oom_score_adj", "--oom-score-adj", "300"), "^0: [|] 300$"),
    Case("--shm-size", says("grep /dev/shm /proc/mounts; dd if=/dev/zero of=/dev/shm/x bs=1k count=3000 2> /dev/null; stat -c %s /dev/shm/x", "--shm-size",
        "2m"), "size=2048k.*2097152$"),
    Case("stdin closed, stderr alone", says("cat; ls /proc/self/fd | wc -l; echo err >&2"), "^0: [|] 4 [|] stderr err$"),
]

MOUNTS = [
    Case("a volume", volume(""), "^0: [|] from the host [|] made [|] /v rw"),
    Case("a volume, read-only", volume(":ro"), "^0: [|] from the host .*ead-only file system [|] /v ro"),
    Case("a volume, rw,z", volume(":rw,z"), "^0: [|] from the host [|] made"),
    Case("a volume, Z and ro", volume(":Z,ro"), "ead-only file system"),
    Case("a volume, rslave", propagated("rslave"), "^0: .*later.*outside [|] 0:", clean=True),
    Case("a volume, rshared", propagated("rshared"), "^0: .*later.*outside inner [|] 0:", clean=True),
    Case("a volume, rprivate", propagated("rprivate"), "^0: .*outside [|] 0:", clean=True),
    Case("a volume, private", propagated("private"), "^0: .*outside [|] 0:", clean=True),
    Case("a read-only bind and what is mounted below", recursive("readonly"), "done$"),
    Case("a read-only bind, not recursive", recursive("readonly,bind-nonrecursive=true"), "done$"),
    Case("a read-only bind, bind-recursive=writable", recursive("readonly,bind-recursive=writable"), "(done|bind-recursive.*)$"),
    Case("a read-only bind, bind-recursive=readonly", recursive("readonly,bind-recursive=readonly,bind-propagation=rprivate"), "(done|bind-recursive.*)$",
        clean=True),
    Case("a volume by name", named_volume, "^0: [|] from the image [|] 1: [|] more .*ead-only.*0: [|] kept$"),
    Case("a part of a volume", subpath, "^0: [|] two [|] made [|] 12[5-7]$"),
    Case("the volumes of another", volumes_from, "from the host.*made", clean=True),
    Case("a file over a file", lambda e: e.box("-v", folder(e, "file") + "/file:/etc/passwd:ro", BOX, "cat", "/etc/passwd"), "^0: [|] from the host$"),
    Case("a file where nothing is", lambda e: e.box("-v", folder(e, "deep") + "/file:/x/y/z", BOX, "cat", "/x/y/z"), "^0: [|] from the host$"),
    Case("a file over a directory", lambda e: e.box("-v", folder(e, "wrong") + "/file:/bin", BOX, "true"),
        "^12[5-7]: .*not a directory Are you trying to mount a directory onto a file"),
    Case("a directory over a file", lambda e: e.box("-v", folder(e, "wrong") + ":/etc/passwd", BOX, "true"),
        "^12[5-7]: .*not a directory Are you trying to mount a directory onto a file"),
    Case("a mount below a file", lambda e: e.box("-v", folder(e, "wrong") + "/file:/etc/passwd/x", BOX, "true"), "^12[5-7]: .*not a directory", clean=True),
    Case("a bind of what is not there", lambda e: e.box("--mount", "type=bind,src=/not/there,dst=/v", BOX, "true"), "^125: .*does not exist"),
    Case("a tmpfs", says("grep ' /t ' /proc/mounts; stat -c %a /t; df /t > /dev/null 2>&1; touch /t/x && echo made", "--tmpfs",
        "/t:size=1m,mode=1770,noexec,uid=5"), "size=1024k.*1770 [|] made"),
    Case("a tmpfs by --mount", says("grep ' /t ' /proc/mounts; stat -c %a /t", "--mount", "type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0750"),
        "size=1024k.*750"),
    Case("a tmpfs over a folder of the image", says("ls -A /data; grep -o ' /data tmpfs .*relatime' /proc/mounts; stat -c %a /data", "--tmpfs", "/data"),
        "tmpfs rw,nosuid.*755$"),
    Case("a tmpfs with a size that is none", says("true", "--tmpfs", "/t:size=abc"), "^12[5-7]: .*invalid argument", clean=True),
]

RIGHTS = [
    Case("--cap-add", says(CAPS, "--cap-add", "NET_ADMIN", "--cap-add", "SYS_TIME"), "CapEff"),
    Case("--cap-drop", says(CAPS + "; chown 5 /data 2>&1", "--cap-drop", "CHOWN"), "CapEff.*ot permitted"),
    Case("--cap-drop all", says(CAPS, "--cap-drop", "all"), "CapEff:.0000000000000000"),
    Case("--cap-drop all --cap-add", says(CAPS, "--cap-drop", "all", "--cap-add", "NET_BIND_SERVICE"), "CapEff:.0000000000000400"),
    Case("--cap-add all", lambda e: whole(e) or says(CAPS, "--cap-add", "all")(e), "CapEff"),
    Case("no-new-privileges", says(CAPS, "--security-opt", "no-new-privileges", "--user", "77"), "NoNewPrivs:.1"),
    Case("seccomp, the default", says("grep Seccomp: /proc/self/status; unshare -m true; unshare -U true"), "Seccomp:.2.*ot permitted"),
    Case("seccomp=unconfined", says("grep Seccomp: /proc/self/status; unshare -U true", "--security-opt", "seccomp=unconfined"), "Seccomp:.0"),
    Case("seccomp, a file", profile, "Seccomp:.2.*No space left on device"),
    Case("seccomp, a file that kills", killing, "^159: [|] before$"),
    Case("AppArmor", apparmor, "docker-default .enforce.*unconfined", clean=True),
    Case("systempaths=unconfined", says("grep -c -E ' /(proc|sys)/' /proc/self/mountinfo; ls /proc/timer_list", "--security-opt", "systempaths=unconfined"),
        "[01]: "),
    Case("--ulimit", says("ulimit -n; ulimit -Hn; ulimit -c; ulimit -Hu", "--ulimit", "nofile=77:99", "--ulimit", "core=0", "--ulimit", "nproc=512"),
        "^0: [|] 77 [|] 99 [|] 0 [|] 512$"),
    Case("--sysctl", says("cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax", "--sysctl", "net.core.somaxconn=99", "--sysctl",
        "kernel.msgmax=4096"), "^0: [|] 99 [|] 4096$"),
    Case("--sysctl with a value that is none", says("true", "--sysctl", "net.ipv4.ip_forward=abc"), "^12[5-7]: .*invalid argument"),
    Case("--sysctl of the host's", says("true", "--sysctl", "vm.overcommit_memory=1"), "^12[5-7]: ", clean=True),
    Case("--device", says("ls -l /dev/x | cut -c1-10; echo a > /dev/x && echo written; cat /dev/x && echo read", "--device", "/dev/null:/dev/x"),
        "crw.*written [|] read"),
    Case("--device, reading only", says("cat /dev/fuse; mknod /f c 10 229; true < /f && echo read; true > /f && echo written", "--device",
        "/dev/fuse:/dev/fuse:rm"), "^[01]: "),
    Case("--device of what is not there", says("true", "--device", "/dev/not-there"), "^12[5-7]: .*/dev/not-there"),
    Case("--device below a file", says("true", "--device", "/dev/null:/bin/busybox/x"), "^12[5-7]: .*not a directory"),
    Case("--device-cgroup-rule", says(MKNOD.replace("c 1 3", "c 10 229"), "--device-cgroup-rule", "c 10:229 rm"), "made"),
    Case("a device that no rule allows", says(MKNOD.replace("c 1 3", "c 10 229")), "ot permitted"),
    Case("an allowed device made inside", says(MKNOD), "made.*written.*read", clean=True),
]
