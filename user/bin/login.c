/* login [user]: asks for a name and a password, and runs that user's shell in the user's folder. */
#include "session.h"

int main(int argc, char **argv)
{
	char name[64], password[128];
	struct passwd *pw;

	if (argc > 1)
		snprintf(name, sizeof(name), "%s", argv[1]);
	else if (!ask("login: ", false, name, sizeof(name)))
		return 1;
	if (geteuid())
		errx(1, "must be a set-user-id program of root");
	if (!ask("Password: ", true, password, sizeof(password)) || !password_is(name, password))
		errx(1, "Login incorrect");
	pw = getpwnam(name);
	if (!pw)
		errx(1, "%s: no such user", name);
	become(pw);
	if (chdir(pw->pw_dir))
		warn("%s", pw->pw_dir);
	execl(pw->pw_shell, pw->pw_shell, NULL);
	err(127, "%s", pw->pw_shell);
}
