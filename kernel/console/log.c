/*
 * The kernel's log: a ring of characters, where new ones overwrite the oldest; log.h has the
 * interface.
 *
 * A line begins with "<6>[seconds.microseconds] ", as on Linux, where 6 is the level of messages
 * that only inform; we have no other. The time is that of the line's first byte.
 *
 *  LOG1  The ring holds the last LOG_SIZE bytes before `end`, or all if there were fewer.
 *
 * log_lock is an innermost lock, like the console's: anything may print. A panic does not write to
 * the log, since it may have stopped the holder of the lock.
 */
#include "console/log.h"

#include "base/printf.h"
#include "base/string.h"
#include "lock/spinlock.h"
#include "sched/time.h"

static struct spinlock log_lock = SPINLOCK_INIT(LOCK_UART);
static char ring[LOG_SIZE]; /* [log_lock] */
static u64 end; /* [log_lock] */
static bool within_line; /* [log_lock] the newest byte is not a newline */

static void store(const char *text, size_t n) HOLDS(log_lock)
{
	while (n) {
		size_t at = end % LOG_SIZE, run = MIN(n, LOG_SIZE - at);

		memcpy(ring + at, text, run);
		text += run;
		n -= run;
		end += run;
	}
}

/* Returns the length of the first line of @text with its newline; @n if it has none. */
static size_t line_length(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\n')
			return i + 1;
	return n;
}

void log_append(const char *text, size_t n)
{
	u64 us = clock_offset ? time_now() / 1000 : 0;	/* no clock early in the boot */
	char stamp[32];

	spin_lock(&log_lock);
	while (n) {
		size_t line = line_length(text, n);

		if (!within_line)
			store(stamp, snprintf(stamp, sizeof(stamp), "<6>[%5lu.%06lu] ",
					      us / 1000000, us % 1000000));
		store(text, line);
		within_line = text[line - 1] != '\n';
		text += line;
		n -= line;
	}
	spin_unlock(&log_lock);
}

/* Returns the position of the oldest complete line: skips the rest of an overwritten one. */
static u64 start_locked(void) HOLDS(log_lock)
{
	u64 at = end - LOG_SIZE;

	if (end <= LOG_SIZE)
		return 0;
	while (at < end && ring[at % LOG_SIZE] != '\n')
		at++;
	return MIN(at + 1, end);
}

u64 log_start(void)
{
	u64 at;

	spin_lock(&log_lock);
	at = start_locked();
	spin_unlock(&log_lock);
	return at;
}

u64 log_end(void)
{
	u64 at;

	spin_lock(&log_lock);
	at = end;
	spin_unlock(&log_lock);
	return at;
}

size_t log_read(u64 *at, char *out, size_t n)
{
	size_t done;

	spin_lock(&log_lock);
	if (*at + LOG_SIZE < end)
		*at = start_locked();
	n = MIN(n, end - *at);
	for (done = 0; done < n; done++)
		out[done] = ring[(*at + done) % LOG_SIZE];
	*at += done;
	spin_unlock(&log_lock);
	return done;
}
