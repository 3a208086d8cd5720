/*
 * tty [-s]: prints the name of the terminal that is standard input. -s: only the status tells
 * whether it is one.
 */
#include "options.h"

static const struct options options = {
	.letters = "s",
	.names = "s:silent s:quiet",
	.bad = 2,
};

int main(int argc, char **argv)
{
	char name[256];
	bool silent = false;
	ssize_t n;

	while (next_option(argc, argv, &options) != -1)
		silent = true;
	n = isatty(0) ? readlink("/proc/self/fd/0", name, sizeof(name)) : -1;
	if (!silent)
		printf("%.*s\n", n < 0 ? 9 : (int)n, n < 0 ? "not a tty" : name);
	return n < 0;
}
