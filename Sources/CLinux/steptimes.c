#include "include/CLinux.h"
#include <sys/mman.h>
#include <time.h>

// In memory that is shared with the processes made after clinux_times_begin, up to their execve: what each of them
// has done stands in one row, and nobody has to send anything.
#define ROOM 1000

static struct {
    unsigned count;
    struct clinux_step_time entries[ROOM];
} *times;
static unsigned char own_side;

int clinux_times_begin(void) {
    void *memory = mmap(NULL, sizeof *times, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return -1;
    times = memory;
    return 0;
}

void clinux_times_stop(void) { times = NULL; }

void clinux_times_side(unsigned char side) { own_side = side; }

// CLOCK_REALTIME is the one clock that a time namespace does not move.
unsigned long long clinux_times_now(void) {
    struct timespec now;
    if (!times) return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned long long)now.tv_sec * 1000000000 + (unsigned long long)now.tv_nsec;
}

void clinux_times_note(unsigned char step, unsigned long long began) {
    if (!times || !began) return;
    unsigned long long ended = clinux_times_now();
    unsigned place = __atomic_fetch_add(&times->count, 1, __ATOMIC_RELAXED);
    if (place < ROOM)
        times->entries[place] = (struct clinux_step_time){
            .step = step, .side = own_side, .began = began, .ended = ended < began ? began : ended};
}

int clinux_times_entry(unsigned place, struct clinux_step_time *entry) {
    if (!times || place >= ROOM || place >= __atomic_load_n(&times->count, __ATOMIC_RELAXED)) return 0;
    *entry = times->entries[place];
    return 1;
}
