/* sleep seconds: with a fraction if you like. */
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
	struct timespec ts;
	double seconds;
	char *end;

	if (argc != 2)
		errx(2, "usage: sleep seconds");
	seconds = strtod(argv[1], &end);
	if (end == argv[1] || *end || seconds < 0)
		errx(2, "%s: not a time", argv[1]);
	ts.tv_sec = seconds;
	ts.tv_nsec = (seconds - ts.tv_sec) * 1e9;
	while (nanosleep(&ts, &ts))
		if (errno != EINTR)
			err(1, "nanosleep");
	return 0;
}
