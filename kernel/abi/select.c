/*
 * select() and pselect6(): poll() with bit maps of descriptors. The waiting itself is the VFS's
 * poll_files(), which is given each descriptor once, however many maps it is in.
 */
#include "fs/poll.h"
#include "sys.h"

#define MAPS		3		/* to read, to write, exceptions */
#define WORD_BITS	64
#define WORDS		(FD_MAX / WORD_BITS)

/* The events for which each map asks; any of them sets the descriptor's bit in the answer. */
static const unsigned wanted[MAPS] = {
	POLLIN | POLLHUP | POLLERR, POLLOUT | POLLERR, POLLPRI,
};

struct maps {
	vaddr_t user[MAPS];		/* 0: none */
	u64 word[MAPS][WORDS];
	unsigned n;			/* descriptors below this */
};

static size_t maps_bytes(const struct maps *m)
{
	return ALIGN_UP(m->n, WORD_BITS) / 8;
}

/* Returns the events asked about for descriptor @fd. */
static unsigned events_of(const struct maps *m, unsigned fd)
{
	unsigned events = 0;

	for (unsigned k = 0; k < MAPS; k++)
		if (m->word[k][fd / WORD_BITS] >> fd % WORD_BITS & 1)
			events |= wanted[k];
	return events;
}

/* Gets the files that are asked about, or fails with -EBADF. r[fd] is descriptor fd's, zeroed. */
static int files_get(const struct maps *m, struct poll_request *r)
{
	for (unsigned fd = 0; fd < m->n; fd++) {
		r[fd].events = events_of(m, fd);
		if (!r[fd].events)
			continue;
		r[fd].file = fd_get_any(fd);
		if (!r[fd].file)
			return -EBADF;
	}
	return 0;
}

/*
 * Clears the bits that are not ready, and those of the last word's other descriptors. Counts the
 * rest.
 */
static long answer(struct maps *m, const struct poll_request *r)
{
	long bits = 0;

	for (unsigned k = 0; k < MAPS; k++)
		for (unsigned fd = 0; fd < ALIGN_UP(m->n, WORD_BITS); fd++) {
			u64 *word = &m->word[k][fd / WORD_BITS], bit = 1ull << fd % WORD_BITS;

			if (!(*word & bit))
				continue;
			if (fd < m->n && r[fd].file && (r[fd].ready & wanted[k]))
				bits++;
			else
				*word &= ~bit;
		}
	return bits;
}

static long select_maps(struct maps *m, struct poll_request *r, struct deadline d)
{
	long result;

	for (unsigned k = 0; k < MAPS; k++)
		if (m->user[k] && copy_from_user(m->word[k], m->user[k], maps_bytes(m)))
			return -EFAULT;
	result = files_get(m, r);
	if (!result)
		result = poll_files(r, m->n, d);
	if (result >= 0)
		result = answer(m, r);
	for (unsigned fd = 0; fd < m->n; fd++)
		if (r[fd].file)
			file_put(r[fd].file);
	for (unsigned k = 0; k < MAPS && result >= 0; k++)
		if (m->user[k] && copy_to_user(m->user[k], m->word[k], maps_bytes(m)))
			return -EFAULT;
	return result;
}

/*
 * Ignores the maps beyond the size of the descriptor table, as on Linux, whose smallest table has
 * room for 64 descriptors.
 */
static long select_user(int n, vaddr_t in, vaddr_t out, vaddr_t except, struct deadline d)
{
	struct poll_request *requests;
	struct maps *m;
	long result;

	if (n < 0)
		return -EINVAL;
	n = MIN((unsigned)n, MAX(fdtable_size(current_process()->fds), WORD_BITS));
	m = kzalloc(sizeof(*m) + n * sizeof(*requests));
	if (!m)
		return -ENOMEM;
	requests = (struct poll_request *)(m + 1);
	m->n = n;
	m->user[0] = in;
	m->user[1] = out;
	m->user[2] = except;
	result = select_maps(m, requests, d);
	kfree(m);
	return result;
}

/* The structure at pselect6()'s last argument: a set of signals and its size. */
struct mask_arg {
	vaddr_t mask;
	size_t size;
};

long sys_pselect6(int n, vaddr_t in, vaddr_t out, vaddr_t except, vaddr_t timeout, vaddr_t mask)
{
	struct mask_arg arg = { 0, 0 };
	struct deadline d;
	long result;

	if (mask && copy_from_user(&arg, mask, sizeof(arg)))
		return -EFAULT;
	result = deadline_get(timeout, CLOCK_MONOTONIC, false, &d);
	if (!result)
		result = signal_set_for_call(arg.mask, arg.size);
	if (result)
		return result;
	result = select_user(n, in, out, except, d);
	return end_call_with_time_left(result, timeout, d, false);
}

/* x86_64's older form, with a struct timeval and without a set of signals. */
long sys_select(int n, vaddr_t in, vaddr_t out, vaddr_t except, vaddr_t timeout)
{
	struct deadline d = DEADLINE_NEVER;
	struct timeval tv;
	long result;

	if (timeout) {
		if (copy_from_user(&tv, timeout, sizeof(tv)))
			return -EFAULT;
		if (tv.sec < 0 || tv.usec < 0)
			return -EINVAL;
		tv.sec += tv.usec / 1000000;
		tv.usec %= 1000000;
		d = deadline_in(timeval_ns(&tv));
	}
	result = select_user(n, in, out, except, d);
	return end_call_with_time_left(result, timeout, d, true);
}
