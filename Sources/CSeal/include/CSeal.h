// Nothing to call: linking seal.c into an executable is what it takes.
