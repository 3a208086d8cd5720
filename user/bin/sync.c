/* sync: waits until everything written is on its device. */
#include "options.h"

static const struct options options = { .letters = "", .bad = 1 };

int main(int argc, char **argv)
{
	next_option(argc, argv, &options);
	sync();
	return 0;
}
