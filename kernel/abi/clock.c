/*
 * Clocks, and sleeping on them.
 *
 * Clocks of real time count from boot, except REALTIME and TAI: they add an offset that realtime=
 * and clock_settime() set. A negative number is the CPU clock of a process or thread, whose id is
 * in the upper bits.
 */
#include "sys.h"

#define COARSE_NS		(NSEC_PER_SEC / 250)	/* the length of Linux's tick */

/* --- Numbers ---------------------------------------------------------------------------------- */

#define CLOCK_PROCESS_CPUTIME	2
#define CLOCK_THREAD_CPUTIME	3

static const struct {
	u8 kind, can;
} clocks[] = {
	[CLOCK_REALTIME] = { TIMER_REALTIME, CLOCK_HAS_TIMERS | CLOCK_HAS_SLEEP },
	[CLOCK_MONOTONIC] = { TIMER_MONOTONIC, CLOCK_HAS_TIMERS | CLOCK_HAS_SLEEP },
	[CLOCK_PROCESS_CPUTIME] = { TIMER_CPU, CLOCK_HAS_TIMERS | CLOCK_HAS_SLEEP },
	[CLOCK_THREAD_CPUTIME] = { TIMER_CPU, CLOCK_HAS_TIMERS },
	[4 /* MONOTONIC_RAW */] = { TIMER_MONOTONIC, 0 },
	[5 /* REALTIME_COARSE */] = { TIMER_REALTIME, CLOCK_IS_COARSE },
	[6 /* MONOTONIC_COARSE */] = { TIMER_MONOTONIC, CLOCK_IS_COARSE },
	[7 /* BOOTTIME */] = { TIMER_MONOTONIC, CLOCK_HAS_TIMERS | CLOCK_HAS_SLEEP },
	[8 /* REALTIME_ALARM */] = { TIMER_REALTIME, CLOCK_IS_ABSENT },
	[9 /* BOOTTIME_ALARM */] = { TIMER_MONOTONIC, CLOCK_IS_ABSENT },
	[10] = { TIMER_MONOTONIC, 0 },		/* not a clock */
	[CLOCK_TAI] = { TIMER_REALTIME, CLOCK_HAS_TIMERS | CLOCK_HAS_SLEEP },
};

#define NO_CLOCK		10

/* The bits in a CPU clock's number: which time it counts, a thread's or a process's, and the id. */
#define ENCODED_WHICH(id)	((id) & 3)
#define ENCODED_USER		1
#define ENCODED_FILE		3
#define ENCODED_THREAD		4
#define ENCODED_ID(id)		(~((id) >> 3))

static int encoded_clock(int id, struct user_clock *c)
{
	pid_t who = ENCODED_ID(id);
	bool own = !who || who == current_thread()->tid;
	struct thread *t;

	if ((id & 7) == ENCODED_FILE) {
		c->can = CLOCK_IS_ABSENT;
		return 0;
	}
	if (ENCODED_WHICH(id) == ENCODED_FILE)
		return -EINVAL;
	c->kind = ENCODED_WHICH(id) == ENCODED_USER ? TIMER_CPU_USER : TIMER_CPU;
	c->can = CLOCK_HAS_TIMERS | CLOCK_HAS_SLEEP | CLOCK_IS_ENCODED;
	c->can |= ENCODED_WHICH(id) == 2 ? 0 : CLOCK_IS_COARSE;
	if (!(id & ENCODED_THREAD)) {
		c->process = own ? process_get(current_process()) : process_find(who);
		return c->process ? 0 : -EINVAL;
	}
	t = who >= 0 ? find_user_thread(who) : NULL;
	c->thread = t;
	if (!t || t->process != current_process())
		return -EINVAL;
	c->process = process_get(t->process);
	return 0;
}

int user_clock_get(int id, struct user_clock *c)
{
	*c = (struct user_clock){ .can = 0 };
	if (id < 0)
		return encoded_clock(id, c);
	if (id >= (int)ARRAY_SIZE(clocks) || id == NO_CLOCK)
		return -EINVAL;
	c->kind = clocks[id].kind;
	c->can = clocks[id].can;
	if (c->kind == TIMER_CPU)
		c->process = process_get(current_process());
	if (id == CLOCK_THREAD_CPUTIME)
		c->thread = thread_get(current_thread());
	return 0;
}

/* --- Reading and setting ---------------------------------------------------------------------- */

static u64 clock_now(const struct user_clock *c)
{
	struct timer t = { .clock = c->kind, .process = c->process, .thread = c->thread };

	return timer_now(&t);
}

long sys_clock_gettime(int id, vaddr_t out)
{
	struct user_clock c SCOPED(clock);
	struct timespec ts;
	int err;

	if (likely(id == CLOCK_MONOTONIC)) {
		c = (struct user_clock){ .kind = TIMER_MONOTONIC };
		ts = timespec_of(time_now());
		return copy_to_user(out, &ts, sizeof(ts));
	}
	err = user_clock_get(id, &c);
	if (err || (c.can & CLOCK_IS_ABSENT))
		return -EINVAL;
	ts = timespec_of(clock_now(&c));
	return copy_to_user(out, &ts, sizeof(ts));
}

long sys_clock_getres(int id, vaddr_t out)
{
	struct user_clock c SCOPED(clock);
	struct timespec ts = { .nsec = 1 };
	int err = user_clock_get(id, &c);

	if (err || (c.can & CLOCK_IS_ABSENT))
		return -EINVAL;
	if (c.can & CLOCK_IS_COARSE)
		ts.nsec = COARSE_NS;
	return out ? copy_to_user(out, &ts, sizeof(ts)) : 0;
}

static long set_realtime(u64 ns)
{
	if (ns >= S64_MAX)
		return -EINVAL;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (ns < time_now())		/* before 1970 at boot: Linux refuses that, too */
		return -EINVAL;
	time_set_realtime(ns);
	timers_clock_set();
	return 0;
}

long sys_clock_settime(int id, vaddr_t in)
{
	struct user_clock c SCOPED(clock);
	struct timespec ts;
	int err = user_clock_get(id, &c);

	if (!err && (c.can & CLOCK_IS_ENCODED))
		return -EPERM;
	if (err || id != CLOCK_REALTIME)
		return -EINVAL;
	err = timespec_get(in, &ts);
	return err ? err : set_realtime(timespec_ns(&ts));
}

/* Checks the time zone but does not keep it: nothing uses it. */
long sys_settimeofday(vaddr_t in, vaddr_t zone)
{
	struct timeval tv;
	s32 minutes[2];

	if (in && copy_from_user(&tv, in, sizeof(tv)))
		return -EFAULT;
	if (in && !timeval_is_valid(&tv))
		return -EINVAL;
	if (zone && copy_from_user(minutes, zone, sizeof(minutes)))
		return -EFAULT;
	if (!capable(CAP_SYS_TIME))
		return -EPERM;
	if (zone && (minutes[0] < -15 * 60 || minutes[0] > 15 * 60))
		return -EINVAL;
	return in ? set_realtime(timeval_ns(&tv)) : 0;
}

/* --- Sleeping --------------------------------------------------------------------------------- */

/* A sleep on a clock that does not run like kernel time: a CPU clock, or one that can be set. */
struct clock_sleep {
	struct timer timer;
	struct wait_queue fired;
};

static void clock_sleep_fire(struct timer *t)
{
	wait_wake_all(&container_of(t, struct clock_sleep, timer)->fired, 0);
}

static int sleep_on_clock(const struct user_clock *c, u64 at)
{
	struct clock_sleep s = { .timer = { .clock = c->kind, .process = c->process,
					    .thread = c->thread, .fire = clock_sleep_fire } };
	int err = 0;

	list_init(&s.timer.cpu_node);
	wait_queue_init(&s.fired);
	spin_lock(&timer_lock);
	timer_start(&s.timer, at);
	spin_unlock(&timer_lock);
	spin_lock(&s.fired.lock);
	while (s.timer.armed && !err)
		err = wait_block_locked(&s.fired, DEADLINE_NEVER, 0);
	spin_unlock(&s.fired.lock);
	spin_lock(&timer_lock);
	timer_stop(&s.timer);
	spin_unlock(&timer_lock);
	return err;
}

/*
 * Sleeps until @d and, if a signal ends the sleep, writes the time left to @rem. @d.at is a time of
 * clock @c if that counts CPU time, and kernel time otherwise.
 */
static long sleep_for(const struct user_clock *c, struct deadline d, vaddr_t rem)
{
	bool cpu = c->kind >= TIMER_CPU;
	struct timespec ts;
	u64 now;
	int err;

	d = signal_call_deadline(d);
	err = cpu ? sleep_on_clock(c, d.at) : thread_sleep_until(d);
	if (err == -EINTR && rem) {
		now = cpu ? clock_now(c) : time_now();
		ts = timespec_of(time_before(now, d.at) ? d.at - now : 0);
		if (copy_to_user(rem, &ts, sizeof(ts)))
			return -EFAULT;
	}
	return signal_end_timed_call(err, d);
}

long sys_clock_nanosleep(int id, int flags, vaddr_t req, vaddr_t rem)
{
	struct user_clock c SCOPED(clock);
	struct timespec ts;
	u64 ns;
	int err = user_clock_get(id, &c);

	if (!err && !(c.can & CLOCK_HAS_SLEEP))
		err = -EOPNOTSUPP;
	if (!err)
		err = timespec_get(req, &ts);
	if (!err && c.thread == current_thread())
		err = -EINVAL;
	if (err)
		return err;
	ns = timespec_ns(&ts);
	if ((flags & TIMER_ABSTIME) && c.kind != TIMER_MONOTONIC)
		return signal_end_call(clock_now(&c) < ns ? sleep_on_clock(&c, ns) : 0);
	if (flags & TIMER_ABSTIME)
		return signal_end_call(thread_sleep_until(deadline_of(&ts, id, true)));
	if (c.kind < TIMER_CPU)
		return sleep_for(&c, deadline_in(ns), rem);
	return ns ? sleep_for(&c, deadline_at(timer_after(clock_now(&c), ns)), rem) : 0;
}

/* --- Adjusting a clock ------------------------------------------------------------------------ */

struct timex {				/* Linux's */
	u32 modes, pad;
	s64 offset, freq, maxerror, esterror;
	s32 status, pad2;
	s64 constant, precision, tolerance;
	s64 sec, usec;
	s64 tick, ppsfreq, jitter;
	s32 shift, pad3;
	s64 stabil, jitcnt, calcnt, errcnt, stbcnt;
	s32 tai, spare[11];
};

_Static_assert(sizeof(struct timex) == 208, "struct timex");

#define ADJ_OFFSET	1u
#define ADJ_ADJTIME	0x8000u
#define ADJTIME_READ	0xa001u	/* from adjtime(): the rest of an adjustment, here always 0 */
#define STA_UNSYNC	0x40
#define TIME_ERROR	5	/* the clock is not synchronized */

/* Reports an unadjusted clock: it runs as the machine's does, and adjusting is not supported. */
long sys_clock_adjtime(int id, vaddr_t inout)
{
	struct user_clock c SCOPED(clock);
	int err = user_clock_get(id, &c);
	u64 now = time_now() + time_realtime_offset();
	struct timex t;

	if (copy_from_user(&t, inout, sizeof(t)))
		return -EFAULT;
	if (id < 0)		/* as on Linux, which process or thread it is of does not matter */
		err = c.can & CLOCK_IS_ABSENT ? -EINVAL : 0;
	if (err)
		return -EINVAL;
	if (id != CLOCK_REALTIME)
		return -EOPNOTSUPP;
	if ((t.modes & ADJ_ADJTIME) && !(t.modes & ADJ_OFFSET))
		return -EINVAL;
	if (t.modes && t.modes != ADJTIME_READ)
		return capable(CAP_SYS_TIME) ? -EOPNOTSUPP : -EPERM;
	t = (struct timex){
		.modes = t.modes, .maxerror = 16000000, .esterror = 16000000,
		.status = STA_UNSYNC, .constant = 2, .precision = 1, .tolerance = 500L << 16,
		.sec = now / NSEC_PER_SEC, .usec = now % NSEC_PER_SEC / NSEC_PER_USEC,
		.tick = 10000,
	};
	return copy_to_user(inout, &t, sizeof(t)) ? -EFAULT : TIME_ERROR;
}
