/* mremap() of mappings of files, and of parts of mappings. */
#include "diff.h"

#define RW    (PROT_READ | PROT_WRITE)
#define FIXED (MREMAP_MAYMOVE | MREMAP_FIXED)

static char *const at = (char *)0x200000000UL; /* nothing is there, nor for some pages behind */

/* A file of @n pages 'A', 'B' and so on. */
static int letters(int n)
{
	int fd = file("letters", "");

	for (int i = 0; i < n * PAGE; i++)
		buf[i] = 'A' + i / PAGE;
	Q(write, fd, buf, n * PAGE);
	return fd;
}

/* The first bytes of @n pages; '-': the page is not mapped. */
static void show(const char *p, int n)
{
	char text[9] = "", in;

	for (int i = 0; i < n; i++)
		text[i] = R(mincore, p + i * PAGE, PAGE, &in) < 0 ? '-' : p[i * PAGE];
	S(text);
}

static const int kinds[] = { MAP_SHARED, MAP_PRIVATE };

CASE(file_grows)
{
	int fd = letters(5);

	for (int i = 0; i < 2; i++) {
		char *p;

		V(kinds[i]);
		Q(mmap, at, PAGE, RW, kinds[i] | MAP_FIXED, fd, PAGE);
		V(R(mremap, at, PAGE, 2 * PAGE, 0) == (long)at);
		show(at, 2);
		V(R(mremap, at, 2 * PAGE, PAGE, 0) == (long)at);
		V(R(mremap, at, PAGE, 3 * PAGE, 0) == (long)at);
		show(at, 3);
		p = (char *)Q(mremap, at, 3 * PAGE, 4 * PAGE, FIXED, at + 8 * PAGE);
		show(p, 4);
		p[3 * PAGE] = kinds[i] == MAP_SHARED ? 's' : 'p';
		T(pread64, fd, buf, 1, 4 * PAGE);
		V(*buf == 's');
		Q(munmap, p, 4 * PAGE);
	}
}

CASE(file_moves_in_part)
{
	int fd = letters(6);

	for (int i = 0; i < 2; i++) {
		char *p = (char *)Q(mmap, at, 4 * PAGE, RW, kinds[i] | MAP_FIXED, fd, PAGE);

		V(kinds[i]);
		p = (char *)Q(mremap, at + PAGE, PAGE, PAGE, FIXED, at + 8 * PAGE);
		show(p, 1);
		p = (char *)Q(mremap, at + 2 * PAGE, 2 * PAGE, 3 * PAGE, FIXED, at + 10 * PAGE);
		show(p, 3);
		show(at, 4);
		Q(munmap, at, 13 * PAGE);
	}
}

CASE(file_mapped_again)
{
	int fd = letters(5);
	char *p = (char *)Q(mmap, at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, PAGE), *q;

	for (int i = 0; i < 4; i++) {
		q = (char *)Q(mremap, p + i * PAGE, 0, (4 - i) * PAGE, MREMAP_MAYMOVE);
		show(q, 4 - i);
		*q = 'a' + i;
	}
	show(p, 4);
}

static void note_fault(int sig)
{
	say("%s", signal_name(sig));
	end(5);
}

/* Nothing can be stored at the old address any more, though the page was in use a moment ago. */
CASE(the_old_place_is_gone)
{
	for (int i = 0; i < 4; i++) {
		volatile char *p;
		char *q;
		pid_t pid = child();

		if (pid) {
			W(reap(pid));
			continue;
		}
		signal(SIGSEGV, note_fault);
		p = pages(4, RW, i % 2 ? MAP_SHARED : MAP_PRIVATE);
		q = pages(4, RW, 0);
		for (int k = 0; k < 4; k++)
			p[k * PAGE] = 'A' + k;
		if (i < 2)
			Q(mremap, p + PAGE, 2 * PAGE, 2 * PAGE, FIXED, q);
		else
			Q(mremap, p + PAGE, 2 * PAGE, 3 * PAGE, FIXED, q);
		show(q, 2);
		p[2 * PAGE] = 'x';
		show(q, 2);
		end(0);
	}
}

/* A mapping that is made again may be in the way of its second place. */
CASE(mapped_again_over_itself)
{
	int fd = letters(5);

	for (int i = 0; i < 3; i++) {
		char *p = (char *)Q(mmap, at, 4 * PAGE, RW, MAP_SHARED | MAP_FIXED, fd, PAGE);
		char *q = p + i * PAGE;
		long r = R(mremap, p + PAGE, 0, 2 * PAGE, FIXED, q);

		say("over page %d: %s", i, r < 0 ? error_name(-r) : r == (long)q ? "ok" : "?");
		show(p, 4);
		Q(munmap, p, 4 * PAGE);
	}
}

/* A file has fewer than 2^51 pages. A refusal leaves the mapping as it is. */
CASE(file_pages_far_away)
{
	static const unsigned long numbers[] = { 2,	    1UL << 51,	     (1UL << 51) - 1,
						 1UL << 52, (1UL << 52) + 1, (1UL << 51) - 2 };
	char *p = (char *)Q(mmap, at, PAGE, RW, MAP_SHARED | MAP_FIXED, letters(3), 0);

	show(p, 1);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		T(remap_file_pages, p, PAGE, 0, numbers[i], MAP_NONBLOCK);
		if (i < 5)
			show(p, 1);
	}
}

/* Without MREMAP_FIXED the address is a wish, and checked like an order. */
CASE(kept_with_a_wish)
{
	const int keep = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;

	Q(mmap, at, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	V(R(mremap, at, PAGE, PAGE, keep, at + 4 * PAGE) == (long)(at + 4 * PAGE));
	V(R(mremap, at, PAGE, PAGE, keep, at + 4 * PAGE) == (long)(at + 4 * PAGE));
	OK(mremap, at, PAGE, PAGE, keep, 0);
	T(mremap, at, PAGE, PAGE, keep, at);
	T(mremap, at, PAGE, PAGE, keep, at + 4 * PAGE + 1);
	T(mremap, at, PAGE, PAGE, keep, -PAGE);
}
