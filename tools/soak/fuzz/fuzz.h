/* The system call fuzzer: fuzz.c runs processes and looks for leaks, calls.c makes up calls. */
#pragma once

#include <stdint.h>

#define FOLDER	"/tmp/fuzz"	/* where files are made; what lies in it is removed at the end */

/* The random numbers of one thread, the same for the same seed. */
struct numbers {
	uint64_t state;
};

uint64_t next_number(struct numbers *n);
unsigned below(struct numbers *n, unsigned limit);

/* In a fresh process: the memory and descriptors that calls are given. */
void calls_prepare(void);

/* One made-up call. Does not return if it ends the thread, or in a copy of our process. */
void call_something(struct numbers *n);
