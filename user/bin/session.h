/*
 * Shared by su and login: asking for passwords, and becoming another user. Passwords are kept in
 * /etc/shadow, which only root can read, exactly as typed: nothing on this machine needs better
 * protection.
 */
#pragma once

#include <err.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/*
 * Asks for a line on the terminal, or standard input, and removes its newline. A @secret is not
 * echoed.
 */
static inline bool ask(const char *question, bool secret, char *answer, size_t size)
{
	struct termios was, quiet;
	bool tty = !tcgetattr(0, &was);
	ssize_t n;

	if (write(1, question, strlen(question)) < 0)
		return false;
	if (tty && secret) {
		quiet = was;
		quiet.c_lflag &= ~ECHO;
		tcsetattr(0, TCSAFLUSH, &quiet);
	}
	n = read(0, answer, size - 1);
	if (tty && secret) {
		tcsetattr(0, TCSAFLUSH, &was);
		if (write(1, "\n", 1) < 0)
			return false;
	}
	answer[n > 0 ? n : 0] = 0;
	answer[strcspn(answer, "\n")] = 0;
	return n > 0;
}

static inline bool password_is(const char *user, const char *password)
{
	FILE *f = fopen("/etc/shadow", "re");
	char line[256];
	bool good = false;

	while (f && !good && fgets(line, sizeof(line), f)) {
		char *rest = line, *name;

		line[strcspn(line, "\n")] = 0;
		name = strsep(&rest, ":");
		good = rest && !strcmp(name, user) && !strcmp(rest, password);
	}
	if (f)
		fclose(f);
	return good;
}

/* The groups come first: afterwards the process may not set them. */
static inline void become(const struct passwd *pw)
{
	if (initgroups(pw->pw_name, pw->pw_gid) || setgid(pw->pw_gid) || setuid(pw->pw_uid))
		err(126, "%s", pw->pw_name);
	setenv("HOME", pw->pw_dir, 1);
	setenv("USER", pw->pw_name, 1);
	setenv("LOGNAME", pw->pw_name, 1);
	setenv("SHELL", pw->pw_shell, 1);
}
