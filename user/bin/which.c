/*
 * which [-a] name...: prints the paths of the programs that the shell would run; -a: all of each
 * name.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool runs(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) && !access(path, X_OK);
}

static bool search(const char *name, bool all)
{
	const char *folder = getenv("PATH"), *end;
	char path[4096];
	bool found = false;

	if (strchr(name, '/')) {
		found = runs(name);
		if (found)
			puts(name);
		return found;
	}
	for (; folder && *folder && (all || !found); folder = end + (*end == ':')) {
		end = strchrnul(folder, ':');
		snprintf(path, sizeof(path), "%.*s/%s", (int)(end - folder), folder, name);
		if (!runs(path))
			continue;
		puts(path);
		found = true;
	}
	return found;
}

int main(int argc, char **argv)
{
	bool all = false, found = true;
	int c;

	while ((c = getopt(argc, argv, "a")) != -1) {
		if (c == '?')
			return 2;
		all = true;
	}
	for (; optind < argc; optind++)
		found &= search(argv[optind], all);
	return !found;
}
