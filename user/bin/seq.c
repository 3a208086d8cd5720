/* seq [first [step]] last: whole numbers, one a line. */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	long first = 1, step = 1, last;

	if (argc < 2 || argc > 4)
		errx(2, "usage: seq [first [step]] last");
	last = atol(argv[argc - 1]);
	if (argc > 2)
		first = atol(argv[1]);
	if (argc > 3)
		step = atol(argv[2]);
	if (step == 0)
		errx(2, "a step of 0 never arrives");
	for (long n = first; step > 0 ? n <= last : n >= last; n += step)
		printf("%ld\n", n);
	return 0;
}
