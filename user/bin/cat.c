/*
 * cat [-AbeEnstTv] [file...]: writes the files one after the other; "-" or no file means standard
 * input. -n: number all lines, -b: only lines that are not empty; -s: show several empty lines as
 * one; -E: show $ at the end of each line; -T: show tabs as ^I; -v: show control characters as ^X;
 * -e, -t: like -E or -T, and -v; -A: all of that.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>

#include "options.h"

static bool number, number_filled, squeeze, ends, tabs, visible, plain = true;

static void show(unsigned char c)
{
	if (visible && c >= 0x80) {
		printf("M-");
		c &= 0x7f;
	}
	if ((c == '\t' && tabs) || (visible && c < ' ' && c != '\t') || (visible && c == 0x7f))
		printf("^%c", c ^ 0x40);
	else
		putchar(c);
}

/* A line may go on in the next buffer, or in the next file. */
static void show_all(const char *buf, ssize_t n)
{
	static bool inside;
	static long line, empty;

	for (ssize_t i = 0; i < n; i++) {
		if (!inside) {
			empty = buf[i] == '\n' ? empty + 1 : 0;
			if (squeeze && empty > 1)
				continue;
			if (number_filled ? buf[i] != '\n' : number)
				printf("%6ld\t", ++line);
		}
		inside = buf[i] != '\n';
		if (inside)
			show(buf[i]);
		else
			fputs(ends ? "$\n" : "\n", stdout);
	}
	fflush(stdout);
}

static int copy(int fd, const char *name)
{
	static char buf[16384];
	ssize_t n, done, step;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (!plain)
			show_all(buf, n);
		for (done = 0; plain && done < n; done += step) {
			step = write(1, buf + done, n - done);
			if (step < 0)
				err(1, "write error");
		}
	}
	if (n < 0)
		warn("%s", name);
	return n < 0;
}

static const struct options options = {
	.letters = "AbeEnstTuv",
	.names = "A:show-all b:number-nonblank E:show-ends n:number s:squeeze-blank T:show-tabs "
		 "v:show-nonprinting",
	.bad = 1,
};

int main(int argc, char **argv)
{
	int status = 0, fd, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		plain &= c == 'u';
		number |= c == 'n';
		number_filled |= c == 'b';
		squeeze |= c == 's';
		ends |= c == 'e' || c == 'E' || c == 'A';
		tabs |= c == 't' || c == 'T' || c == 'A';
		visible |= strchr("etvA", c) != NULL;
	}
	if (optind == argc)
		return copy(0, "-");
	for (; optind < argc; optind++) {
		fd = strcmp(argv[optind], "-") ? open(argv[optind], O_RDONLY) : 0;
		if (fd < 0) {
			warn("%s", argv[optind]);
			status = 1;
			continue;
		}
		status |= copy(fd, argv[optind]);
		if (fd)
			close(fd);
	}
	return status;
}
