/* nproc [--all]: prints how many CPUs this process may run on; --all: how many there are. */
#include <err.h>
#include <sched.h>

#include "options.h"

static const struct options options = {
	.letters = "a",
	.names = "a:all",
	.bad = 1,
};

int main(int argc, char **argv)
{
	bool all = false;
	cpu_set_t set;

	while (next_option(argc, argv, &options) != -1)
		all = true;
	if (optind < argc) {
		warnx("extra operand '%s'", argv[optind]);
		bad_usage(argv, 1);
	}
	if (sched_getaffinity(0, sizeof(set), &set))
		err(1, "sched_getaffinity");
	printf("%ld\n", all ? sysconf(_SC_NPROCESSORS_CONF) : (long)CPU_COUNT(&set));
	return 0;
}
