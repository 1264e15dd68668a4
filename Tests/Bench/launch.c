/* Runs one command and shows what it cost, from a process too small to blur the figures.
 *
 *     launch [-t] COMMAND [ARGUMENT…]      prints "NANOSECONDS KILOBYTES FAULTS SWITCHES STATUS" on standard output
 *
 * KILOBYTES is the peak resident memory of the largest process of the command. The kernel counts the launching program's memory in, because the child
 * has it until it executes: from Python that would be 10 MB, from here it is below anything measured. STATUS is the exit status, or 128 + signal.
 * FAULTS are the page faults and SWITCHES the context switches of the command and of what it has waited for.
 * The command's standard input and output are /dev/null, or with -t a new terminal; its standard error is ours. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int count, char **arguments)
{
    int terminal = count > 1 && !strcmp(arguments[1], "-t");
    if (count < 2 + terminal) {
        fputs("usage: launch [-t] COMMAND [ARGUMENT...]\n", stderr);
        return 125;
    }
    arguments += 1 + terminal;
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const char *input = "/dev/null";
    if (terminal) {
        int controller = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (controller < 0 || grantpt(controller) || unlockpt(controller) || !(input = ptsname(controller))) {
            perror("launch: a terminal");
            return 125;
        }
        /* The first terminal that the leader of a session opens controls it. */
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    }
    posix_spawn_file_actions_addopen(&files, 0, input, terminal ? O_RDWR : O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, input, terminal ? O_RDWR : O_WRONLY, 0);

    struct timespec start, end;
    struct rusage usage;
    pid_t child;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int error = posix_spawnp(&child, arguments[0], &files, &attributes, arguments, environ);
    if (error != 0) {
        fprintf(stderr, "launch: %s: %s\n", arguments[0], strerror(error));
        return 125;
    }
    wait4(child, &status, 0, &usage);
    clock_gettime(CLOCK_MONOTONIC, &end);
    long long nanoseconds = (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec;
    printf("%lld %ld %ld %ld %d\n", nanoseconds, usage.ru_maxrss, usage.ru_minflt + usage.ru_majflt,
           usage.ru_nvcsw + usage.ru_nivcsw, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
