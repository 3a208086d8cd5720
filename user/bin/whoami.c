/* whoami: prints the name of the current user. */
#include <err.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	struct passwd *pw = getpwuid(geteuid());

	if (!pw)
		errx(1, "nobody is called %u", geteuid());
	puts(pw->pw_name);
	return 0;
}
