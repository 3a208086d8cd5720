/*
 * syslog(): the kernel's log, for dmesg and klogd; log.h has the log itself.
 *
 * SYSLOG_READ gives out each message once, to one of its callers; the other commands only look.
 */
#include "sys.h"

#include "console/console.h"
#include "console/log.h"
#include "sched/wait.h"

enum {
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
	SYSLOG_COMMANDS
};

#define LEVEL_INFO 6 /* the level of all our messages; lower levels are more urgent */
#define LEVEL_MAX  8

static _Atomic u64 taken; /* SYSLOG_READ has given out the log up to here */
static _Atomic u64 cleared; /* SYSLOG_CLEAR has cleared the log up to here */

static long copy_out(u64 from, u64 to, vaddr_t out)
{
	char chunk[128];
	size_t n, done = 0;

	while (from < to && (n = log_read(&from, chunk, MIN(sizeof(chunk), to - from)))) {
		if (copy_to_user(out + done, chunk, n))
			return -EFAULT;
		done += n;
	}
	return done;
}

/* Copies the newest lines that fit into @size and were not cleared. */
static long read_all(vaddr_t out, size_t size, bool clear)
{
	u64 to = log_end(), from = MAX(log_start(), cleared);
	long n;

	if (from > to)
		to = from;
	while (to - from > size) {
		char c = 0;

		while (c != '\n' && log_read(&from, &c, 1))
			;
	}
	n = copy_out(from, to, out);
	if (clear && n >= 0)
		cleared = to;
	return n;
}

/* Polls ten times a second: a message may come under any lock, so it cannot wake a reader. */
static long read_new(vaddr_t out, size_t size)
{
	u64 from;
	long n;

	while ((from = MAX(log_start(), taken)) >= log_end())
		if (thread_sleep(NSEC_PER_SEC / 10) == -EINTR)
			return -EINTR;
	n = copy_out(from, MIN(log_end(), from + size), out);
	if (n >= 0)
		taken = from + n;
	return n;
}

static long set_level(int level)
{
	if (level < 1 || level > LEVEL_MAX)
		return -EINVAL;
	console_set_quiet(level <= LEVEL_INFO);
	return 0;
}

long sys_syslog(int command, vaddr_t out, size_t n)
{
	int size = n;
	bool reads = command >= SYSLOG_READ && command <= SYSLOG_READ_CLEAR;

	if (command != SYSLOG_READ_ALL && command != SYSLOG_SIZE_BUFFER && !capable(CAP_SYSLOG))
		return -EPERM;
	if (reads && (!out || size < 0))
		return -EINVAL;
	if (reads && !size)
		return 0;
	switch (command) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN:
		return 0;
	case SYSLOG_READ:
		return read_new(out, size);
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR:
		return read_all(out, size, command == SYSLOG_READ_CLEAR);
	case SYSLOG_CLEAR:
		cleared = log_end();
		return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
		return set_level(command == SYSLOG_CONSOLE_ON ? LEVEL_INFO + 1 : 1);
	case SYSLOG_CONSOLE_LEVEL:
		return set_level(size);
	case SYSLOG_SIZE_UNREAD:
		return log_end() - MIN(MAX(log_start(), taken), log_end());
	case SYSLOG_SIZE_BUFFER:
		return LOG_SIZE;
	default:
		return -EINVAL;
	}
}
