/*
 * The kernel's log: the last LOG_SIZE bytes of what kprintf() said, each line with its time.
 *
 * Positions count bytes since boot, so that a reader knows how much it has missed: the log holds
 * [log_start(), log_end()), and both only grow.
 */
#pragma once

#include "types.h"

#define LOG_SIZE	32768u

/* Appends @n bytes: any number of lines, or part of one. Any context but a panic. */
void log_append(const char *text, size_t n);

/* Return the positions of the oldest complete line and of the end. */
u64 log_start(void);
u64 log_end(void);

/*
 * Copies up to @n bytes from *@at on, or from log_start() on if those are gone, and moves *@at past
 * them. Returns how many it copied.
 */
size_t log_read(u64 *at, char *out, size_t n);
