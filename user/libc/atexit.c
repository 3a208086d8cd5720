/* Functions to run at exit, the last registered first. */
#include <stdlib.h>

#include "libc.h"

#define MAX_FUNCTIONS	32

static void (*functions[MAX_FUNCTIONS])(void);
static int count;
static int lock;

int atexit(void (*fn)(void))
{
	int r = -1;

	__lock(&lock);
	if (count < MAX_FUNCTIONS) {
		functions[count++] = fn;
		r = 0;
	}
	__unlock(&lock);
	return r;
}

/* Takes the functions one by one, because each may register more. */
void __atexit_run(void)
{
	void (*fn)(void);

	do {
		__lock(&lock);
		fn = count ? functions[--count] : NULL;
		__unlock(&lock);
		if (fn)
			fn();
	} while (fn);
}
