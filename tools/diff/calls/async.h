/* Files that tell by a signal: what async.c (what they tell) and owner.c (whom) share. */
#pragma once

#include "diff.h"

extern int p[2];			/* a pipe */

void make_pipe(void);			/* not blocking; every signal is blocked */
void block_all(void);			/* for told() to find */
void listen_to(int fd, int sig);	/* it tells us, by @sig */

/* Takes the signals that are pending, but for the ends of children, and says what they are. */
void told(const char *after);
