// The same view of the C library as CLinux has, so that shared types agree.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <sys/capability.h>
