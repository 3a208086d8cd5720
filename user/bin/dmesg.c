/* dmesg [-cCrh] [-n LEVEL]: prints the kernel's messages since boot. */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

enum { READ_ALL = 3,
       READ_CLEAR,
       CLEAR,
       CONSOLE_LEVEL = 8,
       SIZE = 10 };

static noreturn void help(void)
{
	puts("usage: dmesg [-cCrh] [-n LEVEL]\n"
	     "Shows the kernel's log: seconds since boot, and the message.\n"
	     "  -c  clears the log after showing it\n"
	     "  -C  clears it and shows nothing\n"
	     "  -r  shows the level of each line, as the kernel keeps it\n"
	     "  -n  messages below LEVEL (1 to 8) go to the console; 7 shows all, 1 none");
	exit(0);
}

/* Prints the log, in which each line begins with its level: <6>. */
static void show(char *log, bool raw)
{
	for (char *line; (line = strsep(&log, "\n")) && *line;) {
		const char *text = *line == '<' ? strchr(line, '>') : NULL;

		puts(raw || !text ? line : text + 1);
	}
}

int main(int argc, char **argv)
{
	int command = READ_ALL, level = 0, size = klogctl(SIZE, NULL, 0), n;
	bool raw = false;
	char *log;

	while ((n = getopt(argc, argv, "hcCrn:")) != -1) {
		switch (n) {
		case 'h':
			help();
		case 'r':
			raw = true;
			break;
		case 'n':
			command = CONSOLE_LEVEL;
			level = atoi(optarg);
			break;
		case 'c':
		case 'C':
			command = n == 'c' ? READ_CLEAR : CLEAR;
			break;
		default:
			return 1;
		}
	}
	if (command == CONSOLE_LEVEL || command == CLEAR) {
		if (klogctl(command, NULL, level) < 0)
			err(1, command == CLEAR ? "cannot clear the log" : "cannot set the level");
		return 0;
	}
	log = malloc(size + 1);
	n = klogctl(command, log, size);
	if (n < 0)
		err(1, "cannot read the log");
	log[n] = '\0';
	show(log, raw);
	return 0;
}
