/* Arguments that choose, and those that are bits; sweep.h says how. */
#include "sweep.h"
#include "things.h"

CASE(prctl)
{
	static const struct {
		int from, to;
	} known[] = { { -1, 21 }, { 23, 24 }, { 27, 30 }, { 36, 40 }, { 42, 42 }, { 47, 47 } };

	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
		int from = known[i].from, to = known[i].to;

		ONE_BY_ONE NUMBERS(prctl, 0, from, to, 0, 0, 0, 0, 0);
		ONE_BY_ONE NUMBERS(prctl, 0, from, to, 0, 1, 0, 0, 0);
		ONE_BY_ONE NUMBERS(prctl, 0, from, to, 0, BAD, BAD, 0, 0);
		ONE_BY_ONE NUMBERS(prctl, 0, from, to, 0, 0, 0, 0, 1);
	}
	QUIETLY NUMBERS(prctl, 1, -1, 70, PR_CAPBSET_READ, 0);
	ONE_BY_ONE NUMBERS(prctl, 1, -1, 45, PR_CAPBSET_DROP, 0);
	NUMBERS(prctl, 1, -1, 6, PR_CAP_AMBIENT, 0, 0, 0, 0);
	NUMBERS(prctl, 2, -1, 45, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0);
	NUMBERS(prctl, 1, -1, 70, PR_SET_PDEATHSIG, 0);
	ONE_BY_ONE BITS(prctl, 1, 8, PR_SET_SECUREBITS, 0);
}

CASE(fcntl)
{
	things();
	for (int i = 0; i < 4; i++) {
		int fd = ((int[]){ f, r, d, o })[i];

		say("%d", i);
		QUIETLY ONE_BY_ONE NUMBERS(fcntl, 1, -1, 16, fd, 0, 0);
		QUIETLY ONE_BY_ONE NUMBERS(fcntl, 1, 18, 40, fd, 0, 0);
		QUIETLY NUMBERS(fcntl, 1, 1029, 1034, fd, 0, 0);
		QUIETLY NUMBERS(fcntl, 1, 1037, 1050, fd, 0, 0);
		QUIETLY ONE_BY_ONE BITS(fcntl, 2, 32, fd, F_SETFL, 0);
	}
	QUIETLY ONE_BY_ONE NUMBERS(fcntl, 1, -1, 7, f, 0, BAD);
	QUIETLY ONE_BY_ONE NUMBERS(fcntl, 1, 9, 16, f, 0, BAD);
	QUIETLY NUMBERS(fcntl, 1, 1029, 1034, f, 0, BAD);
	QUIETLY BITS(fcntl, 2, 32, f, F_SETFD, 0);
	QUIETLY NUMBERS(fcntl, 2, -1, 70, f, F_SETSIG, 0);
	drop_cap(SYS_RESOURCE);
	QUIETLY BITS(fcntl, 2, 32, r, F_SETPIPE_SZ, 0);
}

CASE(ioctl)
{
	things();
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, f, 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, r, 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, d, 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, o, 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, e, 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, 0, 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, Q(memfd_create, "m", 0), 0, BAD);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, f, 0, buf);
	NUMBERS(ioctl, 1, 0x53f8, 0x5470, r, 0, buf);
	NUMBERS(ioctl, 1, 2, 8, f, 0, buf);
}

CASE(opening)
{
	things();
	QUIETLY BITS(openat, 2, 32, d, "f", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "f", O_RDWR, 0644);
	QUIETLY BITS(openat, 2, 32, d, "f", 3, 0644);
	QUIETLY BITS(openat, 2, 32, d, "dir", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "dir", O_RDWR, 0644);
	QUIETLY BITS(openat, 2, 32, d, "l", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "l", O_NOFOLLOW, 0644);
	QUIETLY BITS(openat, 2, 32, d, "f", O_PATH, 0644);
	QUIETLY BITS(openat, 2, 32, d, "gone", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "gone", O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
	QUIETLY BITS(openat, 3, 32, d, "f", O_CREAT, 0);
	QUIETLY BITS(openat, 2, 32, d, "/dev/null", O_RDWR, 0644);
	QUIETLY BITS(openat, 2, 32, d, "/dev/full", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "/proc/self/status", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "/proc/self/fd", O_RDONLY, 0644);
	QUIETLY BITS(openat, 2, 32, d, "fifo", O_RDONLY | O_NONBLOCK, 0644);
	QUIETLY BITS(openat, 2, 32, d, "fifo", O_RDWR, 0644);
	BITS(pipe2, 1, 7, buf, 0);
	QUIETLY BITS(eventfd2, 1, 32, 0, 0);
	QUIETLY BITS(memfd_create, 1, 2, "m", 0);
	QUIETLY BITS(timerfd_create, 1, 32, CLOCK_MONOTONIC, 0);
	BITS(dup3, 2, 32, f, 50, 0);
	QUIETLY BITS(pidfd_open, 1, 7, 1, 0);
	BITS(pidfd_getfd, 2, 32, -1, 0, 0);
	BITS(close_range, 2, 32, 60, 70, 0);
	QUIETLY BITS(signalfd4, 3, 32, -1, bits(0), 8, 0);
	QUIETLY BITS(mq_open, 1, 14, "diff_numbers", O_CREAT, 0600, NULL);
	Q(mq_unlink, "diff_numbers");
}

CASE(names)
{
	things();
	BITS(faccessat2, 2, 32, d, "f", 0, 0);
	BITS(faccessat2, 3, 32, d, "l", 0, 0);
	BITS(fchmodat2, 3, 32, d, "l", 0644, 0);
	BITS(fchownat, 4, 32, d, "l", -1, -1, 0);
	BITS(newfstatat, 3, 32, d, "l", buf, 0);
	BITS(newfstatat, 3, 32, d, "l", buf, 0x2000);
	BITS(statx, 2, 32, d, "l", 0, 0, buf);
	BITS(statx, 3, 32, d, "l", 0, 0, buf);
	BITS(utimensat, 3, 32, d, "l", NULL, 0);
	BITS(linkat, 4, 32, d, "l", d, "f", 0);
	BITS(unlinkat, 2, 32, d, "gone", 0);
	NUMBERS(renameat2, 4, 0, 3, d, "f", d, "l", 0);
	NUMBERS(renameat2, 4, 0, 3, d, "f", d, "f", 0);
	BITS(execveat, 4, 16, d, "f", NULL, NULL, 0);
	BITS(fchmod, 1, 32, f, 0);
	BITS(mknodat, 2, 32, d, "f", 0, 0);
}

CASE(moving)
{
	things();
	NUMBERS(lseek, 2, -1, 8, f, 0, 0);
	NUMBERS(lseek, 2, -1, 8, d, 0, 0);
	NUMBERS(lseek, 2, -1, 8, r, 0, 0);
	NUMBERS(lseek, 2, -1, 8, f, 100, 0);
	NUMBERS(lseek, 2, -1, 8, f, -1, 0);
	BITS(preadv2, 5, 7, f, io(buf, 8), 1, 0, 0, 0);
	BITS(pwritev2, 5, 7, f, io(buf, 8), 1, 0, 0, 0);
	BITS(preadv2, 5, 7, r, io(buf, 8), 1, -1, -1, 0);
	BITS(pwritev2, 5, 7, w, io(buf, 8), 1, -1, -1, 0);
	BITS(splice, 5, 32, r, NULL, f, NULL, 8, 2);
	BITS(tee, 3, 32, r, w, 8, 2);
	BITS(vmsplice, 3, 32, w, io(buf, 8), 1, 2);
	BITS(copy_file_range, 5, 32, f, bits(0), f, bits(100), 8, 0);
	BITS(fallocate, 1, 32, f, 0, 0, 8);
	BITS(fallocate, 1, 32, f, 1, 0, 8);
	BITS(sync_file_range, 3, 32, f, 0, 0, 0);
	NUMBERS(fadvise64, 3, -1, 10, f, 0, 0, 0);
	NUMBERS(flock, 1, -1, 33, f, 0);
	NUMBERS(flock, 1, -1, 33, r, 0);
}

CASE(memory)
{
	char *p = pages(4, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	things();
	QUIETLY BITS(mmap, 2, 32, NULL, PAGE, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	QUIETLY BITS(mmap, 3, 26, p, PAGE, PROT_READ, MAP_PRIVATE, f, 0);
	QUIETLY BITS(mmap, 3, 20, p, PAGE, PROT_READ, MAP_SHARED_VALIDATE, f, 0);
	QUIETLY NUMBERS(mmap, 3, 0, 16, p, PAGE, PROT_READ, 0, f, 0);
	QUIETLY NUMBERS(mmap, 3, 32, 39, p, PAGE, PROT_READ, 0, -1, 0);
	BITS(mprotect, 2, 32, p, PAGE, 0);
	NUMBERS(madvise, 2, -1, 11, p, PAGE, 0);
	NUMBERS(madvise, 2, 16, 21, p, PAGE, 0);
	NUMBERS(madvise, 2, 24, 40, p, PAGE, 0);
	NUMBERS(msync, 2, -1, 9, p, PAGE, 0);
	BITS(msync, 2, 32, p, PAGE, 0);
	NUMBERS(mlockall, 0, -1, 9, 0);
	BITS(mlockall, 0, 32, 0);
	BITS(mlock2, 2, 32, p, PAGE, 0);
	QUIETLY NUMBERS(mremap, 3, -1, 9, p, PAGE, PAGE, 0, p + 2 * PAGE);
	QUIETLY BITS(mremap, 3, 32, p, PAGE, PAGE, 0);
	QUIETLY NUMBERS(membarrier, 0, -1, 17, 0, 0);
	BITS(membarrier, 0, 5, 0, 0);
	BITS(membarrier, 1, 32, 0, 0);
	BITS(getrandom, 2, 32, buf, 8, 0);
	NUMBERS(getrandom, 2, 0, 8, buf, 8, 0);
}

CASE(threads)
{
	ONE_BY_ONE NUMBERS(sched_setscheduler, 1, -1, 6, 0, 0, bits(0));
	ONE_BY_ONE NUMBERS(sched_setscheduler, 1, -1, 6, 0, 0, bits(1));
	ONE_BY_ONE BITS(sched_setscheduler, 1, 32, 0, 0, bits(0));
	NUMBERS(sched_get_priority_max, 0, -1, 6, 0);
	NUMBERS(sched_get_priority_min, 0, -1, 6, 0);
	BITS(sched_setattr, 2, 32, 0, buf, 0);
	BITS(sched_getattr, 3, 32, 0, buf, 48, 0);
	NUMBERS(sched_getattr, 2, 40, 70, 0, buf, 0, 0);
	NUMBERS(getrusage, 0, -4, 4, 0, buf);
	QUIETLY NUMBERS(getpriority, 0, -1, 5, 0, 0);
	NUMBERS(getpriority, 0, 0, 1, 0, 0);
	ONE_BY_ONE NUMBERS(setpriority, 0, -1, 5, 0, 0, 0);
	ONE_BY_ONE NUMBERS(setpriority, 2, -25, 25, 0, 0, 0);
	QUIETLY NUMBERS(ioprio_get, 0, -1, 5, 0, 0);
	NUMBERS(ioprio_set, 0, -1, 5, 0, 0, 0);
	NUMBERS(ioprio_set, 2, -1, 12, 1, 0, 0);
	BITS(ioprio_set, 2, 32, 1, 0, 0);
	NUMBERS(prlimit64, 1, -1, 20, 0, 0, NULL, buf);
	NUMBERS(getrlimit, 0, -1, 20, 0, buf);
	NUMBERS(waitid, 0, -1, 6, 0, 0, NULL, WEXITED | WNOHANG, NULL);
	BITS(waitid, 3, 32, 0, 0, NULL, WEXITED | WNOHANG, NULL);
	BITS(waitid, 3, 32, 0, 0, NULL, WNOHANG, NULL);
	BITS(wait4, 2, 32, -1, NULL, WNOHANG, NULL);
	ONE_BY_ONE NUMBERS(futex, 1, -1, 40, bits(0), 0, 1, NULL, bits(0), 1);
	ONE_BY_ONE NUMBERS(futex, 1, 128, 150, bits(0), 0, 1, NULL, bits(0), 1);
	ONE_BY_ONE NUMBERS(futex, 1, 256, 280, bits(0), 0, 1, NULL, bits(0), 1);
	ONE_BY_ONE BITS(futex, 1, 32, bits(0), 0, 1, NULL, bits(0), 1);
	QUIETLY ONE_BY_ONE BITS(personality, 0, 32, 0);
}

CASE(signals)
{
	NUMBERS(rt_sigprocmask, 0, -1, 6, 0, bits(0), NULL, 8);
	NUMBERS(rt_sigprocmask, 3, -1, 20, 0, bits(0), NULL, 0);
	NUMBERS(rt_sigaction, 0, -1, 70, 0, NULL, NULL, 8);
	NUMBERS(kill, 1, -1, 70, 0x7ffffff0, 0);
	NUMBERS(pidfd_send_signal, 1, -1, 70, -1, 0, NULL, 0);
	NUMBERS(getitimer, 0, -2, 5, 0, buf);
	NUMBERS(setitimer, 0, -2, 5, 0, NULL, buf);
	BITS(clock_nanosleep, 1, 32, CLOCK_MONOTONIC, 0, TIME(0, 0), NULL);
	NUMBERS(timer_settime, 1, -2, 5, 0, 0, NULL, NULL);
}
