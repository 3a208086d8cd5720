/* The lines that were typed, for the arrow keys, Ctrl-R and the builtin "history". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edit.h"

#define HISTORY	500

static char *lines[HISTORY];
static size_t count, forgotten;		/* the oldest line has the number forgotten + 1 */

size_t history_count(void)
{
	return count;
}

const char *history_line(size_t i)
{
	return lines[i];
}

static void forget(size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(lines[i]);
	memmove(lines, lines + n, (count - n) * sizeof(*lines));
	count -= n;
	forgotten += n;
}

void history_add(const char *line)
{
	char *copy;

	if (!line[strspn(line, " \t\n")] || (count && !strcmp(lines[count - 1], line)))
		return;
	copy = strdup(line);
	if (!copy)
		return;
	if (count == HISTORY)
		forget(1);
	lines[count++] = copy;
}

size_t history_find(const char *text, size_t len, size_t end)
{
	while (end-- > 0)
		if (memmem(lines[end], strlen(lines[end]), text, len))
			return end;
	return count;
}

/* history [-c] [n]: prints the last n lines, or all; -c forgets them. */
int builtin_history(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : count;

	if (argc > 1 && !strcmp(argv[1], "-c")) {
		forget(count);
		forgotten = 0;
		return 0;
	}
	for (size_t i = n < count ? count - n : 0; i < count; i++)
		printf("%5zu  %s\n", forgotten + i + 1, lines[i]);
	return fflush(stdout) ? 1 : 0;
}
