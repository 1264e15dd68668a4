// The sealed re-execution (CVE-2019-5736; Container/SealedExecutable.swift says what for), done before anything else:
// a process that is going to be replaced need not be set up first. On x86-64 it is done at the entry of the
// executable, before the C library has started; elsewhere, and where the linker was not told of the entry, in the
// first constructor. Whatever fails here is tried again, and reported, from Swift.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "include/CSeal.h"
#include <fcntl.h>
#include <linux/mount.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// There is no thread-local storage yet, which the stack's protector reads, and no memcpy or strlen: the C library
// chooses those for the processor when it starts.
#define EARLY __attribute__((no_stack_protector, no_builtin))

// A negative number on failure.
EARLY static long kernel(long number, long a, long b, long c, long d, long e) {
#ifdef __x86_64__
    long result;
    register long fourth __asm__("r10") = d;
    register long fifth __asm__("r8") = e;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth), "r"(fifth)
                     : "rcx", "r11", "memory");
    return result;
#else
    return syscall(number, a, b, c, d, e);
#endif
}

EARLY static int is_same(const char *a, const char *b) {
    while (*a && *a == *b) a++, b++;
    return *a == *b;
}

EARLY static int begins_with(const char *text, const char *beginning) {
    while (*beginning && *text == *beginning) text++, beginning++;
    return !*beginning;
}

// Both return where the text ends.
EARLY static char *append(char *end, const char *text) {
    while (*text) *end++ = *text++;
    *end = 0;
    return end;
}

EARLY static char *append_number(char *end, unsigned long long number) {
    int digits = 1;
    for (unsigned long long rest = number / 10; rest; rest /= 10) digits++;
    end[digits] = 0;
    for (int i = digits - 1; i >= 0; i--, number /= 10) end[i] = (char)('0' + number % 10);
    return end + digits;
}

EARLY static int touches_containers(int count, char **words) {
    // A container called "run" is sealed for nothing, which does no harm; a command hidden from this loop is sealed
    // later.
    for (int i = 1; i < count; i++)
        if (is_same(words[i], "run") || is_same(words[i], "create") || is_same(words[i], "exec")) return 1;
    return 0;
}

// What the second execution knows itself by: this process's number, which execve keeps, and the identity of the mount
// that it was executed from. That a file looks read-only proves nothing: a host may remount what it has mounted
// read-only.
#define MARK "_RUNBOX_SEALED="
#define MOUNT_IDENTITY (STATX_MNT_ID | 0x4000U /* STATX_MNT_ID_UNIQUE, Linux 6.8 */)

enum { MARK_SIZE = 64 };

// Writes the part of the mark that names the process.
EARLY static char *mark_process(char *mark) {
    return append(append_number(append(mark, MARK), (unsigned long long)kernel(SYS_getpid, 0, 0, 0, 0, 0)), ":");
}

// Writes the mark that a process executed from this file would carry; 0 where the kernel does not identify mounts.
EARLY static int make_mark(char *mark, long file) {
    struct statx status;
    if (kernel(SYS_statx, file, (long)"", AT_EMPTY_PATH, MOUNT_IDENTITY, (long)&status) < 0) return 0;
    if (!(status.stx_mask & MOUNT_IDENTITY)) return 0;
    append_number(mark_process(mark), status.stx_mnt_id);
    return 1;
}

// A mark of this process's number: it has been executed from a sealed file before. Whether this is that file, Swift
// asks.
EARLY static int was_sealed(char **environment) {
    char mark[MARK_SIZE];
    mark_process(mark);
    for (; *environment; environment++)
        if (begins_with(*environment, mark)) return 1;
    return 0;
}

// Executes the sealed file with the same arguments.
EARLY static void execute(long file, char *mark, char **words, char **environment) {
    size_t count = 0;
    while (environment[count]) count++;
    char *kept[count + 2];
    size_t last = 0;
    for (size_t i = 0; i < count; i++)
        if (!begins_with(environment[i], MARK)) kept[last++] = environment[i];
    kept[last++] = mark;
    kept[last] = NULL;
    kernel(SYS_execveat, file, (long)"", (long)words, (long)kept, AT_EMPTY_PATH);
}

// Returns where this process is not to be replaced, or cannot be.
EARLY static void seal(int count, char **words, char **environment) {
    if (!touches_containers(count, words) || was_sealed(environment)) return;
    char mark[MARK_SIZE];
    struct mount_attr read_only = {.attr_set = MOUNT_ATTR_RDONLY};
    long clone = kernel(SYS_open_tree, AT_FDCWD, (long)"/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC, 0, 0);
    if (clone < 0) return;
    if (kernel(SYS_mount_setattr, clone, (long)"", AT_EMPTY_PATH, (long)&read_only, sizeof read_only) >= 0 &&
        make_mark(mark, clone))
        execute(clone, mark, words, environment);
    kernel(SYS_close, clone, 0, 0, 0, 0);
}

static int has_tried;

#ifdef __x86_64__
// Where the writable data begins and ends: symbols of the C library's start file and of the linker.
extern char data_start, _end;

// How deep the stack becomes when a container is started, in bytes.
#define STACK_IN_USE (44 << 10)
// How much of the heap is surely used.
#define HEAP_IN_USE (88 << 10)

// Asks for the pages that are surely written to at once, which costs less than a fault for each. A kernel older than
// 5.14 refuses, which does no harm.
EARLY static void populate(char *begin, char *end) {
    long first = (long)begin & -4096, last = ((long)end + 4095) & -4096;
    kernel(SYS_madvise, first, last - first, MADV_POPULATE_WRITE, 0, 0);
}

// What the kernel has put on the stack: the number of arguments, the arguments, an empty one, the environment.
EARLY __attribute__((used, visibility("hidden"))) void cseal_begin(long *stack) {
    int count = (int)stack[0];
    char **words = (char **)(stack + 1);
    has_tried = 1;
    seal(count, words, words + count + 1);
    populate(&data_start, &_end);
    if (touches_containers(count, words)) populate((char *)stack - STACK_IN_USE, (char *)stack);
}

// The executable's entry, where the linker is told of it (Package.swift): the C library's own finds the stack and the
// registers as the kernel left them. System V ABI for x86-64, "Initial Stack and Register State".
__asm__(".text\n"
        ".globl cseal_start\n"
        ".type cseal_start, @function\n"
        "cseal_start:\n"
        "    movq %rsp, %rdi\n"
        "    pushq %rdx\n"
        "    subq $8, %rsp\n"
        "    call cseal_begin\n"
        "    addq $8, %rsp\n"
        "    popq %rdx\n"
        "    jmp _start\n"
        ".size cseal_start, . - cseal_start\n");
#endif

static int given_count;
static char **given_words;

char **cseal_words(void) { return given_words; }
int cseal_count(void) { return given_count; }

#ifndef RUNBOX_EMBEDDED
// The runtime of ordinary Swift would look for a program to print crashes with beside its executable, which for a
// sealed one is the working directory: nothing that lies there may ever be run. And it ends a process that cannot
// find that.
static char without_backtraces[] = "SWIFT_BACKTRACE=enable=no,swift-backtrace=/";
#endif

// Priority 101, the first there is: before the constructors of the Swift runtime.
__attribute__((constructor(101))) static void begin(int count, char **words) {
    given_count = count;
    given_words = words;
#ifndef RUNBOX_EMBEDDED
    putenv(without_backtraces);
#endif
    if (!has_tried) seal(count, words, environ);
#ifdef __x86_64__
    char *heap = touches_containers(count, words) ? malloc(1) : NULL;
    if (heap) populate(heap, heap + HEAP_IN_USE);
    free(heap);
#endif
    // Nothing is gained by giving memory back.
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}
