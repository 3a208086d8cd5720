/*
 * less [file...]: shows text a screen at a time. Space: the next screen; Enter: the next line; q:
 * quit. If the output is no terminal, prints all at once.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "inputs.h"

static int terminal = -1;
static long rows = 23, left;

static char ask(void)
{
	struct termios before, keys;
	char c = 'q';

	tcgetattr(terminal, &before);
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(terminal, TCSADRAIN, &keys);
	fputs("--more--", stdout);
	fflush(stdout);
	if (read(terminal, &c, 1) != 1)
		c = 'q';
	fputs("\r\033[K", stdout);
	tcsetattr(terminal, TCSADRAIN, &before);
	return c;
}

static void page(FILE *f, const char *name)
{
	char *line = NULL, key;
	size_t size = 0;
	ssize_t n;

	(void)name;
	while ((n = getline(&line, &size, f)) > 0) {
		if (terminal >= 0 && left-- == 0) {
			do
				key = ask();
			while (key != 'q' && key != ' ' && key != '\n');
			if (key == 'q')
				exit(0);
			left = key == ' ' ? rows - 1 : 0;
		}
		fwrite(line, 1, n, stdout);
	}
	free(line);
}

int main(int argc, char **argv)
{
	struct winsize size;

	(void)argc;
	if (isatty(1)) {
		terminal = open("/dev/tty", O_RDONLY | O_CLOEXEC);
		if (!ioctl(1, TIOCGWINSZ, &size) && size.ws_row > 1)
			rows = size.ws_row - 1;
	}
	left = rows;
	return for_inputs(argv + 1, page) ? 0 : 1;
}
