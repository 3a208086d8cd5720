/*
 * Timers as system calls see them: interval timers, POSIX timers, timerfd. The timers are in
 * kernel/sched/timer.c and kernel/process/{itimer,posix_timer}.c.
 */
#include "fs/timerfd.h"
#include "process/timers.h"

#include "sys.h"

/* --- Interval timers -------------------------------------------------------------------------- */

struct itimerval {
	struct timeval interval, value;
};

static int put_itimerval(vaddr_t out, const struct interval *i)
{
	struct itimerval v = { timeval_of(i->interval), timeval_of(i->value) };

	return copy_to_user(out, &v, sizeof(v));
}

long sys_getitimer(int which, vaddr_t out)
{
	struct interval old;

	if (which < 0 || which >= ITIMERS)
		return -EINVAL;
	itimer_set(which, NULL, &old);
	return put_itimerval(out, &old);
}

long sys_setitimer(int which, vaddr_t in, vaddr_t out)
{
	struct itimerval v = { { 0, 0 }, { 0, 0 } };
	struct interval new, old;
	int err;

	if (in && copy_from_user(&v, in, sizeof(v)))
		return -EFAULT;
	if (!timeval_is_valid(&v.interval) || !timeval_is_valid(&v.value) || which < 0 ||
	    which >= ITIMERS)
		return -EINVAL;
	new = (struct interval){ timeval_ns(&v.value), timeval_ns(&v.interval) };
	err = itimer_set(which, &new, &old);
	return err || !out ? err : put_itimerval(out, &old);
}

/*
 * Returns the seconds that were left, rounded to the nearest, but at least 1 if any time was left.
 */
long sys_alarm(u32 seconds)
{
	struct interval new = { .value = seconds * NSEC_PER_SEC }, old;
	u64 left, rest;

	if (itimer_set(0, &new, &old))
		return 0;
	left = old.value / NSEC_PER_SEC;
	rest = old.value % NSEC_PER_SEC;
	return left + (rest >= NSEC_PER_SEC / 2 || (rest && !left));
}

/* --- POSIX timers ----------------------------------------------------------------------------- */

/* Checks @e and translates it. The caller puts back notify->thread, also after an error. */
static int notify_of(const struct sigevent *e, struct timer_notify *notify)
{
	*notify = (struct timer_notify){ .sig = e->sig, .value = e->value, .has_value = true };
	switch (e->notify) {
	case SIGEV_NONE:
		notify->silent = true;
		return 0;
	case SIGEV_THREAD_ID:
		notify->thread = e->tid > 0 ? find_user_thread(e->tid) : NULL;
		if (!notify->thread || notify->thread->process != current_process())
			return -EINVAL;
		break;
	case SIGEV_SIGNAL:
	case SIGEV_THREAD:
		break;
	default:
		return -EINVAL;
	}
	return e->sig > 0 && e->sig <= NSIG ? 0 : -EINVAL;
}

long sys_timer_create(int id, vaddr_t event, vaddr_t out)
{
	struct timer_notify notify = { .sig = SIGALRM };
	struct user_clock clock SCOPED(clock) = { 0 };
	struct sigevent e;
	long timer;
	int err;

	if (event && copy_from_user(&e, event, sizeof(e)))
		return -EFAULT;
	err = user_clock_get(id, &clock);
	if (!err && !(clock.can & CLOCK_HAS_TIMERS))
		err = -EOPNOTSUPP;
	if (!err && event)
		err = notify_of(&e, &notify);
	timer = err ? err : posix_timer_create(clock.kind, clock.process, clock.thread, &notify);
	if (notify.thread)
		thread_put(notify.thread);
	if (timer < 0)
		return timer;
	err = copy_to_user(out, &(int){ timer }, sizeof(int));
	if (err)
		posix_timer_delete(timer);
	return err;
}

struct itimerspec {
	struct timespec interval, value;
};

static int put_itimerspec(vaddr_t out, const struct interval *i)
{
	struct itimerspec s = { timespec_of(i->interval), timespec_of(i->value) };

	return copy_to_user(out, &s, sizeof(s));
}

static int itimerspec_get(vaddr_t in, struct interval *i)
{
	struct itimerspec s;

	if (copy_from_user(&s, in, sizeof(s)))
		return -EFAULT;
	if (!timespec_is_valid(&s.interval) || !timespec_is_valid(&s.value))
		return -EINVAL;
	*i = (struct interval){ timespec_ns(&s.value), timespec_ns(&s.interval) };
	return 0;
}

long sys_timer_settime(int id, int flags, vaddr_t in, vaddr_t out)
{
	struct interval new, old;
	int err = in ? itimerspec_get(in, &new) : -EINVAL;

	if (!err)
		err = posix_timer_set(id, flags & TIMER_ABSTIME, &new, &old);
	return err || !out ? err : put_itimerspec(out, &old);
}

long sys_timer_gettime(int id, vaddr_t out)
{
	struct interval old;
	int err = posix_timer_set(id, false, NULL, &old);

	return err ? err : put_itimerspec(out, &old);
}

long sys_timer_getoverrun(int id)
{
	return posix_timer_overrun(id);
}

long sys_timer_delete(int id)
{
	return posix_timer_delete(id);
}

/* --- timerfd ---------------------------------------------------------------------------------- */

#define TFD_CANCEL_ON_SET	2	/* accepted, but setting the clock cancels nothing */

long sys_timerfd_create(int id, u32 flags)
{
	struct user_clock clock SCOPED(clock);
	struct file *f;
	int err = user_clock_get(id, &clock);

	if (err || (flags & ~(O_CLOEXEC | O_NONBLOCK)) || clock.kind >= TIMER_CPU ||
	    id < 0 || id == CLOCK_TAI || !(clock.can & (CLOCK_HAS_TIMERS | CLOCK_IS_ABSENT)))
		return -EINVAL;
	if ((clock.can & CLOCK_IS_ABSENT) && !capable(CAP_WAKE_ALARM))
		return -EPERM;
	err = timerfd_create(clock.kind, flags & O_NONBLOCK, &f);
	return err ? err : fd_install(f, 0, fd_limit(), flags & O_CLOEXEC);
}

long sys_timerfd_settime(int fd, int flags, vaddr_t in, vaddr_t out)
{
	struct file *f SCOPED(file) = NULL;
	struct interval new, old;
	int err = itimerspec_get(in, &new);

	if (!err && (flags & ~(TIMER_ABSTIME | TFD_CANCEL_ON_SET)))
		err = -EINVAL;
	if (err)
		return err;
	f = fd_get(fd);
	if (!f)
		return -EBADF;
	err = timerfd_set(f, flags & TIMER_ABSTIME, &new, &old);
	return err || !out ? err : put_itimerspec(out, &old);
}

long sys_timerfd_gettime(int fd, vaddr_t out)
{
	struct file *f SCOPED(file) = fd_get(fd);
	struct interval old;
	int err = f ? timerfd_set(f, false, NULL, &old) : -EBADF;

	return err ? err : put_itimerspec(out, &old);
}
