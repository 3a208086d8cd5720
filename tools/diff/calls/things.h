/* The files that calls are tried on, each of another kind. */
#pragma once

#include "diff.h"

static int f, r, w, d, o, ro,
	e; /* a file, a pipe, the folder, a path, for reading only, an eventfd */

static void things(void)
{
	int p[2];

	f = file("f", "abcdefgh");
	Q(pipe2, p, O_NONBLOCK);
	r = p[0];
	w = p[1];
	d = Q(openat, AT_FDCWD, ".", O_RDONLY);
	o = Q(openat, AT_FDCWD, "f", O_PATH);
	ro = Q(openat, AT_FDCWD, "f", O_RDONLY);
	e = Q(eventfd2, 0, O_NONBLOCK);
	Q(mkdirat, AT_FDCWD, "dir", 0755);
	Q(symlinkat, "f", AT_FDCWD, "l");
	Q(symlinkat, "loop", AT_FDCWD, "loop");
	Q(mknodat, AT_FDCWD, "fifo", S_IFIFO | 0666, 0);
}
