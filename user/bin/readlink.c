/*
 * readlink [-fen] path...: prints where symbolic links lead. -f: the whole path, free of links,
 * whose last part need not exist; -e: the same, but all must exist; -n: no newline at the end.
 */
#include "resolve.h"

static const struct options options = {
	.letters = "efmnqsv",
	.names = "e:canonicalize-existing f:canonicalize n:no-newline",
	.bad = 1,
};

int main(int argc, char **argv)
{
	char target[PATH_ROOM];
	int status = 0, c;
	char how = 0;
	bool end = true;

	while ((c = next_option(argc, argv, &options)) != -1) {
		how = c == 'e' || c == 'f' ? c : how;
		end &= c != 'n';
	}
	need_operand(argc, argv, 1);
	for (; optind < argc; optind++) {
		ssize_t n = how ? 0 : readlink(argv[optind], target, sizeof(target) - 1);

		if (n < 0 || (how && !resolve(argv[optind], how == 'e', target))) {
			status = 1;
			continue;
		}
		if (!how)
			target[n] = 0;
		printf("%s%s", target, end ? "\n" : "");
	}
	return status;
}
