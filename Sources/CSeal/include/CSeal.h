// The executable's beginning, before the Swift runtime: the entry (seal.c), and the constructors of seal.c, procfs.c
// and traps.c, which need only be linked in.
#ifndef RUNBOX_CSEAL_H
#define RUNBOX_CSEAL_H

// The arguments that the program was called with, and how many they are. The Swift runtime would look for them in
// procfs, and finds none, without an error, where that cannot be read.
char **cseal_words(void);
int cseal_count(void);

#endif
