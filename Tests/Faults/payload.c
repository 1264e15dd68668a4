// The container's program: `payload say` shows how it is confined, so that a start that lost a part of that on the way
// shows; `payload wait` waits for SIGTERM.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void quit(int signal) { (void)signal; _exit(0); }

static void show(const char *path, const char *const *beginnings) {
    char line[4096];
    FILE *file = fopen(path, "re");
    if (!file) { printf("%s: absent\n", path); return; }
    while (fgets(line, sizeof line, file)) {
        if (!beginnings) printf("%s: %s", path, line);
        for (int i = 0; beginnings && beginnings[i]; i++)
            if (!strncmp(line, beginnings[i], strlen(beginnings[i]))) printf("%s", line);
    }
    fclose(file);
}

// Where, with which flags, what kind: without the numbers of the mounts, and what peers and disks are called.
static void show_mounts(void) {
    char line[4096], where[1024], flags[1024], kind[256], propagation[256];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        char *dash = strstr(line, " - ");
        if (!dash || sscanf(line, "%*s %*s %*s %*s %1023s %1023s %255s", where, flags, propagation) != 3) continue;
        if (sscanf(dash, " - %255s", kind) != 1) continue;
        printf("mount %s %s %s %.6s\n", where, flags, kind, propagation[0] == '-' ? "-" : propagation);
    }
    if (file) fclose(file);
}

static void show_descriptors(void) {
    for (int number = 0; number < 64; number++)
        if (fcntl(number, F_GETFD) >= 0) printf("descriptor %d\n", number);
}

int main(int count, char **words) {
    if (count > 1 && !strcmp(words[1], "wait")) {
        signal(SIGTERM, quit);
        for (;;) pause();
    }
    char name[256] = "", folder[4096] = "";
    struct rlimit limit;
    static const char *const parts[] = {"Uid", "Gid", "Groups", "Cap", "NoNewPrivs", "Seccomp:", "SigBlk", "SigIgn", "SigCgt", NULL};
    gethostname(name, sizeof name);
    printf("host %s folder %s umask %o terminal %d\n", name, getcwd(folder, sizeof folder), umask(0), isatty(0));
    if (!getrlimit(RLIMIT_NOFILE, &limit)) printf("files %lu %lu\n", limit.rlim_cur, limit.rlim_max);
    for (char **word = environ; *word; word++) printf("env %s\n", *word);
    show_descriptors();
    show("/proc/self/status", parts);
    show("/proc/self/oom_score_adj", NULL);
    show("/proc/self/cgroup", NULL);
    show("/proc/sys/kernel/msgmax", NULL);
    show("/proc/self/uid_map", NULL);
    show_mounts();
    printf("said\n");
    return 0;
}
