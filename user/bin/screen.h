/*
 * A screen that is redrawn every few seconds until a person presses q: for top and schedtop.
 *	-b	no screen, one picture after the other; -n N: that many; -d S: seconds between
 */
#pragma once

#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

struct screen {
	bool batch;
	long pictures;			/* how many are still to be drawn */
	int delay_ms;
	struct termios before;
};

static inline bool screen_begin(struct screen *s, int argc, char **argv)
{
	struct termios raw;
	int c;

	*s = (struct screen){ .pictures = -1, .delay_ms = 2000 };
	while ((c = getopt(argc, argv, "bn:d:")) != -1) {
		switch (c) {
		case 'b':	s->batch = true; break;
		case 'n':	s->pictures = atol(optarg); break;
		case 'd':	s->delay_ms = strtod(optarg, NULL) * 1000; break;
		default:	return false;
		}
	}
	if (!s->batch && tcgetattr(0, &s->before))
		err(1, "standard input");
	if (!s->batch) {
		raw = s->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(0, TCSANOW, &raw);
	}
	return true;
}

/* Called before each picture. Returns false if the last one has been drawn. */
static inline bool screen_next(struct screen *s)
{
	if (s->pictures == 0) {
		if (!s->batch)
			tcsetattr(0, TCSANOW, &s->before);
		return false;
	}
	s->pictures -= s->pictures > 0;
	if (!s->batch)
		fputs("\033[H\033[J", stdout);
	return true;
}

/* Called after each picture: shows it, and waits for the time between two. */
static inline void screen_wait(struct screen *s)
{
	struct pollfd key = { .fd = 0, .events = POLLIN };
	char c;

	fflush(stdout);
	if (s->pictures == 0)
		return;
	if (poll(&key, s->batch ? 0 : 1, s->delay_ms) == 1 &&
	    (read(0, &c, 1) <= 0 || c == 'q'))
		s->pictures = 0;
}
