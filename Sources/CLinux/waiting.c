// poll(2) for a process that has given back the pages of its own code.
#include "include/CLinux.h"

// What runs between the two is mapped again, with the pages around it (as much as the kernel holds in one piece): so it
// is this function alone, and none of the C library's.
#if defined(__x86_64__)
static inline __attribute__((always_inline)) long enter(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}
#else
static inline long enter(long number, long a, long b, long c) {
    long result = syscall(number, a, b, c, 0, 0);
    return result < 0 ? -errno : result;
}
#endif

#ifndef SYS_poll
// Architectures that came later have ppoll(2) only, with a time instead of milliseconds.
static inline long wait_for(struct pollfd *entries, unsigned long count, int timeout) {
    long result = poll(entries, count, timeout);
    return result < 0 ? -errno : result;
}
#else
static inline __attribute__((always_inline)) long wait_for(struct pollfd *entries, unsigned long count, int timeout) {
    return enter(SYS_poll, (long)entries, (long)count, timeout);
}
#endif

int clinux_poll_giving_back(
    struct pollfd *entries, unsigned long count, int timeout, const struct clinux_pages *pages, int known) {
    for (int i = 0; i < known; i++) enter(SYS_madvise, (long)pages[i].start, (long)pages[i].length, MADV_DONTNEED);
    long result = wait_for(entries, count, timeout);
    if (result >= 0) return (int)result;
    errno = (int)-result;
    return -1;
}
