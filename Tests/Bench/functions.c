/* Notes which functions of a program are called by a command and by the processes that it makes, in the order of their
 * first calls. order.py reads it.
 *
 *     functions PROGRAM ADDRESSES RESULT COMMAND [ARGUMENT…]
 *
 * ADDRESSES is a file with the functions' addresses in hexadecimal, one a line. RESULT gets a line for each that was
 * reached: the address, and 0 where it was the command itself, 1 where it was another process. For a program that is
 * linked to fixed addresses: when it is executed, each function gets a breakpoint, which is taken away at its first
 * call. Processes that execute another program are let go; those that outlive the command are killed. x86-64. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define OPTIONS (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

static FILE *result;
static pid_t command;
static struct stat program;
static unsigned long long *addresses, first, last;
static size_t number;
static unsigned char *code, *planted, *seen;

static int memory_of(pid_t process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", process);
    return open(path, O_RDWR | O_CLOEXEC);
}

static int executes_program(pid_t process)
{
    char path[64];
    struct stat found;
    snprintf(path, sizeof path, "/proc/%d/exe", process);
    return stat(path, &found) == 0 && found.st_ino == program.st_ino && found.st_size == program.st_size;
}

static void plant(pid_t process)
{
    size_t length = last - first + 1;
    int memory = memory_of(process);
    if (!code) {
        code = malloc(length);
        planted = malloc(length);
        if (pread(memory, code, length, (off_t)first) != (ssize_t)length) exit(125);
        memcpy(planted, code, length);
        for (size_t i = 0; i < number; i++) planted[addresses[i] - first] = 0xcc;
    }
    if (pwrite(memory, planted, length, (off_t)first) != (ssize_t)length) exit(125);
    close(memory);
}

/* Whether the process has stopped at a breakpoint, which is taken away. A process of its own reports what its parent
 * has called only where it gets there first: the breakpoints are inherited as they are. */
static int reached(pid_t process)
{
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, process, 0, &registers)) return 0;
    unsigned long long place = registers.rip - 1;
    if (!code || place < first || place > last || planted[place - first] == code[place - first]) return 0;
    int role = process == command ? 1 : 2;
    if (!(seen[place - first] & role)) fprintf(result, "%llx %d\n", place, role - 1);
    seen[place - first] |= role;
    int memory = memory_of(process);
    if (pwrite(memory, &code[place - first], 1, (off_t)place) != 1) exit(125);
    close(memory);
    registers.rip = place;
    ptrace(PTRACE_SETREGS, process, 0, &registers);
    return 1;
}

int main(int count, char **arguments)
{
    FILE *list = count < 5 ? NULL : fopen(arguments[2], "r");
    result = list ? fopen(arguments[3], "w") : NULL;
    if (!result || stat(arguments[1], &program)) {
        fputs("usage: functions PROGRAM ADDRESSES RESULT COMMAND [ARGUMENT...]\n", stderr);
        return 125;
    }
    addresses = malloc(sizeof *addresses << 20);
    first = ~0ULL;
    while (number < 1 << 20 && fscanf(list, "%llx", &addresses[number]) == 1) {
        if (addresses[number] < first) first = addresses[number];
        if (addresses[number] > last) last = addresses[number];
        number++;
    }
    seen = calloc(last - first + 1, 1);
    command = fork();
    if (command == 0) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        execv(arguments[4], arguments + 4);
        _exit(126);
    }
    int status;
    waitpid(command, &status, 0);
    ptrace(PTRACE_SETOPTIONS, command, 0, OPTIONS);
    ptrace(PTRACE_CONT, command, 0, 0);
    for (;;) {
        pid_t process = waitpid(-1, &status, __WALL);
        if (process < 0 && errno == EINTR) continue;
        if (process < 0) break;
        if (!WIFSTOPPED(status)) {
            if (process == command) break;
            continue;
        }
        int event = status >> 16, signal = WSTOPSIG(status);
        if (event == PTRACE_EVENT_EXEC) {
            if (!executes_program(process)) {
                ptrace(PTRACE_DETACH, process, 0, 0);
                continue;
            }
            plant(process);
        }
        if (event || (signal == SIGTRAP && reached(process)) || signal == SIGSTOP) signal = 0;
        ptrace(PTRACE_CONT, process, 0, signal);
    }
    fclose(result);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
