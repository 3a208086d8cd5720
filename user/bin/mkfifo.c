/* mkfifo [-m mode] name...: makes named pipes. */
#include <err.h>
#include <sys/stat.h>

#include "options.h"

static const struct options options = {
	.letters = "m:",
	.names = "m:mode",
	.bad = 1,
};

int main(int argc, char **argv)
{
	mode_t mode = 0666;
	int status = 0;

	while (next_option(argc, argv, &options) != -1)
		mode = strtoul(optarg, NULL, 8);
	need_operand(argc, argv, 1);
	for (; optind < argc; optind++) {
		if (!mkfifo(argv[optind], mode))
			continue;
		warn("cannot create fifo '%s'", argv[optind]);
		status = 1;
	}
	return status;
}
