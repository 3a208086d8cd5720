/* tee [-a] [file...]: standard input to standard output and to the files. */
#include <err.h>
#include <fcntl.h>
#include <unistd.h>

#define MAX_FILES	16

int main(int argc, char **argv)
{
	int fds[MAX_FILES] = { 1 }, n = 1, status = 0, flags = O_TRUNC, c;
	static char buf[4096];
	ssize_t len;

	while ((c = getopt(argc, argv, "a")) != -1) {
		if (c == '?')
			return 2;
		flags = O_APPEND;
	}
	for (; optind < argc && n < MAX_FILES; optind++) {
		fds[n] = open(argv[optind], O_WRONLY | O_CREAT | flags, 0666);
		if (fds[n++] < 0)
			err(1, "%s", argv[optind]);
	}
	while ((len = read(0, buf, sizeof(buf))) > 0) {
		for (int i = 0; i < n; i++) {
			if (write(fds[i], buf, len) != len) {
				warn("write");
				status = 1;
			}
		}
	}
	return status;
}
