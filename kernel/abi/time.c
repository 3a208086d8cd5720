/*
 * Users' times and deadlines, and the CPU time that was used. Clocks and sleeping on them: clock.c;
 * timers: timer.c.
 *
 * A call that waits until a REALTIME deadline turns it into a monotonic one once, when the wait
 * begins.
 */
#include "sys.h"

#define FOREVER_SEC		((s64)(S64_MAX / NSEC_PER_SEC))	/* later is never */

struct timespec timespec_of(u64 ns)
{
	return (struct timespec){ .sec = ns / NSEC_PER_SEC, .nsec = ns % NSEC_PER_SEC };
}

struct timeval timeval_of(u64 ns)
{
	return (struct timeval){ .sec = ns / NSEC_PER_SEC,
				 .usec = ns % NSEC_PER_SEC / NSEC_PER_USEC };
}

bool timespec_is_valid(const struct timespec *ts)
{
	return ts->sec >= 0 && (u64)ts->nsec < NSEC_PER_SEC;
}

bool timeval_is_valid(const struct timeval *tv)
{
	return tv->sec >= 0 && (u64)tv->usec < NSEC_PER_SEC / NSEC_PER_USEC;
}

u64 timeval_ns(const struct timeval *tv)
{
	return timespec_ns(&(struct timespec){ tv->sec, tv->usec * NSEC_PER_USEC });
}

int timespec_get(vaddr_t addr, struct timespec *ts)
{
	if (copy_from_user(ts, addr, sizeof(*ts)))
		return -EFAULT;
	return timespec_is_valid(ts) ? 0 : -EINVAL;
}

u64 timespec_ns(const struct timespec *ts)
{
	return ts->sec >= FOREVER_SEC ? S64_MAX : (u64)ts->sec * NSEC_PER_SEC + (u64)ts->nsec;
}

struct deadline deadline_of(const struct timespec *ts, int clock, bool absolute)
{
	u64 mono = time_now();
	u64 now = mono + (clock == CLOCK_REALTIME ? time_realtime_offset() : 0);
	u64 ns = timespec_ns(ts);

	if (!absolute)
		return deadline_in(ns);
	/* Same @mono as above, so that sleepers until one moment wake in order of arrival. */
	return ns <= now ? DEADLINE_POLL : deadline_at(mono + (ns - now));
}

int deadline_get(vaddr_t addr, int clock, bool absolute, struct deadline *d)
{
	struct timespec ts;
	int err;

	*d = DEADLINE_NEVER;
	if (!addr)
		return 0;
	err = timespec_get(addr, &ts);
	if (!err)
		*d = deadline_of(&ts, clock, absolute);
	if (!err && !absolute)
		*d = signal_call_deadline(*d);
	return err;
}

long sys_pause(void)
{
	return signal_end_call(thread_sleep_until(DEADLINE_NEVER));
}

static struct usage children_usage(struct process *p)
{
	struct usage u;

	spin_lock(&tree_lock);
	u = p->children_used;
	spin_unlock(&tree_lock);
	return u;
}

long sys_gettimeofday(vaddr_t out, vaddr_t zone)
{
	struct timeval tv = timeval_of(time_now() + time_realtime_offset());
	u32 utc[2] = { 0, 0 };		/* minutes west, daylight saving */

	if (out && copy_to_user(out, &tv, sizeof(tv)))
		return -EFAULT;
	return zone ? copy_to_user(zone, utc, sizeof(utc)) : 0;
}

long sys_time(vaddr_t out)
{
	s64 sec = (time_now() + time_realtime_offset()) / NSEC_PER_SEC;

	return out && copy_to_user(out, &sec, sizeof(sec)) ? -EFAULT : sec;
}

/* times() counts in hundredths of a second. */
#define TICK_NS		(NSEC_PER_SEC / 100)

long sys_times(vaddr_t out)
{
	struct usage u = process_usage(current_process()), c = children_usage(current_process());
	s64 ticks[4] = {
		u.user_ns / TICK_NS, u.system_ns / TICK_NS,
		c.user_ns / TICK_NS, c.system_ns / TICK_NS,
	};

	if (out && copy_to_user(out, ticks, sizeof(ticks)))
		return -EFAULT;
	return time_now() / TICK_NS;
}

int usage_put(vaddr_t out, const struct usage *u)
{
	struct rusage ru = {
		.utime = timeval_of(u->user_ns),
		.stime = timeval_of(u->system_ns),
		.maxrss = u->max_resident * (PAGE_SIZE / 1024),
		.minflt = u->minor_faults,
		.nvcsw = u->switches - u->preempted,
		.nivcsw = u->preempted,
	};

	return copy_to_user(out, &ru, sizeof(ru));
}

#define RUSAGE_SELF	0
#define RUSAGE_CHILDREN	(-1)
#define RUSAGE_THREAD	1

long sys_getrusage(int who, vaddr_t out)
{
	struct process *p = current_process();
	struct usage u = { .run_ns = 0 };

	switch (who) {
	case RUSAGE_SELF:
		u = process_usage(p);
		break;
	case RUSAGE_CHILDREN:
		u = children_usage(p);
		break;
	case RUSAGE_THREAD:
		u.max_resident = process_usage(p).max_resident;
		thread_add_usage(current_thread(), &u);
		break;
	default:
		return -EINVAL;
	}
	return usage_put(out, &u);
}
