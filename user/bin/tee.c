/*
 * tee [-a] [file...]: copies standard input to standard output and to the files; -a: append to
 * them.
 */
#include <err.h>
#include <fcntl.h>

#include "options.h"

#define MAX_FILES 16

static const struct options options = {
	.letters = "ai",
	.names = "a:append",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *names[MAX_FILES] = { "standard output" };
	int fds[MAX_FILES] = { 1 }, n = 1, status = 0, flags = O_TRUNC, c;
	static char buf[4096];
	ssize_t len;

	while ((c = next_option(argc, argv, &options)) != -1)
		flags = c == 'a' ? O_APPEND : flags;
	for (; optind < argc && n < MAX_FILES; optind++) {
		names[n] = argv[optind];
		fds[n] = open(argv[optind], O_WRONLY | O_CREAT | flags, 0666);
		if (fds[n] < 0) {
			warn("%s", argv[optind]);
			status = 1;
		} else {
			n++;
		}
	}
	while ((len = read(0, buf, sizeof(buf))) > 0) {
		for (int i = 0; i < n; i++) {
			if (fds[i] < 0 || write(fds[i], buf, len) == len)
				continue;
			warn("%s", names[i]);
			fds[i] = -1;
			status = 1;
		}
	}
	return status;
}
