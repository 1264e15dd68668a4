// Loading a seccomp filter whose listener another process must get: see clinux_load_listener in CLinux.h.  The filter
// may forbid, or leave to an agent that has no descriptor yet, any call that could pass the descriptor on. So a thread
// that the filter does not hold passes it on, and the thread that is under the filter waits in memory only: it makes no
// call between the load and execve. In C, because both run on one C library's thread-local storage (errno) and one of
// them on a stack of its own, where Swift must not run.
#include "include/CLinux.h"
#include <stdatomic.h>

enum { NONE_YET = -1, NOT_LOADED = -2 };
enum { WAITING, READY, TAKEN, REFUSED };

static struct {
    int socket;
    const void *bytes;
    size_t length;
    atomic_int listener;  // the descriptor, once there is one
    atomic_int state;
    int error;
} handover;

// The thread ends with the process, or at its exec: the stack is never given back.
enum { STACK = 32 << 10 };

static inline void pause_processor(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

// Sends the descriptor and waits for any answer; the end of the socket is a refusal.
static void hand_over(int listener) {
    char answer[64];
    ssize_t got = clinux_send(handover.socket, handover.bytes, handover.length, &listener, 1, 0);
    while (got >= 0 && (got = recv(handover.socket, answer, sizeof answer, 0)) < 0 && errno == EINTR) got = 0;
    handover.error = got < 0 ? errno : EPIPE;
    atomic_store(&handover.state, got > 0 ? TAKEN : REFUSED);
}

static int wait_and_hand_over(void *unused) {
    (void)unused;
    // A thread that spins with a real-time priority must not keep this one, of the same priority, from the processor
    // for ever.
    int policy = sched_getscheduler(0);
    struct sched_param ordinary = {0};
    if (policy == SCHED_FIFO || policy == SCHED_RR) sched_setscheduler(0, SCHED_OTHER, &ordinary);
    atomic_store(&handover.state, READY);
    int listener;
    while ((listener = atomic_load(&handover.listener)) == NONE_YET) sched_yield();
    if (listener >= 0) hand_over(listener);
    return 0;
}

int clinux_load_listener(const void *program, unsigned int flags, int socket, const void *bytes, size_t length) {
    handover.socket = socket;
    handover.bytes = bytes;
    handover.length = length;
    atomic_store(&handover.listener, NONE_YET);
    atomic_store(&handover.state, WAITING);
    char *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    int thread = stack == MAP_FAILED ? -1 : clone(
        wait_and_hand_over, stack + STACK,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    // Two tasks share one errno from here on: each looks at it only while the other makes no call.
    while (thread > 0 && atomic_load(&handover.state) == WAITING) sched_yield();
    int listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
    if (listener < 0) {
        int error = errno;
        atomic_store(&handover.listener, NOT_LOADED);
        errno = error;
        return -1;
    }
    if (thread > 0) {
        atomic_store(&handover.listener, listener);
        while (atomic_load(&handover.state) == READY) pause_processor();
    } else {
        // No room for a thread, such as below a pids limit of 1: then the filter decides whether it can be passed on.
        hand_over(listener);
    }
    if (atomic_load(&handover.state) == TAKEN) return 0;
    errno = handover.error;
    return -2;
}
