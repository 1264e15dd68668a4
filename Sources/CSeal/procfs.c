// Without procfs neither the sealing nor the Swift runtime works, and what they report, if anything, does not say
// why.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

// Priority 102: behind the sealing, which executes the program anew and comes here again, and before the Swift
// runtime's own constructors, which have none.
__attribute__((constructor(102))) static void demand_procfs(void) {
    static const char message[] =
        "runbox: /proc is not mounted, or not this process's: /proc/self/cmdline cannot be read; mount -t proc proc /proc\n";
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        close(file);
        return;
    }
    // Whether it can be written or not, the status says the same.
    ssize_t ignored = write(STDERR_FILENO, message, strlen(message));
    (void)ignored;
    _exit(1);
}
