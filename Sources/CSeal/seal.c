// The sealed re-execution (CVE-2019-5736; Launch/SealedSelf.swift says what for), done before the Swift runtime starts:
// whoever is going to be replaced need not be set up first. Whatever fails here is tried again, and reported, from Swift.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <fcntl.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static int touches_containers(int count, char **words) {
    // A container called "run" is sealed for nothing, which does no harm; a command hidden from this loop is sealed later.
    for (int i = 1; i < count; i++)
        if (!strcmp(words[i], "run") || !strcmp(words[i], "create") || !strcmp(words[i], "exec")) return 1;
    return 0;
}

// Executes the sealed file with the same words. The Swift runtime would look for a program to print crashes with beside
// its executable, which for a sealed one is the working directory: nothing that lies there may ever be run.
static void execute(long file, char **words) {
    size_t count = 0;
    while (environ[count]) count++;
    char *environment[count + 2];
    memcpy(environment, environ, count * sizeof *environ);
    environment[count] = "SWIFT_BACKTRACE=enable=no";
    environment[count + 1] = NULL;
    syscall(SYS_execveat, file, "", words, environment, AT_EMPTY_PATH);
}

// Priority 101, the first there is: before the constructors of the Swift runtime. The environment itself must stay where
// it is, because that runtime finds the words of the command line in front of it.
__attribute__((constructor(101))) static void seal_early(int count, char **words) {
    struct statfs status;
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    if (!touches_containers(count, words)) return;
    if (statfs("/proc/self/exe", &status) != 0 || (status.f_flags & 1 /* ST_RDONLY */)) return;
    long clone = syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (clone < 0) return;
    if (syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0)
        execute(clone, words);
    close((int)clone);
}
