/*
 * Calls that need memory, of every kind: for what they make, or for a buffer while they run. Where
 * TRY stands, Linux has another error for that: ENOSPC, ENOLCK, EAGAIN of a timer or of mlock().
 */
#include "oom.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>

#define PAGE		4096
#define VECTORS		100	/* more than a call keeps on its stack */
#define SIGEV_NOTHING	1
#define HUGE		14	/* madvise(): MADV_HUGEPAGE */
#define POPULATE	23	/* MADV_POPULATE_WRITE */

struct queue_attr {
	long flags, maxmsg, msgsize, curmsgs, spare[4];
};

/* Descriptors of all kinds; the last ones do not fit into a first table. */
void makes_descriptors(void)
{
	unsigned long set = 0;
	struct queue_attr attr = { .maxmsg = 4, .msgsize = 100 };
	int q, m, error;

	NEED(syscall(SYS_eventfd2, 0, 0) >= 0);
	NEED(syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0) >= 0);
	NEED(syscall(SYS_signalfd4, -1, &set, sizeof(set), 0) >= 0);
	NEED(syscall(SYS_pidfd_open, getpid(), 0) >= 0);
	m = syscall(SYS_memfd_create, "m", 0);
	NEED(m >= 0);
	NEED(ftruncate(m, 3 * PAGE) == 0 && pwrite(m, "x", 1, 2 * PAGE) == 1);
	TRY(syscall(SYS_fallocate, m, 0, 0L, 2L * PAGE) == 0);
	q = syscall(SYS_mq_open, "oom", O_RDWR | O_CREAT, 0600, &attr);
	error = errno;
	syscall(SYS_mq_unlink, "oom");
	errno = error;
	NEED(q >= 0);
	NEED(syscall(SYS_mq_timedsend, q, "text", 5L, 1, NULL) == 0);
	for (int i = 0; i < 70; i++)
		NEED(dup(m) >= 0);
	NEED(fcntl(m, F_DUPFD, 300) == 300);
}

static void move_data(void)
{
	static char bytes[VECTORS];
	static struct iovec v[VECTORS];
	static struct pollfd p[VECTORS];
	int fds[2] = { -1, -1 }, f = syscall(SYS_memfd_create, "v", 0);

	memset(bytes, 'x', sizeof(bytes));
	for (int i = 0; i < VECTORS; i++) {
		v[i] = (struct iovec){ &bytes[i], 1 };
		p[i] = (struct pollfd){ .fd = f, .events = POLLOUT };
	}
	NEED(f >= 0 && pipe(fds) == 0);
	NEED(writev(f, v, VECTORS) > 0);
	NEED(syscall(SYS_preadv, f, v, VECTORS, 0L, 0L) > 0);
	NEED(poll(p, VECTORS, -1) > 0);
	NEED(syscall(SYS_process_vm_readv, getpid(), v, (long)VECTORS, v, (long)VECTORS, 0L) > 0);
	NEED(syscall(SYS_splice, f, &(long){ 0 }, fds[1], NULL, 10L, 0) > 0);
	NEED(syscall(SYS_vmsplice, fds[1], v, 10L, 0) > 0);
	NEED(syscall(SYS_sendfile, fds[1], f, &(long){ 0 }, 10L) > 0);
	NEED(syscall(SYS_copy_file_range, f, &(long){ 0 }, f, &(long){ PAGE }, 10L, 0) > 0);
}

static void use_memory(void)
{
	static char seen[8];
	char *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	NEED(p != MAP_FAILED);
	TRY(syscall(SYS_mlock, p, 2L * PAGE) == 0);
	TRY(syscall(SYS_munlock, p + PAGE, 1L * PAGE) == 0);
	NEED(madvise(p + 2 * PAGE, PAGE, HUGE) == 0 && madvise(p + 3 * PAGE, PAGE, POPULATE) == 0);
	NEED(syscall(SYS_mincore, p, 8L * PAGE, seen) == 0);
	TRY(syscall(SYS_mlockall, 1) == 0);
}

void makes_calls(void)
{
	static const struct flock lock = { .l_type = F_WRLCK, .l_start = 10, .l_len = 10 };
	static const struct flock hole = { .l_type = F_UNLCK, .l_start = 14, .l_len = 2 };
	static const long alarm[4] = { 0, 0, 1000, 0 };		/* in 1,000 seconds */
	static gid_t groups[40];
	struct { long value; int signo, notify, rest[12]; } event = { .notify = SIGEV_NOTHING };
	static char text[PAGE];
	int id = 0, f = syscall(SYS_memfd_create, "l", 0);

	memset(text, 0, sizeof(text));
	NEED(f >= 0);
	TRY(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &id) == 0);
	NEED(syscall(SYS_setitimer, 0, &alarm, NULL) == 0);
	NEED(syscall(SYS_setgroups, 40, groups) == 0);
	TRY(fcntl(f, F_SETLK, &lock) == 0 && fcntl(f, F_SETLK, &hole) == 0);
	TRY(syscall(SYS_flock, f, 2 /* LOCK_EX */) == 0);
	NEED(chdir("/proc") == 0 && getcwd(text, sizeof(text)));
	NEED(syscall(SYS_newfstatat, AT_FDCWD, "self/stat", text, 0) == 0);
	NEED(readlink("/proc/self/exe", text, sizeof(text)) > 0);
	NEED(syscall(SYS_statfs, "/tmp", text) == 0);
	move_data();
	use_memory();
}
