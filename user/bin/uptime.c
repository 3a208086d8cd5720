/* uptime: prints the time of day, how long the machine has been up, and its load. */
#include <err.h>
#include <time.h>

#include "proc.h"

int main(void)
{
	char up[64], load[64], clock[16];
	const char *at = load;
	time_t now = time(NULL);
	long seconds;

	if (read_text("/proc/uptime", up, sizeof(up)) <= 0 ||
	    read_text("/proc/loadavg", load, sizeof(load)) <= 0)
		err(1, "/proc");
	seconds = atol(up);
	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	printf(" %s up ", clock);
	if (seconds >= 86400)
		printf("%ld days, ", seconds / 86400);
	printf("%ld:%02ld:%02ld, load average: ", seconds / 3600 % 24, seconds / 60 % 60,
	       seconds % 60);
	for (int i = 0; i < 3; i++, at += strcspn(at, " ") + 1)
		printf("%s%.*s", i ? ", " : "", (int)strcspn(at, " "), at);
	putchar('\n');
	return 0;
}
