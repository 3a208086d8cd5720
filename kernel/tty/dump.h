/*
 * Dumps for people, by console keys.
 */
#pragma once

/* Acts on a key after the dump prefix: t threads, p processes, l locks, r run queues, h help. */
void dump_key(char c);
