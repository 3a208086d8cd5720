/* uname [-amnrsv]: prints the system's name, version and machine. */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	bool want[128] = { false }, first = true;
	struct utsname u;
	int c;

	while ((c = getopt(argc, argv, "amnrsv")) != -1) {
		if (c == '?')
			return 2;
		want[c] = true;
	}
	if (argc == 1)
		want['s'] = true;
	if (uname(&u))
		err(1, "uname");
	const struct { char letter; const char *text; } parts[] = {
		{ 's', u.sysname }, { 'n', u.nodename }, { 'r', u.release }, { 'v', u.version },
		{ 'm', u.machine },
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (!want['a'] && !want[(int)parts[i].letter])
			continue;
		printf("%s%s", first ? "" : " ", parts[i].text);
		first = false;
	}
	putchar('\n');
	return 0;
}
