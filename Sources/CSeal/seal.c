// The sealed re-execution (CVE-2019-5736; Container/SealedExecutable.swift says what for), done before the Swift
// runtime starts: a process that is going to be replaced need not be set up first. Whatever fails here is tried again,
// and reported, from Swift.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "include/CSeal.h"
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int given_count;
static char **given_words;

char **cseal_words(void) { return given_words; }
int cseal_count(void) { return given_count; }

static int touches_containers(int count, char **words) {
    // A container called "run" is sealed for nothing, which does no harm; a command hidden from this loop is sealed
    // later.
    for (int i = 1; i < count; i++)
        if (!strcmp(words[i], "run") || !strcmp(words[i], "create") || !strcmp(words[i], "exec")) return 1;
    return 0;
}

// What the second execution knows itself by: this process's number, which execve keeps, and the identity of the mount
// that it was executed from. That a file looks read-only proves nothing: a host may remount what it has mounted
// read-only.
#define MARK "_RUNBOX_SEALED="
#define MOUNT_IDENTITY (STATX_MNT_ID | 0x4000U /* STATX_MNT_ID_UNIQUE, Linux 6.8 */)

static char mark[64];

// Writes the mark that a process executed from this file would carry; 0 where the kernel does not identify mounts.
static int make_mark(int file) {
    struct statx status;
    if (statx(file, "", AT_EMPTY_PATH, MOUNT_IDENTITY, &status) != 0) return 0;
    if (!(status.stx_mask & MOUNT_IDENTITY)) return 0;
    snprintf(mark, sizeof mark, MARK "%d:%llu", (int)getpid(), (unsigned long long)status.stx_mnt_id);
    return 1;
}

// A mark of this process's number: it has been executed from a sealed file before. Whether this is that file, Swift
// asks.
static int was_sealed(void) {
    char prefix[32];
    snprintf(prefix, sizeof prefix, MARK "%d:", (int)getpid());
    for (char **entry = environ; *entry; entry++)
        if (!strncmp(*entry, prefix, strlen(prefix))) return 1;
    return 0;
}

// Executes the sealed file with the same arguments.
static void execute(int file, char **words) {
    size_t count = 0;
    while (environ[count]) count++;
    char *environment[count + 2];
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (strncmp(environ[i], MARK, strlen(MARK))) environment[kept++] = environ[i];
    environment[kept++] = mark;
    environment[kept] = NULL;
    syscall(SYS_execveat, file, "", words, environment, AT_EMPTY_PATH);
}

// The Swift runtime would look for a program to print crashes with beside its executable, which for a sealed one is the
// working directory: nothing that lies there may ever be run. And it ends a process that cannot find that.
static char without_backtraces[] = "SWIFT_BACKTRACE=enable=no,swift-backtrace=/";

// Priority 101, the first there is: before the constructors of the Swift runtime.
__attribute__((constructor(101))) static void seal_early(int count, char **words) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    putenv(without_backtraces);
    given_count = count;
    given_words = words;
    if (!touches_containers(count, words) || was_sealed()) return;
    int clone = (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (clone < 0) return;
    if (syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH, &attributes, sizeof attributes) == 0 && make_mark(clone))
        execute(clone, words);
    close(clone);
}
