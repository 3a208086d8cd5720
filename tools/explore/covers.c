/*
 * Which code a search ran, for those who ask which scenarios a line of the kernel matters to
 * (tools/mutate): the code of every call and access to memory, and which of the accesses another
 * CPU could compete with. A scenario where an atomic access never races says nothing about the
 * access's order.
 */
#include "explore.h"

#include <inttypes.h>
#include <stdio.h>

#define CODE_BITS	14
#define CODE_MAX	(1u << CODE_BITS)

bool covers;
static struct {
	uintptr_t pc;			/* 0: free */
	bool raced;
} code[CODE_MAX];
static unsigned nr_code;

void cover(const void *pc, bool raced)
{
	uintptr_t at = (uintptr_t)pc;
	unsigned h = (at * 0x9e3779b97f4a7c15ull) >> (64 - CODE_BITS);

	while (code[h].pc && code[h].pc != at)
		h = (h + 1) % CODE_MAX;
	if (!code[h].pc && ++nr_code > CODE_MAX / 2)
		explore_fail("its code has more than %u calls and accesses", CODE_MAX / 2);
	code[h].pc = at;
	code[h].raced |= raced;
}

static void print_code(const char *name, bool all)
{
	const char *comma = "";

	printf(", \"%s\": [", name);
	for (unsigned i = 0; i < CODE_MAX; i++) {
		if (!code[i].pc || !(all || code[i].raced))
			continue;
		printf("%s%" PRIuPTR, comma, code[i].pc);
		comma = ", ";
	}
	putchar(']');
}

void covers_print(void)
{
	if (!covers)
		return;
	print_code("ran", true);
	print_code("raced", false);
}
