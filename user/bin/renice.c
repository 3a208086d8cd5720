/*
 * renice [-n] N [-p] pid...: sets the niceness of processes to N; -g: of process groups; -u: of
 * users, by name or id.
 */
#include <err.h>
#include <errno.h>
#include <pwd.h>
#include <sys/resource.h>

#include "options.h"

static id_t id_of(int which, const char *text)
{
	struct passwd *pw = which == PRIO_USER ? getpwnam(text) : NULL;
	char *end;
	long n = strtol(text, &end, 10);

	if (pw)
		return pw->pw_uid;
	if (end == text || *end)
		errx(1, "bad %s value: %s", which == PRIO_USER ? "user" : "process ID", text);
	return n;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "process ID", "process group ID", "user ID" };
	int which = PRIO_PROCESS, status = 0, i = 1, old;
	long n;
	char *end;

	if (argc == 2 && !strcmp(argv[1], "--help"))
		show_help(argv);
	i += argc > i && (!strcmp(argv[i], "-n") || !strcmp(argv[i], "--priority"));
	if (argc - i < 2) {
		warnx("not enough arguments");
		bad_usage(argv, 1);
	}
	n = strtol(argv[i], &end, 10);
	if (*end)
		errx(1, "invalid priority '%s'", argv[i]);
	for (i++; i < argc; i++) {
		if (argv[i][0] == '-' && strchr("pgu", argv[i][1]) && argv[i][1] && !argv[i][2]) {
			which = argv[i][1] == 'p'   ? PRIO_PROCESS
				: argv[i][1] == 'g' ? PRIO_PGRP
						    : PRIO_USER;
			continue;
		}
		errno = 0;
		old = getpriority(which, id_of(which, argv[i]));
		if (errno || setpriority(which, id_of(which, argv[i]), n)) {
			warn("failed to %s priority for %s (%s)", errno == ESRCH ? "get" : "set",
			     argv[i], names[which]);
			status = 1;
			continue;
		}
		printf("%s (%s) old priority %d, new priority %d\n", argv[i], names[which], old,
		       getpriority(which, id_of(which, argv[i])));
	}
	return status;
}
