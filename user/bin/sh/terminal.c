/*
 * Lines from a person at a terminal. While a line is edited, the terminal gives us each key at
 * once; before a command runs, its settings are restored. No byte beyond the line is read: what was
 * typed ahead may be meant for the command.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "edit.h"

static void write_screen(const char *s, size_t n)
{
	ssize_t done;

	for (; n; s += done, n -= done) {
		done = write(2, s, n);
		if (done < 0 && errno != EINTR)
			return;
		if (done < 0)
			done = 0;
	}
}

/* On a serial line the width is unknown until "stty cols 132" sets it. */
static size_t screen_columns(void)
{
	struct winsize size;

	return ioctl(2, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

char *terminal_read_line(int fd, const char *prompt, bool *cancelled)
{
	static struct edit e = { .write = write_screen, .complete = complete_word };
	enum edit_result result = EDIT_GOES_ON;
	struct termios before, keys;
	struct text line = { 0 };
	ssize_t n;
	char c;

	tcgetattr(fd, &before);
	keys = before;
	keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG | IEXTEN);
	keys.c_cc[VMIN] = 1;
	keys.c_cc[VTIME] = 0;
	tcsetattr(fd, TCSADRAIN, &keys);
	e.columns = screen_columns();
	edit_begin(&e, prompt);
	while (result == EDIT_GOES_ON) {
		n = read(fd, &c, 1);
		if (n > 0)
			result = edit_key(&e, c);
		else if (n == 0 || errno != EINTR)
			result = EDIT_END;
	}
	tcsetattr(fd, TCSADRAIN, &before);
	*cancelled = result == EDIT_CANCELLED;
	if (result != EDIT_DONE)
		return NULL;
	history_add(e.text);
	text_add_string(&line, e.text);
	text_add(&line, '\n');
	return line.s;
}
