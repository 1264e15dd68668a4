// Lets one system call of one process fail, or kills the process there.
//
//     inject RESULT ROLE CALL N ACTION PROGRAM [ARGUMENT…]
//
// PROGRAM is traced with all that it makes. Processes and threads are numbered as they are born: 0 is PROGRAM itself, 1
// its first child. What executes another program than PROGRAM is let go: hooks and payloads are not the runtime. ACTION
// is the number of an errno, which the N-th CALL (a name) of the process ROLE gives without being made; or "kill",
// SIGKILL instead of the call; or "count", which fails nothing and writes how often each process makes each call.
// strace's inject counts in the same way, but for all processes at once: the runtime's calls would stand before those
// of the init.
//
// RESULT is written: "hit WHAT" when the call was reached, "exit N" or "signal N" of PROGRAM, "count ROLE CALL N".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROLES 32
#define CALLS 600
#define OPTIONS (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC)

static pid_t roles[ROLES];
static int born, failing[ROLES];
static unsigned counts[ROLES][CALLS];
static int running;  // PROGRAM has begun; before that, the calls are ours
static FILE *result;

static int role_of(pid_t pid) {
    for (int role = 0; role < born; role++)
        if (roles[role] == pid) return role;
    if (born == ROLES) exit(3);
    roles[born] = pid;
    return born++;
}

// The first argument that is text: mostly the path.
static void tell(pid_t pid, const char *call, const unsigned long long *arguments) {
    fprintf(result, "hit %s", call);
    for (int i = 0; i < 3; i++) {
        char text[80] = "";
        struct iovec here = {text, sizeof text - 1}, there = {(void *)arguments[i], sizeof text - 1};
        if (arguments[i] < 4096 || process_vm_readv(pid, &here, 1, &there, 1, 0) <= 0) continue;
        size_t length = 0;
        while (text[length] >= ' ' && text[length] < 127) length++;
        if (length < 2 || text[length]) continue;
        fprintf(result, "(%s)", text);
        break;
    }
    fprintf(result, "\n");
}

static void set_call(pid_t pid, int error) {
#if defined(__x86_64__)
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    if (ptrace(PTRACE_GETREGSET, pid, 1, &all)) return;
    if (error) registers.rax = -(long)error;
    else registers.orig_rax = -1;
    ptrace(PTRACE_SETREGSET, pid, 1, &all);
#elif defined(__aarch64__)
    int none = -1;
    struct iovec call = {&none, sizeof none};
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    if (!error) { ptrace(PTRACE_SETREGSET, pid, 0x404 /* NT_ARM_SYSTEM_CALL */, &call); return; }
    if (ptrace(PTRACE_GETREGSET, pid, 1, &all)) return;
    registers.regs[0] = -(long)error;
    ptrace(PTRACE_SETREGSET, pid, 1, &all);
#else
#error "where this machine keeps the number of a system call is not known here"
#endif
}

static void at_call(pid_t pid, int role, int wanted_role, int wanted_call, unsigned n, const char *action) {
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        if (failing[role]) set_call(pid, failing[role]);
        failing[role] = 0;
    }
    if (!running || info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr >= CALLS) return;
    unsigned now = ++counts[role][info.entry.nr];
    if (role != wanted_role || (int)info.entry.nr != wanted_call || now != n || !strcmp(action, "count")) return;
    char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)info.entry.nr);
    tell(pid, name, (const unsigned long long *)info.entry.args);
    free(name);
    if (!strcmp(action, "kill")) { kill(pid, SIGKILL); return; }
    failing[role] = atoi(action);
    set_call(pid, 0);
}

static int is_other_program(pid_t pid, const char *program) {
    char path[40], text[4096];
    snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
    if (file >= 0) close(file);
    text[length > 0 ? length : 0] = 0;
    return strcmp(text, program) != 0;
}

static void write_counts(void) {
    for (int role = 0; role < born; role++)
        for (int call = 0; call < CALLS; call++) {
            if (!counts[role][call]) continue;
            char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
            fprintf(result, "count %d %s %u\n", role, name ? name : "?", counts[role][call]);
            free(name);
        }
}

int main(int count, char **words) {
    if (count < 7) return 2;
    result = fopen(words[1], "we");
    if (!result) return 2;
    setvbuf(result, NULL, _IOLBF, 0);
    int role = atoi(words[2]), call = seccomp_syscall_resolve_name(words[3]), go[2];
    const char *action = words[5];
    if (pipe2(go, O_CLOEXEC)) return 2;
    pid_t first = fork();
    if (first == 0) {
        char byte;
        close(go[1]);
        if (read(go[0], &byte, 1) == 0) execv(words[6], words + 6);
        _exit(127);
    }
    if (ptrace(PTRACE_SEIZE, first, 0, OPTIONS)) return 2;
    role_of(first);
    ptrace(PTRACE_INTERRUPT, first, 0, 0);
    close(go[0]);
    int started = 0, status;
    for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            for (int i = 0; i < born; i++)
                if (roles[i] == pid) roles[i] = -1;
            if (pid != first) continue;
            if (WIFEXITED(status)) fprintf(result, "exit %d\n", WEXITSTATUS(status));
            else fprintf(result, "signal %d\n", WTERMSIG(status));
            break;
        }
        int event = status >> 16, signal = WSTOPSIG(status);
        if (!started) { started = 1; close(go[1]); }
        if (event == PTRACE_EVENT_EXEC) running = 1;
        if (event == PTRACE_EVENT_EXEC && pid != first && is_other_program(pid, words[6])) {
            ptrace(PTRACE_DETACH, pid, 0, 0);
            continue;
        }
        if (signal == (SIGTRAP | 0x80)) at_call(pid, role_of(pid), role, call, atoi(words[4]), action);
        else if (!event && signal != SIGTRAP) { ptrace(PTRACE_SYSCALL, pid, 0, signal); continue; }
        // A stop for job control; the first one of a new process has SIGTRAP.
        else if (event == PTRACE_EVENT_STOP && (signal == SIGSTOP || signal == SIGTSTP)) { ptrace(PTRACE_LISTEN, pid, 0, 0); continue; }
        else role_of(pid);
        ptrace(PTRACE_SYSCALL, pid, 0, 0);
    }
    if (!strcmp(action, "count")) write_counts();
    return 0;
}
