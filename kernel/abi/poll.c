/*
 * poll() and ppoll(): the user's list of descriptors, in and out. The waiting itself is the VFS's
 * poll_files().
 */
#include "fs/poll.h"
#include "sys.h"

struct pollfd {
	s32 fd;
	u16 events, revents;
};

/*
 * Gets the files of the descriptors, skipping negative ones. Returns how many are not open: these
 * are ready at once.
 */
static unsigned files_get(struct pollfd *fds, struct poll_request *r, unsigned n)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < n; i++) {
		fds[i].revents = 0;
		r[i].events = fds[i].events | POLLERR | POLLHUP;
		r[i].file = fds[i].fd < 0 ? NULL : fd_get(fds[i].fd);
		if (fds[i].fd >= 0 && !r[i].file) {
			fds[i].revents = POLLNVAL;
			bad++;
		}
	}
	return bad;
}

static long poll_list(struct pollfd *fds, struct poll_request *r, unsigned n, struct deadline d)
{
	unsigned bad = files_get(fds, r, n);
	int ready = poll_files(r, n, bad ? DEADLINE_POLL : d);

	for (unsigned i = 0; i < n; i++)
		if (r[i].file) {
			fds[i].revents = r[i].ready;
			file_put(r[i].file);
		}
	return ready < 0 ? ready : (long)(ready + bad);
}

/* Both lists share one allocation: their elements are multiples of 8 bytes, so both are aligned. */
static long poll_user(vaddr_t list, u32 n, struct deadline d)
{
	struct poll_request *requests;
	struct pollfd *fds;
	long result;

	if (n > fd_limit())
		return -EINVAL;
	requests = kzalloc(n * (sizeof(*requests) + sizeof(*fds)) + 1);
	if (!requests)
		return -ENOMEM;
	fds = (struct pollfd *)(requests + n);
	result = copy_from_user(fds, list, n * sizeof(*fds));
	if (!result)
		result = poll_list(fds, requests, n, d);
	if (result >= 0 && copy_to_user(list, fds, n * sizeof(*fds)))
		result = -EFAULT;
	kfree(requests);
	return result;
}

long sys_poll(vaddr_t list, u32 n, int ms)
{
	struct deadline d = DEADLINE_NEVER;

	if (ms == 0)
		d = DEADLINE_POLL;
	else if (ms > 0)
		d = signal_call_deadline(deadline_in(ms * NSEC_PER_MSEC));
	return signal_end_timed_call(poll_user(list, n, d), d);
}

/*
 * Writes the time left to the user's timeout, so that a call restarted after a signal waits only
 * for the rest. If the time cannot be written, the call is not restarted.
 */
long end_call_with_time_left(long result, vaddr_t timeout, struct deadline d, bool timeval)
{
	s64 left = d.kind == DEADLINE_KIND_AT ? (s64)(d.at - time_now()) : 0;
	struct timespec ts = timespec_of(MAX(left, 0));
	int err;

	if (timeval)
		ts.nsec /= NSEC_PER_USEC;
	err = timeout && d.kind == DEADLINE_KIND_AT ? copy_to_user(timeout, &ts, sizeof(ts)) : 0;
	result = signal_end_call(result);
	return err && result == -ERESTARTNOHAND ? -EINTR : result;
}

long sys_ppoll(vaddr_t list, u32 n, vaddr_t timeout, vaddr_t mask, size_t mask_size)
{
	struct deadline d;
	long result = deadline_get(timeout, CLOCK_MONOTONIC, false, &d);

	if (!result)
		result = signal_set_for_call(mask, mask_size);
	if (result)
		return result;
	return end_call_with_time_left(poll_user(list, n, d), timeout, d, false);
}
