/*
 * Threads: creating, ending, joining and detaching them.
 *
 * A thread's one mapping holds, from the bottom, a guard, the stack, and the area of TLS and struct
 * pthread. It must not be unmapped while the thread still uses its stack, so:
 *
 *	joined		the joiner waits until the kernel has zeroed `tid`, which it does after the
 *			thread's last instruction, and then unmaps
 *	detached	the thread unmaps it itself, in __unmap_and_exit(), which uses no stack
 *
 * `state` decides who unmaps; each side changes it by one compare-exchange:
 *
 *	JOINABLE --> EXITED	the thread ended first: the one who joins or detaches it unmaps
 *	JOINABLE --> DETACHED	the thread unmaps itself when it ends
 *	JOINABLE, EXITED --> JOINING	one joiner: a second gets EINVAL
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "libc.h"

#define PAGE		4096UL
#define DEFAULT_STACK	(256UL << 10)

#define THREAD_FLAGS \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

long __clone_thread(unsigned long flags, void *stack, _Atomic int *parent_tid, void *tls,
		    _Atomic int *child_tid, void (*fn)(void *), void *arg);
_Noreturn void __unmap_and_exit(void *start, size_t size);

static struct pthread *thread_of(pthread_t thread)
{
	return (struct pthread *)thread;
}

static bool change_state(struct pthread *t, int from, int to)
{
	return atomic_compare_exchange_strong(&t->state, &from, to);
}

/* Lays out the memory of a new thread. Returns 0 or EAGAIN. */
static int make_area(const pthread_attr_t *attr, struct pthread **out, char **stack_top)
{
	size_t guard = (attr->__guard_size + PAGE - 1) & -PAGE, tls = __tls_size();
	size_t size = (guard + attr->__stack_size + tls + PAGE - 1) & -PAGE;
	char *map = attr->__stack;

	if (map) {
		size = attr->__stack_size;
		memset(map + size - tls, 0, tls);
	} else {
		map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (map == MAP_FAILED)
			return EAGAIN;
		if (guard && mprotect(map, guard, PROT_NONE)) {
			munmap(map, size);
			return EAGAIN;
		}
	}
	*stack_top = (char *)((unsigned long)(map + size - tls) & -16UL);
	*out = __tls_place(map + size - tls);
	(*out)->map = attr->__stack ? NULL : map;
	(*out)->map_size = size;
	return 0;
}

static void thread_main(void *arg)
{
	struct pthread *self = arg;

	pthread_exit(self->fn(self->arg));
}

int pthread_create(pthread_t *out, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	pthread_attr_t defaults;
	struct pthread *t;
	char *stack;
	long r;

	if (!attr) {
		pthread_attr_init(&defaults);
		attr = &defaults;
	}
	if (make_area(attr, &t, &stack))
		return EAGAIN;
	t->fn = fn;
	t->arg = arg;
	t->state = attr->__detached ? THREAD_DETACHED : THREAD_JOINABLE;
	*out = (pthread_t)t;		/* before it runs: it may end, and be unmapped, at once */
	__live_threads++;
	r = __clone_thread(THREAD_FLAGS, stack, &t->tid, thread_pointer_of(t), &t->tid,
			   thread_main, t);
	if (r < 0) {
		__live_threads--;
		if (t->map)
			munmap(t->map, t->map_size);
		return EAGAIN;
	}
	return 0;
}

void pthread_exit(void *result)
{
	struct pthread *self = thread_self();

	self->result = result;
	__run_key_destructors(self);
	if (atomic_fetch_sub(&__live_threads, 1) == 1)
		exit(0);		/* the last thread ends the process */
	if (!change_state(self, THREAD_JOINABLE, THREAD_EXITED) &&
	    self->state == THREAD_DETACHED && self->map) {
		/*
		 * The kernel must not zero a word in memory that may belong to another thread by
		 * then.
		 */
		sys3(SYS_set_tid_address, 0, 0, 0);
		__unmap_and_exit(self->map, self->map_size);
	}
	for (;;)
		sys3(SYS_exit, 0, 0, 0);
}

/* Waits until @t no longer uses its stack. Returns 0 or ETIMEDOUT. */
static int wait_gone(struct pthread *t, const struct timespec *deadline)
{
	int tid, r = 0;

	while ((tid = t->tid) && r != ETIMEDOUT && r != EINVAL)
		r = __futex_wait(&t->tid, tid, CLOCK_REALTIME, deadline, true);
	return tid ? r : 0;
}

static void unmap_thread(struct pthread *t)
{
	if (t->map)
		munmap(t->map, t->map_size);
}

int pthread_join(pthread_t thread, void **result)
{
	struct pthread *t = thread_of(thread);

	if (t == thread_self())
		return EDEADLK;
	if (!change_state(t, THREAD_JOINABLE, THREAD_JOINING) &&
	    !change_state(t, THREAD_EXITED, THREAD_JOINING))
		return EINVAL;
	wait_gone(t, NULL);
	if (result)
		*result = t->result;
	unmap_thread(t);
	return 0;
}

/*
 * Waits first and claims the thread only when it has ended: giving up at the deadline then needs no
 * undoing.
 */
int pthread_timedjoin_np(pthread_t thread, void **result, const struct timespec *deadline)
{
	struct pthread *t = thread_of(thread);
	int r;

	if (t == thread_self())
		return EDEADLK;
	if (t->state == THREAD_DETACHED || t->state == THREAD_JOINING)
		return EINVAL;
	r = wait_gone(t, deadline);
	return r ? r : pthread_join(thread, result);
}

int pthread_tryjoin_np(pthread_t thread, void **result)
{
	return thread_of(thread)->tid ? EBUSY : pthread_join(thread, result);
}

int pthread_detach(pthread_t thread)
{
	struct pthread *t = thread_of(thread);

	if (change_state(t, THREAD_JOINABLE, THREAD_DETACHED))
		return 0;
	if (!change_state(t, THREAD_EXITED, THREAD_JOINING))
		return EINVAL;
	wait_gone(t, NULL);		/* it is about to end */
	unmap_thread(t);
	return 0;
}

pthread_t pthread_self(void)
{
	return (pthread_t)thread_self();
}

int pthread_equal(pthread_t a, pthread_t b)
{
	return a == b;
}

int pthread_kill(pthread_t thread, int sig)
{
	return -sys3(SYS_tgkill, getpid(), thread_of(thread)->tid, sig);
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	return -sys6(SYS_rt_sigprocmask, how, (long)set, (long)old, sizeof(*set), 0, 0);
}

/* Opens /proc/self/task/TID/comm, where the kernel keeps another thread's name. */
static int open_name(struct pthread *t, int flags)
{
	char path[48];

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", t->tid);
	return open(path, flags | O_CLOEXEC);
}

int pthread_setname_np(pthread_t thread, const char *name)
{
	size_t len = strlen(name);
	int fd, r;

	if (len > 15)
		return ERANGE;
	if (thread_of(thread) == thread_self())
		return prctl(PR_SET_NAME, name) ? errno : 0;
	fd = open_name(thread_of(thread), O_WRONLY);
	if (fd < 0)
		return errno;
	r = write(fd, name, len) < 0 ? errno : 0;
	close(fd);
	return r;
}

int pthread_getname_np(pthread_t thread, char *name, size_t size)
{
	ssize_t n;
	int fd;

	if (size < 16)
		return ERANGE;
	if (thread_of(thread) == thread_self())
		return prctl(PR_GET_NAME, name) ? errno : 0;
	fd = open_name(thread_of(thread), O_RDONLY);
	if (fd < 0)
		return errno;
	n = read(fd, name, size);
	close(fd);
	if (n <= 0)
		return errno;
	name[n - 1] = 0;		/* in place of the newline */
	return 0;
}

int pthread_setaffinity_np(pthread_t thread, size_t size, const cpu_set_t *set)
{
	return sched_setaffinity(thread_of(thread)->tid, size, set) ? errno : 0;
}

int pthread_getaffinity_np(pthread_t thread, size_t size, cpu_set_t *set)
{
	return sched_getaffinity(thread_of(thread)->tid, size, set) ? errno : 0;
}

int pthread_setschedparam(pthread_t thread, int policy, const struct sched_param *param)
{
	return sched_setscheduler(thread_of(thread)->tid, policy, param) ? errno : 0;
}

int pthread_attr_init(pthread_attr_t *a)
{
	*a = (pthread_attr_t){ .__stack_size = DEFAULT_STACK, .__guard_size = PAGE };
	return 0;
}

int pthread_attr_destroy(pthread_attr_t *a)
{
	(void)a;
	return 0;
}

int pthread_attr_setdetachstate(pthread_attr_t *a, int state)
{
	if (state != PTHREAD_CREATE_JOINABLE && state != PTHREAD_CREATE_DETACHED)
		return EINVAL;
	a->__detached = state;
	return 0;
}

int pthread_attr_getdetachstate(const pthread_attr_t *a, int *state)
{
	*state = a->__detached;
	return 0;
}

int pthread_attr_setstacksize(pthread_attr_t *a, size_t size)
{
	if (size < PTHREAD_STACK_MIN)
		return EINVAL;
	a->__stack_size = size;
	return 0;
}

int pthread_attr_getstacksize(const pthread_attr_t *a, size_t *size)
{
	*size = a->__stack_size;
	return 0;
}

int pthread_attr_setguardsize(pthread_attr_t *a, size_t size)
{
	a->__guard_size = size;
	return 0;
}

int pthread_attr_getguardsize(const pthread_attr_t *a, size_t *size)
{
	*size = a->__guard_size;
	return 0;
}

/* The caller must keep this memory until the thread is joined. */
int pthread_attr_setstack(pthread_attr_t *a, void *stack, size_t size)
{
	if (size < PTHREAD_STACK_MIN || (unsigned long)stack % 16)
		return EINVAL;
	a->__stack = stack;
	a->__stack_size = size;
	return 0;
}
