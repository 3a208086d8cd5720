/* date [+format]: the time now, in UTC. */
#include <err.h>
#include <stdio.h>
#include <time.h>

int main(int argc, char **argv)
{
	const char *format = argc > 1 ? argv[1] : "+%a %b %e %H:%M:%S UTC %Y";
	time_t now = time(NULL);
	char text[256];

	if (argc > 2 || *format != '+')
		errx(2, "usage: date [+format]");
	if (!strftime(text, sizeof(text), format + 1, gmtime(&now)))
		errx(1, "the format is empty or too long");
	puts(text);
	return 0;
}
