/*
 * Pseudo-random bytes for /dev/random, getrandom() and AT_RANDOM, repeatable with the boot argument
 * seed=. They can be predicted from the seed or the clock: not for secrets.
 */
#pragma once

#include "types.h"

void random_init(void);			/* seed=N, by default from the clock */
void random_bytes(void *buf, size_t n);	/* any context */
