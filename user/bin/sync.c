/* sync: waits until what was written is where it stays. */
#include "options.h"

static const struct options options = { .letters = "", .bad = 1 };

int main(int argc, char **argv)
{
	next_option(argc, argv, &options);
	sync();
	return 0;
}
