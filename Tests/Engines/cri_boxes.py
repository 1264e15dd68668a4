"""The cases of containers in pods: users, rights, mounts, devices, limits. Run in the pod that cri_pods.py makes."""

import os

from bench import WORK, Case, Skip, sh, write
from cri import CONTAINER, DEFAULT, LOCALHOST, NODE, POD, UNCONFINED, Failure, version
from cri_pods import first_process, of, own_pod, stop
from ctr import need
from podman import LOOK

SEE = "id; pwd; cat /proc/self/status | grep -E '^(Cap|NoNew|Seccomp:|Umask|Groups)'"
WHOLE = LOOK.replace("cat /v/file; touch /v/made && echo made; ", "").replace("hostname; ", "")


def whole(*command, pod="p", **more):
    """A case that runs one container in the pod."""
    return lambda e: e.whole(pod, "b", *command, **more)


def secure(command, **security):
    return whole("sh", "-c", command, security=security)


def privileged(action):
    return own_pod("priv", {"network": NODE}, action, security={"privileged": 1})


def volume(e, name):
    folder = f"{WORK}/volume-cri-{name}-{e.tag}"
    write(folder + "/file", "from the host\n")
    write(folder + "/deep/file", "deep\n")
    os.chmod(folder, 0o777)
    return folder


def mounted(command, **mount):
    def run(e):
        return e.whole("p", "b", "sh", "-c", command, mounts=[{"container_path": "/v", "host_path": volume(e, "m"), **mount}])
    return run


def fs_group(e):
    """fsGroup is the kubelet's: the volume belongs to a group that the process has."""
    folder = volume(e, "g")
    os.chown(folder, 0, 4321)
    os.chmod(folder, 0o2770)
    return e.whole("p", "b", "sh", "-c", "id -G; touch /v/made; stat -c '%u %g' /v/made; busybox touch /root/x || echo not there",
                   mounts=[{"container_path": "/v", "host_path": folder}],
                   security={"run_as_user": {"value": 1000}, "run_as_group": {"value": 1000}, "supplemental_groups": [4321]})


def one_file(e):
    folder = volume(e, "f")
    return e.whole("p", "b", "sh", "-c", "cat /etc/one; echo x > /etc/one; cat /v/deep/file; ls -l /etc/one | cut -c1-10",
                   mounts=[{"container_path": "/etc/one", "host_path": folder + "/file", "readonly": 1},
                           {"container_path": "/v/deep", "host_path": folder + "/deep"}])


def recursive(e):
    """A read-only mount, and one below its source: only the recursive kind makes that read-only too."""
    if version() < (2, 0):
        raise Skip("containerd 1 knows no recursive read-only mounts")
    folder = volume(e, "r")
    sh("mount", "-t", "tmpfs", "inner", folder + "/deep")
    sh("mount", "--make-private", folder + "/deep")
    try:
        told = [e.whole("p", "b", "sh", "-c", "touch /v/x; touch /v/deep/x && echo written",
                        mounts=[{"container_path": "/v", "host_path": folder, "readonly": 1, "recursive_read_only": kind}]) for kind in (0, 1)]
    finally:
        sh("umount", folder + "/deep")
    return "\n".join(told)


def shared_folder(e, name):
    folder = volume(e, name)
    sh("mount", "--bind", folder, folder)
    sh("mount", "--make-shared", folder)
    return folder


def from_host(e):
    """HostToContainer: what the host mounts afterwards is seen."""
    folder = shared_folder(e, "slave")
    try:
        e.start("p", "slave", "sleep", "1000", mounts=[{"container_path": "/v", "host_path": folder, "propagation": 1}])
        e.start("p", "private", "sleep", "1000", mounts=[{"container_path": "/v", "host_path": folder}])
        sh("mount", "-t", "tmpfs", "later", folder + "/deep")
        look = ("sh", "-c", "grep -c ' /v/deep ' /proc/self/mountinfo; grep ' /v ' /proc/self/mountinfo | grep -c master")
        text = [e.exec("slave", *look), e.exec("private", *look)]
        return "\n".join(text + [stop(e, "slave"), stop(e, "private")])
    finally:
        sh("umount", folder + "/deep")
        sh("umount", folder)


def both_ways(e):
    """Bidirectional: what a privileged container mounts is seen on the host."""
    folder = shared_folder(e, "shared")
    try:
        told = e.whole("priv", "b", "sh", "-c", "mount -t tmpfs inner /v/deep && echo mounted",
                       mounts=[{"container_path": "/v", "host_path": folder, "propagation": 2}], security={"privileged": 1})
        with open("/proc/self/mountinfo") as file:
            return f"{told}\n{sum(folder + '/deep' in line for line in file)} on the host"
    finally:
        sh("umount", folder + "/deep")
        sh("umount", folder)


def not_shared(e):
    """Bidirectional from a folder that is not on a shared mount is refused."""
    folder = volume(e, "plain")
    sh("mount", "--bind", folder, folder)
    sh("mount", "--make-private", folder)
    try:
        told = of(e, lambda e: e.whole("p", "b", "true", mounts=[{"container_path": "/v", "host_path": folder, "propagation": 2}]))
        return "refused" if "shared" in told else told
    finally:
        sh("umount", folder)


PROFILE = '{"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 95}]}'


def seccomp_file(e):
    write(WORK + "/seccomp/mine.json", PROFILE)
    return e.whole("p", "b", "sh", "-c", "grep Seccomp: /proc/self/status; busybox mkdir /made; echo $?",
                   security={"seccomp": {"profile_type": LOCALHOST, "localhost_ref": WORK + "/seccomp/mine.json"}})


def apparmor(kind, name=""):
    def run(e):
        if not os.path.exists("/sys/kernel/security/apparmor/profiles"):
            raise Skip("no AppArmor here")
        return e.whole("p", "b", "sh", "-c", "cat /proc/self/attr/current", security={"apparmor": {"profile_type": kind, "localhost_ref": name}})
    return run


def sysctls(e):
    e.pod("sysctl", security={"namespace_options": {"network": POD}},
          linux={"sysctls": {"net.ipv4.ip_unprivileged_port_start": "81", "kernel.shm_rmid_forced": "1", "net/ipv4/ping_group_range": "0 77"}})
    try:
        return e.whole("sysctl", "b", "sh", "-c", "cd /proc/sys; cat net/ipv4/ip_unprivileged_port_start kernel/shm_rmid_forced net/ipv4/ping_group_range")
    finally:
        e.end_pod("sysctl")


def wrong_sysctl(e):
    """One of the host's own: refused, and nothing of the pod stays."""
    try:
        e.pod("wrong", linux={"sysctls": {"kernel.domainname.nothing": "1"}})
    except Failure as failure:
        return "refused" if "sysctl" in str(failure) or "no such file" in str(failure) else str(failure)
    e.end_pod("wrong")
    return "made"


def devices(e):
    return e.whole("p", "b", "sh", "-c", "ls -l /dev/mine /dev/other | tr -s ' ' | cut -d' ' -f1,3-6; echo x > /dev/mine && echo written; head -c 1 /dev/other | wc -c",
                   devices=[{"container_path": "/dev/mine", "host_path": "/dev/null", "permissions": "rw"},
                            {"container_path": "/dev/other", "host_path": "/dev/zero", "permissions": "r"}])


LIMITS = {"memory_limit_in_bytes": 67108864, "memory_swap_limit_in_bytes": 67108864, "cpu_quota": 50000, "cpu_period": 100000, "cpu_shares": 512,
    "oom_score_adj": 900}


def cgroup(e, name):
    """The folder of its cgroup on the host."""
    with open(f"/proc/{first_process(e, name)}/cgroup") as file:
        return "/sys/fs/cgroup" + file.read().strip().removeprefix("0::")


def files(e, name):
    return sh("cat", *[f"{cgroup(e, name)}/{file}" for file in ("memory.max", "memory.swap.max", "cpu.max", "cpu.weight")])[1]


def limited(e):
    need("memory", "cpu")
    e.start("p", "limits", "sh", "-c", "cat /proc/self/oom_score_adj; sleep 1000", resources=LIMITS)
    first = files(e, "limits")
    e.call("UpdateContainerResources", container_id=e.boxes["limits"],
           linux={"memory_limit_in_bytes": 134217728, "memory_swap_limit_in_bytes": 134217728, "cpu_quota": 20000, "cpu_period": 100000, "cpu_shares": 1024})
    second = files(e, "limits")
    status = e.state("limits")["resources"].get("linux", {})
    return "\n".join([first, second, str(status.get("memory_limit_in_bytes")), e.log("p", "limits"), stop(e, "limits")])


def unified(e):
    need("memory", "pids")
    e.start("p", "unified", "sleep", "1000", resources={"unified": {"memory.high": "33554432", "pids.max": "33"}})
    text = sh("cat", *[f"{cgroup(e, 'unified')}/{file}" for file in ("memory.high", "pids.max")])[1]
    return text + stop(e, "unified")


def out_of_memory(e):
    """A child of the first process, as containerd reads memory.events and systemd takes the cgroup away with its last process: which comes
    first is a matter of chance with every runtime."""
    need("memory")
    return e.whole("p", "oom", "sh", "-c", "tail /dev/zero; sleep 3; exit 137", resources={"memory_limit_in_bytes": 16777216, "memory_swap_limit_in_bytes": 16777216})


def place(e):
    """Below the pod's cgroup, as the driver has it."""
    e.start("p", "place", "sleep", "1000")
    text = cgroup(e, "place").replace(e.boxes["place"], "ID").replace(e.tag, "TAG")
    stop(e, "place")
    return text


def own_users(e):
    """A pod with a user namespace of its own, as the kubelet maps it; the volume's owners are mapped too."""
    if version() < (2, 0):
        raise Skip("containerd 1 gives pods no user namespaces as the kubelet asks for them")
    maps = [{"host_id": 200000, "container_id": 0, "length": 65536}]
    users = {"mode": POD, "uids": maps, "gids": maps}
    e.pod("users", security={"namespace_options": {"network": POD, "userns_options": users}})
    folder = volume(e, "u")
    try:
        told = e.whole("users", "b", "sh", "-c",
            "tr -s ' ' < /proc/self/uid_map; id -u; stat -c '%u %g' /bin/busybox /v/file /etc/hosts; touch /v/made /made; " + SEE,
                       security={"namespace_options": {"network": POD, "pid": CONTAINER, "userns_options": users}},
                       mounts=[{"container_path": "/v", "host_path": folder, "uidMappings": maps, "gidMappings": maps}])
        return told + f"\n{os.stat(folder + '/made').st_uid if os.path.exists(folder + '/made') else 'nothing made'}"
    finally:
        e.end_pod("users")


USERS = [
    Case("a plain container", secure(WHOLE), "^0 Completed"),
    Case("runAsUser, runAsGroup", secure(SEE, run_as_user={"value": 1000}, run_as_group={"value": 77}), "uid=1000.*gid=77"),
    Case("runAsUser by name", secure(SEE, run_as_username="user"), "uid=1000"),
    Case("runAsUser that is in no list", secure("id; echo $HOME", run_as_user={"value": 4242}), "uid=4242"),
    Case("runAsUser by a name that is not there", secure("id", run_as_username="nobody"), "UNKNOWN|NOT_FOUND|error|no user"),
    Case("supplementalGroups", secure(SEE, run_as_user={"value": 1000}, supplemental_groups=[7, 8]), "groups=.*7.*8"),
    Case("fsGroup", fs_group, "4321.*1000 4321"),
    Case("environment, directory made", whole("sh", "-c", "pwd; echo $A $B; ls -d $PWD", working_dir="/made/here",
         envs=[{"key": "A", "value": "b c"}, {"key": "B", "value": ""}]),
         "^0 Completed [|] stdout F /made/here [|] stdout F b c"),
    Case("command with arguments", whole("echo", args=["one", "two words", ""]), "stdout F one two words"),
]
RIGHTS = [
    Case("readOnlyRootFilesystem", secure("touch /x; echo $?; touch /dev/shm/x && echo fine; touch /etc/hosts; echo $?", readonly_rootfs=1),
         "1 [|] stdout F fine"),
    Case("capabilities added and dropped", secure(SEE, capabilities={"add_capabilities": ["NET_ADMIN", "SYS_TIME"], "drop_capabilities": ["CHOWN", "KILL"]}),
         "CapEff"),
    Case("capabilities: all dropped, one added", secure(SEE, capabilities={"drop_capabilities": ["ALL"], "add_capabilities": ["NET_BIND_SERVICE"]}),
         "CapEff:.0000000000000400"),
    Case("capabilities: all added", secure(SEE, capabilities={"add_capabilities": ["ALL"]}), "CapEff"),
    Case("capabilities of a user", secure(SEE, run_as_user={"value": 1000}, capabilities={"add_capabilities": ["NET_ADMIN"]}), "CapEff:.0000000000000000"),
    Case("allowPrivilegeEscalation false", secure(SEE, no_new_privs=1), "NoNewPrivs:.1"),
    Case("privileged", privileged(lambda e: e.whole("priv", "b", "sh", "-c", WHOLE, security={"privileged": 1})), "^0 Completed", clean=True),
    Case("privileged, in a pod that is not", secure("true", privileged=1), "no privileged container allowed"),
    Case("seccomp RuntimeDefault", secure(SEE + "; busybox unshare -U true; echo $?", seccomp={"profile_type": DEFAULT}), "Seccomp:.2.* [1-9]"),
    Case("seccomp Unconfined", secure(SEE, seccomp={"profile_type": UNCONFINED}), "Seccomp:.0"),
    Case("seccomp Localhost", seccomp_file, "Seccomp:.2 .*F 1 .*not supported"),
    Case("seccomp Localhost that is not there", secure("true", seccomp={"profile_type": LOCALHOST, "localhost_ref": "/nowhere.json"}), "no such file"),
    Case("AppArmor RuntimeDefault", apparmor(DEFAULT), "cri-containerd.apparmor.d"),
    Case("AppArmor Unconfined", apparmor(UNCONFINED), "unconfined"),
    Case("AppArmor Localhost that is not there", apparmor(LOCALHOST, "nosuchprofile"), "nosuchprofile|not found"),
    Case("procMount Default", secure("ls /proc/scsi /proc/acpi /sys/firmware 2>&1; head -c 1 /proc/kcore | wc -c; echo 1 > /proc/sysrq-trigger; echo x > /proc/sys/kernel/domainname"), "Read-only"),
    Case("procMount Unmasked", secure("grep -c ' /proc/' /proc/self/mountinfo; ls -d /sys/firmware/* | wc -l", masked_paths=[], readonly_paths=[]), "^[01] "),
    Case("masked paths of one's own", secure("cat /etc/passwd | wc -l; ls /bin | wc -l; echo x > /etc/group", masked_paths=["/etc/passwd", "/bin2", "/data"],
         readonly_paths=["/etc/group"]),
         "stdout F 0"),
]
THINGS = [
    Case("a volume", mounted("cat /v/file; touch /v/made && echo made"), "from the host [|] stdout F made"),
    Case("a read-only volume", mounted("cat /v/file; touch /v/made; echo $?", readonly=1), "from the host.* 1 "),
    Case("a read-only volume, recursively", recursive, "written"),
    Case("a file, and a path below another", one_file, "from the host"),
    Case("a volume that is not there", whole("true", mounts=[{"container_path": "/v", "host_path": "/nowhere/at/all"}]), "no such file|0 Completed"),
    Case("HostToContainer", from_host, "^0: [|] 1 [|] 1 [|] [01]: [|] 0 [|] 0 "),
    Case("Bidirectional", privileged(both_ways), "mounted [|] [1-9] on the host"),
    Case("Bidirectional from what is not shared", not_shared, "^refused"),
    Case("devices", devices, "crw-rw-rw-.*written"),
    Case("a device that is not there", whole("true", devices=[{"container_path": "/dev/x", "host_path": "/dev/nowhere", "permissions": "rwm"}]),
         "no such|error"),
    Case("sysctls", sysctls, "81 [|] stdout F 1 [|] stdout F 0.77"),
    Case("a sysctl that is not there", wrong_sysctl, "^refused$", clean=True),
    Case("its cgroup", place, "kubepods.*ID"),
    Case("limits, and UpdateContainerResources", limited, "67108864.*134217728.*20000 100000"),
    Case("limits by file of the cgroup", unified, "^33554432 [|] 33 "),
    Case("out of memory", out_of_memory, "^137 OOMKilled"),
    Case("a user namespace for a pod", own_users, "0 200000 65536"),
]
