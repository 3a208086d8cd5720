/*
 * The words of memory that the kernel has accessed: between words.c, which finds them, and order.c,
 * which knows what happened to them.
 */
#pragma once

#include "explore.h"

/* One word's history on this path. */
struct history {
	uint8_t plain_store, plain_load;	/* a bit for each CPU: it was not atomic */
	uint8_t thread;			/* that made the last access, if there is only one CPU */
	bool store, irqs_on;		/* of the last access */
	struct {
		uint32_t stored, loaded;	/* its count at its last access; 0: none */
		uint32_t stored_by, loaded_by;	/* the code of that access */
	} of[HOST_CPUS];
};

/* How it was used, ever, and by which CPUs; for handed.c. */
struct use {
	uint64_t locks;			/* without which it was used: bits as in effects */
	uint8_t cpus;			/* a bit for each */
	bool stored, plain;		/* by one of them */
	uint16_t handed;		/* its number among those of handed.c, from 1; or 0 */
};

/* In order of use: with two CPUs most accesses need the first 64 bytes alone. */
struct word {
	_Alignas(64) uintptr_t at;
	uint8_t size;
	uint8_t smallest;		/* access to the 8 bytes that begin here */
	bool racing;
	bool atomic;			/* of its whole size, while it raced */
	uint32_t logged;		/* the snapshot since which its old history is in the log */
	struct history h;
	struct use use;
	unsigned number;		/* of those whose accesses are effects; 0: not yet */
	struct location *location;
	struct release *release;	/* NULL: it never had one */
};

#define WORDS_MAX	(1u << 15)
extern struct word words[WORDS_MAX];

struct word *find_word(const void *address);	/* the one that the byte is in */
void race(struct word *w);			/* from now on @w races */

void note_use(struct word *w, const struct access *a);	/* of handed.c */

/* Calls @f for each word of [start, start + size) that somebody has accessed. */
void each_word(const void *start, size_t size, void (*f)(struct word *w));
