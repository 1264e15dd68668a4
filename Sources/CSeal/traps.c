// What Swift stops a process by: an overflow, an index out of bounds, a value that is not there. Embedded Swift does
// it without a word, and a status above 128 would be taken for the container's.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

// Only calls that a handler may make; signal-safety(7).
static void report(int signal, siginfo_t *information, void *context) {
    static const char before[] = "runbox: internal error: the program stopped itself at 0x";
    static const char after[] = " (an overflow, an index out of bounds or the like); please report this\n";
    char text[sizeof before + sizeof after + 2 * sizeof(size_t)];
    size_t length = 0, address = (size_t)information->si_addr;
    int shift = 8 * (int)sizeof address - 4;
    (void)signal;
    (void)context;
    for (const char *c = before; *c; c++) text[length++] = *c;
    while (shift > 0 && !(address >> shift & 15)) shift -= 4;
    for (; shift >= 0; shift -= 4) text[length++] = "0123456789abcdef"[address >> shift & 15];
    for (const char *c = after; *c; c++) text[length++] = *c;
    // Whether it can be written or not, the status says the same.
    ssize_t ignored = write(STDERR_FILENO, text, length);
    (void)ignored;
    _exit(1);
}

// A program that is executed later has the default action again; execve(2).
__attribute__((constructor(103))) static void report_traps(void) {
    struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
}
