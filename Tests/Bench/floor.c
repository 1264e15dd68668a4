/* The floor: the kernel calls that a container needs, and nothing else. No config.json is read, nothing is checked, no state is kept: what this program
 * takes is the kernel's own share of `run`, and no runtime can be faster.
 *
 *     floor plain  ROOTFS CGROUP                  the bundles of bundles.py, hard-coded
 *     floor docker ROOTFS CGROUP FILES PROGRAM    FILES holds resolv.conf, hostname, hosts; PROGRAM is the compiled seccomp filter,
 *                                               or empty for none
 *
 * CGROUP is the folder to make. Exit status: that of /bin/true, or 125 when a call fails. Compile with `cc -O2 -static`. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(call) check((long)(call), #call)

static long check(long result, const char *call)
{
    if (result < 0) {
        fprintf(stderr, "floor: %s: %s\n", call, strerror(errno));
        _exit(125);
    }
    return result;
}

/* ---- the device program: the default devices, mknod of anything, nothing else ---- */

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define ALLOW_RULE INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 1), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define ALLOW_MAJOR(major) \
    INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 3, BPF_DEVCG_DEV_CHAR), INSN(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 2, major), ALLOW_RULE
#define ALLOW_CHAR(major, minor) \
    INSN(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 4, BPF_DEVCG_DEV_CHAR), INSN(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 3, major), \
    INSN(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 2, minor), ALLOW_RULE

static const struct bpf_insn device_program[] = {
    INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0), /* r2 = type */
    INSN(BPF_ALU64 | BPF_AND | BPF_K, 2, 0, 0, 0xffff),
    INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, 0, 0), /* r3 = access */
    INSN(BPF_ALU64 | BPF_RSH | BPF_K, 3, 0, 0, 16),
    INSN(BPF_LDX | BPF_MEM | BPF_W, 4, 1, 4, 0), /* r4 = major */
    INSN(BPF_LDX | BPF_MEM | BPF_W, 5, 1, 8, 0), /* r5 = minor */
    INSN(BPF_JMP | BPF_JNE | BPF_K, 3, 0, 2, BPF_DEVCG_ACC_MKNOD), ALLOW_RULE,
    ALLOW_CHAR(1, 3), ALLOW_CHAR(1, 5), ALLOW_CHAR(1, 7), ALLOW_CHAR(1, 8), ALLOW_CHAR(1, 9),
    ALLOW_CHAR(5, 0), ALLOW_CHAR(5, 1), ALLOW_CHAR(5, 2), ALLOW_CHAR(10, 200), ALLOW_MAJOR(136),
    INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0), INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
};

static void attach_device_program(int cgroup)
{
    union bpf_attr load = {
        .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
        .insns = (uintptr_t)device_program,
        .insn_cnt = sizeof device_program / sizeof *device_program,
        .license = (uintptr_t) "GPL",
    };
    int program = CHECK(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load));
    union bpf_attr attach = {
        .target_fd = cgroup, .attach_bpf_fd = program, .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI};
    CHECK(syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach));
}

/* ---- the root file system; every path is relative to it ---- */

#define SAFE (MS_NOSUID | MS_NOEXEC | MS_NODEV)

static void mount_kernel_file_systems(int docker)
{
    CHECK(mount("proc", "proc", "proc", docker ? SAFE : 0, NULL));
    CHECK(mount("tmpfs", "dev", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k"));
    CHECK(mkdir("dev/pts", 0755));
    CHECK(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5"));
    CHECK(mkdir("dev/shm", 0755));
    CHECK(mount("shm", "dev/shm", "tmpfs", SAFE, "mode=1777,size=65536k"));
    CHECK(mkdir("dev/mqueue", 0755));
    CHECK(mount("mqueue", "dev/mqueue", "mqueue", SAFE, NULL));
    CHECK(mount("sysfs", "sys", "sysfs", SAFE | MS_RDONLY, NULL));
    CHECK(mount("cgroup", "sys/fs/cgroup", "cgroup2", SAFE | MS_RELATIME | MS_RDONLY, NULL));
}

static void bind_engine_files(const char *files)
{
    static const char *const targets[] = {"etc/resolv.conf", "etc/hostname", "etc/hosts"};
    for (int i = 0; i < 3; i++) {
        char source[4096];
        snprintf(source, sizeof source, "%s/%s", files, targets[i] + strlen("etc/"));
        CHECK(mount(source, targets[i], NULL, MS_BIND | MS_REC, NULL));
        CHECK(mount(NULL, targets[i], NULL, MS_PRIVATE | MS_REC, NULL));
    }
}

static void make_devices(void)
{
    static const struct { const char *path; int major, minor; } devices[] = {
        {"dev/null", 1, 3}, {"dev/zero", 1, 5}, {"dev/full", 1, 7}, {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0}};
    static const char *const links[][2] = {{"/proc/self/fd", "dev/fd"}, {"/proc/self/fd/0", "dev/stdin"}, {"/proc/self/fd/1", "dev/stdout"},
                                           {"/proc/self/fd/2", "dev/stderr"}, {"pts/ptmx", "dev/ptmx"}};
    umask(0);
    for (unsigned i = 0; i < sizeof devices / sizeof *devices; i++)
        CHECK(mknod(devices[i].path, S_IFCHR | 0666, makedev(devices[i].major, devices[i].minor)));
    for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
        CHECK(symlink(links[i][0], links[i][1]));
    umask(022);
}

static void protect_paths(int docker)
{
    static const char *const files[] = {"proc/kcore", "proc/keys", "proc/latency_stats", "proc/timer_list", "proc/timer_stats", "proc/sched_debug",
                                        "proc/interrupts" /* docker only, so last */};
    static const char *const folders[] = {"proc/acpi", "proc/asound", "proc/scsi", "sys/firmware", "sys/devices/virtual/powercap" /* docker only */};
    static const char *const readonly[] = {"proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger"};
    /* What this kernel does not have needs no cover: hence no CHECK on the first mount of each. */
    for (int i = 0; i < (docker ? 7 : 6); i++)
        mount("dev/null", files[i], NULL, MS_BIND, NULL);
    for (int i = 0; i < (docker ? 5 : 4); i++)
        mount("tmpfs", folders[i], "tmpfs", MS_RDONLY, NULL);
    for (int i = 0; i < 5; i++)
        if (mount(readonly[i], readonly[i], NULL, MS_BIND | MS_REC, NULL) == 0)
            CHECK(mount(NULL, readonly[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | (docker ? SAFE : 0), NULL));
}

static void enter_root(const char *rootfs, const char *files, int docker)
{
    CHECK(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL));
    CHECK(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL));
    CHECK(chdir(rootfs));
    mount_kernel_file_systems(docker);
    if (docker)
        bind_engine_files(files);
    make_devices();
    protect_paths(docker);
    CHECK(syscall(SYS_pivot_root, ".", "."));
    CHECK(umount2(".", MNT_DETACH));
    CHECK(chdir("/"));
    if (!docker)
        CHECK(mount(NULL, "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
}

/* ---- the process ---- */

static void bring_loopback_up(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int s = CHECK(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    CHECK(ioctl(s, SIOCSIFFLAGS, &request));
    close(s);
}

static void drop_capabilities(int docker)
{
    const uint32_t plain_set = 1u << CAP_AUDIT_WRITE | 1u << CAP_KILL | 1u << CAP_NET_BIND_SERVICE;
    const uint32_t docker_set = plain_set | 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_FSETID | 1u << CAP_FOWNER | 1u << CAP_MKNOD |
                                1u << CAP_NET_RAW | 1u << CAP_SETGID | 1u << CAP_SETUID | 1u << CAP_SETFCAP | 1u << CAP_SETPCAP | 1u << CAP_SYS_CHROOT;
    const uint32_t set = docker ? docker_set : plain_set;
    for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
        if (cap >= 32 || !(set & 1u << cap))
            CHECK(prctl(PR_CAPBSET_DROP, cap));
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{set, set, 0}, {0, 0, 0}};
    CHECK(syscall(SYS_capset, &header, data));
}

static void set_user(int docker)
{
    static const gid_t groups[] = {0, 10};
    CHECK(syscall(SYS_setgroups, docker ? 2 : 0, groups));
    CHECK(syscall(SYS_setresgid, 0, 0, 0));
    CHECK(syscall(SYS_setresuid, 0, 0, 0));
}

static void load_seccomp(int program)
{
    static struct sock_filter filter[4096];
    long bytes = CHECK(read(program, filter, sizeof filter));
    if (bytes == 0)
        return;
    struct sock_fprog fprog = {.len = bytes / sizeof *filter, .filter = filter};
    CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &fprog));
}

static void contain(const char *rootfs, const char *files, int program, int go, int docker)
{
    CHECK(setsid());
    CHECK(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "_ses.floor"));
    if (docker)
        CHECK(unshare(CLONE_NEWCGROUP)); /* not by clone3: the namespace's root is where the process already is */
    bring_loopback_up();
    enter_root(rootfs, files, docker);
    CHECK(sethostname(docker ? "5f1d7c0e9b3a" : "runbox", docker ? 12 : 6));
    if (docker) {
        int score = CHECK(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
        CHECK(write(score, "0", 1));
    } else {
        CHECK(setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 1024}));
        CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    }
    uint64_t ignored;
    CHECK(read(go, &ignored, sizeof ignored)); /* the device program is in place */
    if (docker)
        load_seccomp(program);
    set_user(docker);
    drop_capabilities(docker);
    CHECK(syscall(SYS_close_range, 3, ~0U, 0));
    char *arguments[] = {"/bin/true", NULL};
    char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", docker ? "HOSTNAME=5f1d7c0e9b3a" : "TERM=xterm", NULL};
    CHECK(execve("/bin/true", arguments, environment));
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--version") == 0)
        return puts("floor") < 0; /* what starting a static program costs */
    int docker = count == 6 && strcmp(arguments[1], "docker") == 0;
    if (!docker && !(count == 4 && strcmp(arguments[1], "plain") == 0)) {
        fputs("usage: floor plain ROOTFS CGROUP | floor docker ROOTFS CGROUP FILES PROGRAM\n", stderr);
        return 125;
    }
    const char *rootfs = arguments[2], *cgroup_path = arguments[3], *files = arguments[4];
    int program = docker ? CHECK(open(arguments[5], O_RDONLY | O_CLOEXEC)) : -1;
    int go = CHECK(eventfd(0, EFD_CLOEXEC));
    CHECK(mkdir(cgroup_path, 0755));
    int cgroup = CHECK(open(cgroup_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));

    struct clone_args clone = {
        .flags = CLONE_INTO_CGROUP | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWIPC,
        .exit_signal = SIGCHLD,
        .cgroup = cgroup,
    };
    pid_t child = CHECK(syscall(SYS_clone3, &clone, sizeof clone));
    if (child == 0)
        contain(rootfs, files, program, go, docker);

    attach_device_program(cgroup); /* while the child mounts: there are two processors */
    CHECK(write(go, &(uint64_t){1}, sizeof(uint64_t)));
    int status;
    CHECK(waitpid(child, &status, 0));
    CHECK(rmdir(cgroup_path));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
