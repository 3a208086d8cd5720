/*
 * help: lists the commands, and tells what one of them does. Builtins have their texts here; for
 * programs it is the comment at the top of their source, which the build collects in /etc/help:
 * paragraphs, each beginning with the program's name.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sh.h"

#define TEXTS	"/etc/help"

static void say_builtin(const struct builtin *b)
{
	int width = printf("%s%s%s", b->name, *b->args ? " " : "", b->args);

	printf("%*s  %s\n", width < 30 ? 30 - width : 0, "", b->text);
}

/* Finds the paragraph about @name, of @len bytes. NULL: there is none. */
static const char *find_text(const char *texts, const char *name, size_t *len)
{
	const char *p = texts, *end;

	for (; *p; p = end + 2) {
		end = strstr(p, "\n\n");
		if (!end)
			return NULL;
		if (strcspn(p, " :,\n") == strlen(name) && !strncmp(p, name, strlen(name))) {
			*len = end + 1 - p;
			return p;
		}
	}
	return NULL;
}

static char *read_texts(void)
{
	int fd = open(TEXTS, O_RDONLY | O_CLOEXEC);
	char *texts = fd < 0 ? NULL : read_whole(fd);

	if (fd >= 0)
		close(fd);
	return texts ? texts : "";
}

static void list_commands(void)
{
	size_t column = 0, len;

	puts("Builtins; the others are programs. \"help NAME\" tells more, Tab completes names,\n"
	     "the arrows and Ctrl-R bring lines back, Ctrl-C ends and Ctrl-Z stops what runs.\n");
	for (const struct builtin *b = builtins; b->name; b++)
		say_builtin(b);
	puts("\nPrograms:");
	for (const char *p = read_texts(); *p; p = strstr(p, "\n\n") + 2) {
		len = strcspn(p, " :,\n");
		if (column + len + 1 > 78) {
			putchar('\n');
			column = 0;
		}
		column += printf("%s%.*s", column ? " " : "", (int)len, p);
	}
	puts(column ? "" : "none has a text");
}

/* help [name...] */
int builtin_help(int argc, char **argv)
{
	const char *texts = read_texts(), *text;
	const struct builtin *b;
	int status = 0;
	size_t len;

	if (argc == 1)
		list_commands();
	for (int i = 1; i < argc; i++) {
		b = builtin_named(argv[i]);
		text = find_text(texts, argv[i], &len);
		if (b)
			say_builtin(b);
		else if (text)
			printf("%.*s", (int)len, text);
		else
			complain("help: nothing is known about %s", argv[i]);
		status |= !b && !text;
	}
	return fflush(stdout) ? 1 : status;
}
