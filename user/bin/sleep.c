/*
 * sleep NUMBER[smhd]...: waits for the sum of these times, in seconds, minutes, hours or days;
 * fractions are allowed.
 */
#include <err.h>
#include <errno.h>
#include <time.h>

#include "durations.h"
#include "options.h"

static const struct options options = { .letters = "", .bad = 1 };

int main(int argc, char **argv)
{
	double seconds = 0, one;
	struct timespec ts;
	bool bad = false;

	next_option(argc, argv, &options);
	need_operand(argc, argv, 1);
	for (; optind < argc; optind++) {
		if (!read_duration(argv[optind], &one)) {
			warnx("invalid time interval '%s'", argv[optind]);
			bad = true;
		}
		seconds += one;
	}
	if (bad)
		bad_usage(argv, 1);
	ts.tv_sec = seconds;
	ts.tv_nsec = (seconds - ts.tv_sec) * 1e9;
	while (nanosleep(&ts, &ts))
		if (errno != EINTR)
			err(1, "cannot read realtime clock");
	return 0;
}
