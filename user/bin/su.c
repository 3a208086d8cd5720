/*
 * su [-] [-c command] [user]: runs a shell, or a command, as another user (root); with "-" in that
 * user's folder. Root needs no password, others need that user's. A set-user-id program: it starts
 * as root, whoever runs it.
 */
#include "session.h"

int main(int argc, char **argv)
{
	const char *command = NULL, *name;
	char password[128];
	struct passwd *pw;
	bool login = false;
	int c;

	while ((c = getopt(argc, argv, "c:l")) != -1) {
		if (c == '?')
			return 1;
		if (c == 'c')
			command = optarg;
		login |= c == 'l';
	}
	if (argv[optind] && !strcmp(argv[optind], "-")) {
		login = true;
		optind++;
	}
	name = argv[optind] ? argv[optind] : "root";
	if (geteuid())
		errx(1, "must be a set-user-id program of root");
	if (getuid() && !(ask("Password: ", true, password, sizeof(password)) &&
			  password_is(name, password)))
		errx(1, "Authentication failure");
	pw = getpwnam(name);
	if (!pw)
		errx(1,
		     "user %s does not exist or the user entry does not contain all the "
		     "required fields",
		     name);
	become(pw);
	if (login && chdir(pw->pw_dir))
		warn("%s", pw->pw_dir);
	if (command)
		execl(pw->pw_shell, pw->pw_shell, "-c", command, NULL);
	else
		execl(pw->pw_shell, pw->pw_shell, NULL);
	err(127, "%s", pw->pw_shell);
}
