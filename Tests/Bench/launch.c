/* Runs one command and shows what it cost, from a process too small to blur the figures.
 *
 *     launch COMMAND [ARGUMENT…]      prints "NANOSECONDS KILOBYTES STATUS" on standard output
 *
 * KILOBYTES is the peak resident memory of the largest process of the command. The kernel counts the launching program's memory in, because the child
 * has it until it executes: from Python that would be 10 MB, from here it is below anything measured. STATUS is the exit status, or 128 + signal.
 * The command's standard input and output are /dev/null; its standard error is ours. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

int main(int count, char **arguments)
{
    if (count < 2) {
        fputs("usage: launch COMMAND [ARGUMENT...]\n", stderr);
        return 125;
    }
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);

    struct timespec start, end;
    struct rusage usage;
    pid_t child;
    int status;
    clock_gettime(CLOCK_MONOTONIC, &start);
    int error = posix_spawnp(&child, arguments[1], &files, NULL, arguments + 1, environ);
    if (error != 0) {
        fprintf(stderr, "launch: %s: %s\n", arguments[1], strerror(error));
        return 125;
    }
    wait4(child, &status, 0, &usage);
    clock_gettime(CLOCK_MONOTONIC, &end);
    long long nanoseconds = (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec;
    printf("%lld %ld %d\n", nanoseconds, usage.ru_maxrss, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
