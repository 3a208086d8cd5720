/* Affinity, niceness, and sysconf(): sizes of the system, such as how many CPUs we may run on. */
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include "libc.h"

/* The kernel fills only the bytes that it has CPUs for, and returns how many those are. */
int sched_getaffinity(pid_t tid, size_t size, cpu_set_t *set)
{
	long n = call(SYS_sched_getaffinity, tid, size, (long)set);

	if (n < 0)
		return -1;
	__builtin_memset((char *)set + n, 0, size - n);
	return 0;
}

int sched_getcpu(void)
{
	unsigned cpu;

	return call(SYS_getcpu, (long)&cpu, 0, 0) ? -1 : (int)cpu;
}

int __cpu_count(const cpu_set_t *set)
{
	int n = 0;

	for (unsigned i = 0; i < CPU_SETSIZE; i++)
		n += CPU_ISSET(i, set);
	return n;
}

/* The system call returns 20 - nice, so that no result looks like an error. */
int getpriority(int which, id_t who)
{
	long r = call(SYS_getpriority, which, who, 0);

	return r < 0 ? -1 : 20 - r;
}

int nice(int by)
{
	int value = getpriority(PRIO_PROCESS, 0) + by;

	if (!setpriority(PRIO_PROCESS, 0, value))
		return getpriority(PRIO_PROCESS, 0);
	if (errno == EACCES)
		errno = EPERM;		/* the error that POSIX has for this */
	return -1;
}

long sysconf(int name)
{
	struct rlimit limit;
	cpu_set_t set;

	switch (name) {
	case _SC_PAGESIZE:
		return getpagesize();
	case _SC_NPROCESSORS_CONF:
	case _SC_NPROCESSORS_ONLN:
		return sched_getaffinity(0, sizeof(set), &set) ? 1 : CPU_COUNT(&set);
	case _SC_CLK_TCK:
		return 100;
	case _SC_OPEN_MAX:
		return getrlimit(RLIMIT_NOFILE, &limit) ? -1 : (long)limit.rlim_cur;
	case _SC_ARG_MAX:
		return ARG_MAX;
	}
	errno = EINVAL;
	return -1;
}
