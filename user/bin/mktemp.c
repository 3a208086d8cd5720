/*
 * mktemp [-dq] [-p folder] [-t] [template]: makes a new file or, with -d, a new folder that only
 * its owner may use, and prints its name: tmp.XXXXXXXXXX below $TMPDIR or /tmp, or the template,
 * with letters and digits in place of the X at the end.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "options.h"

#define TRIES 1000

static int make(char *path, size_t x, bool folder)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strlen(path);
	unsigned char random[64];
	int made;

	for (int i = 0; i < TRIES; i++) {
		if (getrandom(random, sizeof(random), 0) < 0)
			return -1;
		for (size_t k = 0; k < x; k++)
			path[len - x + k] = letters[random[k % sizeof(random)] % 62];
		made = folder ? mkdir(path, 0700) : open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		if (made >= 0 || errno != EEXIST)
			return made;
	}
	return -1;
}

static const struct options options = {
	.letters = "dp:qtu",
	.names = "d:directory p:tmpdir q:quiet",
	.bad = 1,
};

int main(int argc, char **argv)
{
	const char *folder = NULL, *template = "tmp.XXXXXXXXXX", *tmp = getenv("TMPDIR");
	bool is_folder = false, quiet = false;
	char path[4096], shown[4096];
	size_t x = 0;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		is_folder |= c == 'd';
		quiet |= c == 'q';
		if (c == 'p')
			folder = optarg;
		if (c == 't')
			folder = tmp && *tmp ? tmp : "/tmp";
	}
	if (optind == argc && !folder)
		folder = tmp && *tmp ? tmp : "/tmp";
	if (optind < argc)
		template = argv[optind];
	while (x < strlen(template) && template[strlen(template) - 1 - x] == 'X')
		x++;
	if (x < 3)
		errx(1, "too few X's in template '%s'", template);
	snprintf(path, sizeof(path), "%s%s%s", folder ? folder : "", folder ? "/" : "", template);
	snprintf(shown, sizeof(shown), "%s", path);
	if (make(path, x, is_folder) < 0) {
		if (!quiet)
			warn("failed to create %s via template '%s'",
			     is_folder ? "directory" : "file", shown);
		return 1;
	}
	puts(path);
	return 0;
}
