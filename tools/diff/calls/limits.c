/* Resource limits: reading, setting, and what they stop. */
#include "diff.h"

static struct rlimit l;

static void show(const char *what, int which)
{
	Q(prlimit64, 0, which, NULL, &l);
	say("%s: %ld %ld", what, (long)l.rlim_cur, (long)l.rlim_max);
}

CASE(read_and_set)
{
	show("nofile", RLIMIT_NOFILE);
	show("core", RLIMIT_CORE);
	show("stack", RLIMIT_STACK);
	show("fsize", RLIMIT_FSIZE);
	T(prlimit64, 0, RLIMIT_NOFILE, lim(100, 200), &l);
	V(l.rlim_cur);
	show("nofile", RLIMIT_NOFILE);
	T(prlimit64, 0, RLIMIT_NOFILE, lim(201, 200), NULL);
	T(prlimit64, 0, RLIMIT_NOFILE, lim(10, 2000000000), NULL);
	T(prlimit64, 0, 16, NULL, &l);
	T(prlimit64, 0, -1, NULL, &l);
	T(prlimit64, 0, RLIMIT_CPU, BAD, NULL);
	T(prlimit64, 0, RLIMIT_CPU, NULL, BAD);
	T(prlimit64, 0x7fffffff, RLIMIT_CPU, NULL, &l);
	T(prlimit64, -1, RLIMIT_CPU, NULL, &l);
	T(prlimit64, getpid(), RLIMIT_CPU, NULL, &l);
	T(getrlimit, RLIMIT_NOFILE, &l);
	T(getrlimit, 16, &l);
	T(getrlimit, RLIMIT_NOFILE, BAD);
	T(setrlimit, RLIMIT_NOFILE, lim(50, 60));
	T(setrlimit, 16, lim(50, 60));
	T(setrlimit, RLIMIT_NOFILE, BAD);
	show("nofile", RLIMIT_NOFILE);
}

CASE(every_one_can_be_set)
{
	for (int i = 0; i < 16; i++) {
		/* With no CPU time at all, the next tick kills. */
		rlim_t most = i == RLIMIT_CPU ? 100 : 0;

		V(i);
		T(prlimit64, 0, i, lim(most, most), NULL);
		show("it", i);
	}
}

CASE(inherited)
{
	pid_t pid;

	Q(prlimit64, 0, RLIMIT_NOFILE, lim(33, 44), NULL);
	pid = child();
	if (!pid) {
		show("child", RLIMIT_NOFILE);
		R(prlimit64, getppid(), RLIMIT_NOFILE, lim(22, 44), NULL);
		end(0);
	}
	reap(pid);
	show("parent", RLIMIT_NOFILE);
}

CASE(address_space)
{
	char *p;

	Q(prlimit64, 0, RLIMIT_AS, lim(64 << 20, 64 << 20), NULL);
	T(mmap, 0, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(mmap, 0, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	p = pages(1, PROT_READ, 0);
	T(mremap, p, PAGE, 128 << 20, MREMAP_MAYMOVE);
	V(R(brk, R(brk, 0) + (128 << 20)) == R(brk, 0));
}

CASE(data_size)
{
	Q(prlimit64, 0, RLIMIT_DATA, lim(16 << 20, 16 << 20), NULL);
	T(mmap, 0, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(mmap, 0, 32 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	OK(mmap, 0, 32 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (int i = 0; i < 3; i++)
		OK(mmap, 0, 6 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* Pages that are locked already do not count again, and what is unlocked does not count. */
CASE(locked_memory)
{
	char *p = pages(16, PROT_READ | PROT_WRITE, 0);

	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(8 * PAGE, 8 * PAGE), NULL);
	Q(setresuid, 1000, 1000, 1000);
	T(mlock, p + 4 * PAGE, 8 * PAGE);
	T(mlock, p + 4 * PAGE, 8 * PAGE);
	T(mlock, p + 6 * PAGE, 2 * PAGE);
	T(mlock, p + 8 * PAGE, 8 * PAGE);
	T(mlock, p, 8 * PAGE);
	T(mlock, p, 16 * PAGE);
	T(mlock, p + 3 * PAGE, 9 * PAGE);
	T(munlock, p + 5 * PAGE, 2 * PAGE);
	T(mlock, p, PAGE);
	T(mlock, p + 2 * PAGE, 4 * PAGE);
	T(mlock, p + 4 * PAGE, 3 * PAGE);
	T(mlock, p + 6 * PAGE, PAGE);
	T(munlock, p, 16 * PAGE);
	T(mlock, p + 8 * PAGE, 8 * PAGE);
	T(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
}

/* All of one's memory may be locked if it is not more than the limit, to the page. */
CASE(all_of_it_locked)
{
	int fd = Q(openat, AT_FDCWD, "/proc/self/statm", O_RDONLY);
	long size;

	Q(read, fd, buf, 100);
	size = strtol(buf, NULL, 10) * PAGE;
	Q(setresuid, 1000, 1000, 1000);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(size, size), NULL);
	T(mlockall, 1);
	T(munlockall);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(size - 1, size), NULL);
	T(mlockall, 1);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(size - PAGE, size), NULL);
	T(mlockall, 1);
	T(mlockall, 2);
}
