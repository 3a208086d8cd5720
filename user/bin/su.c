/*
 * su [-c command] [user]: a shell, or a command, as another user (root). Root may be anybody,
 * others need that user's password. A set-user-id program: it starts as root, whoever calls it.
 */
#include "session.h"

int main(int argc, char **argv)
{
	const char *command = NULL, *name;
	char password[128];
	struct passwd *pw;
	int c;

	while ((c = getopt(argc, argv, "c:")) != -1) {
		if (c != 'c')
			return 2;
		command = optarg;
	}
	name = argv[optind] ? argv[optind] : "root";
	if (geteuid())
		errx(1, "must be a set-user-id program of root");
	if (getuid() && !(ask("Password: ", true, password, sizeof(password)) &&
			  password_is(name, password)))
		errx(1, "sorry");
	pw = getpwnam(name);
	if (!pw)
		errx(1, "%s: no such user", name);
	become(pw);
	if (command)
		execl(pw->pw_shell, pw->pw_shell, "-c", command, NULL);
	else
		execl(pw->pw_shell, pw->pw_shell, NULL);
	err(127, "%s", pw->pw_shell);
}
