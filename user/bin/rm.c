/* rm [-rf] path...: -r: folders with all in them; -f: what is not there is no error. */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool recursive, force;

static int remove_path(const char *path);

/* Starts over after each entry, as removing may shift those that were not read yet. */
static int empty_folder(const char *path)
{
	char entry[4096];
	struct dirent *e;
	int status = 0;
	bool again = true;
	DIR *d;

	while (again && !status) {
		d = opendir(path);
		if (!d) {
			warn("%s", path);
			return 1;
		}
		again = false;
		while (!status && (e = readdir(d))) {
			if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
				continue;
			snprintf(entry, sizeof(entry), "%s/%s", path, e->d_name);
			status = remove_path(entry);
			again = true;
		}
		closedir(d);
	}
	return status;
}

static int remove_path(const char *path)
{
	struct stat st;
	int status = 0, r = lstat(path, &st);

	if (r && errno == ENOENT && force)
		return 0;
	if (!r && S_ISDIR(st.st_mode) && recursive) {
		status = empty_folder(path);
		r = status ? 0 : rmdir(path);
	} else if (!r) {
		r = unlink(path);
	}
	if (r)
		warn("%s", path);
	return status || r;
}

int main(int argc, char **argv)
{
	int status = 0, c;

	while ((c = getopt(argc, argv, "rf")) != -1) {
		if (c == '?')
			return 2;
		recursive |= c == 'r';
		force |= c == 'f';
	}
	for (; optind < argc; optind++)
		status |= remove_path(argv[optind]);
	return status;
}
