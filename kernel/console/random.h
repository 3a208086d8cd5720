/*
 * Pseudo-random bytes, the same ones for the same seed= boot argument: for /dev/random, getrandom()
 * and AT_RANDOM. Predictable by whoever knows the seed or sees the clock: not for secrets.
 */
#pragma once

#include "types.h"

void random_init(void);			/* seed=N, by default from the clock */
void random_bytes(void *buf, size_t n);	/* any context */
