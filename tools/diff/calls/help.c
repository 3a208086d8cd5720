/*
 * Helpers of cases: arguments, files, memory and children at hand, and names of what comes back.
 */
#include "diff.h"

/* --- Names ------------------------------------------------------------------------------- */

static const char *const errors[] = {
	"0", "EPERM", "ENOENT", "ESRCH", "EINTR", "EIO", "ENXIO", "E2BIG", "ENOEXEC", "EBADF",
	"ECHILD", "EAGAIN", "ENOMEM", "EACCES", "EFAULT", "ENOTBLK", "EBUSY", "EEXIST", "EXDEV",
	"ENODEV", "ENOTDIR", "EISDIR", "EINVAL", "ENFILE", "EMFILE", "ENOTTY", "ETXTBSY", "EFBIG",
	"ENOSPC", "ESPIPE", "EROFS", "EMLINK", "EPIPE", "EDOM", "ERANGE", "EDEADLK", "ENAMETOOLONG",
	"ENOLCK", "ENOSYS", "ENOTEMPTY", "ELOOP",
};

static const char *const signals[] = {
	"0", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
	"SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT",
	"SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
	"SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
};

const char *error_name(long error)
{
	static char number[28];

	if ((size_t)error < sizeof(errors) / sizeof(*errors))
		return errors[error];
	if (error == EOVERFLOW)
		return "EOVERFLOW";
	if (error == ETIMEDOUT)
		return "ETIMEDOUT";
	if (error == EOPNOTSUPP)
		return "EOPNOTSUPP";
	if (error == EMSGSIZE)
		return "EMSGSIZE";
	if (error == ELIBBAD)
		return "ELIBBAD";
	snprintf(number, sizeof(number), "errno %ld", error);
	return number;
}

const char *signal_name(int sig)
{
	static char number[24];

	if ((size_t)sig < sizeof(signals) / sizeof(*signals))
		return signals[sig];
	snprintf(number, sizeof(number), "signal %d", sig);
	return number;
}

/* --- Arguments --------------------------------------------------------------------------- */

static unsigned turn;

struct timespec *ts(long sec, long nsec)
{
	static struct timespec kept[8];
	struct timespec *t = &kept[turn++ % 8];

	*t = (struct timespec){ sec, nsec };
	return t;
}

struct timeval *tv(long sec, long usec)
{
	return (struct timeval *)ts(sec, usec);
}

struct iovec *io2(void *a, size_t m, void *b, size_t n)
{
	static struct iovec kept[8][2];
	struct iovec *v = kept[turn++ % 8];

	v[0] = (struct iovec){ a, m };
	v[1] = (struct iovec){ b, n };
	return v;
}

struct iovec *io(void *base, size_t length)
{
	return io2(base, length, NULL, 0);
}

unsigned long *bits(unsigned long value)
{
	static unsigned long kept[8];
	unsigned long *v = &kept[turn++ % 8];

	*v = value;
	return v;
}

int *num(int value)
{
	int *v = (int *)bits(0);

	*v = value;
	return v;
}

struct rlimit *lim(rlim_t soft, rlim_t hard)
{
	struct rlimit *l = (struct rlimit *)ts(0, 0);

	*l = (struct rlimit){ soft, hard };
	return l;
}

/* --- Files and memory -------------------------------------------------------------------- */

int file(const char *name, const char *text)
{
	int fd = Q(openat, AT_FDCWD, name, O_RDWR | O_CREAT | O_TRUNC, 0644);

	if (*text)
		Q(pwrite64, fd, text, strlen(text), 0);
	return fd;
}

char *pages(size_t n, int protection, int flags)
{
	if (!(flags & MAP_SHARED))
		flags |= MAP_PRIVATE;
	return (char *)Q(mmap, 0, n * PAGE, protection, flags | MAP_ANONYMOUS, -1, 0);
}

char *edge(size_t n)
{
	char *p = pages(2, PROT_READ | PROT_WRITE, 0);

	Q(munmap, p + PAGE, PAGE);
	return p + PAGE - n;
}

void fill(int fd, size_t n)
{
	static char x[PAGE];

	memset(x, 'x', sizeof(x));
	for (size_t some; n; n -= some) {
		some = n < sizeof(x) ? n : sizeof(x);
		Q(write, fd, x, some);
	}
}

void full(int pipe)
{
	int flags = Q(fcntl, pipe, F_GETFL);
	static char x[PAGE];

	Q(fcntl, pipe, F_SETFL, flags | O_NONBLOCK);
	while (R(write, pipe, x, sizeof(x)) > 0)
		;
	Q(fcntl, pipe, F_SETFL, flags);
}

int bytes_in(int pipe)
{
	int n = -1;

	R(ioctl, pipe, FIONREAD, &n);
	return n;
}

const char *rest(int pipe)
{
	static char text[2 * PAGE];
	long n;

	memset(text, 0, sizeof(text));
	Q(fcntl, pipe, F_SETFL, O_NONBLOCK | R(fcntl, pipe, F_GETFL));
	n = R(read, pipe, text, sizeof(text) - 1);
	return n < 0 ? error_name(-n) : text;
}

/* --- Other processes --------------------------------------------------------------------- */

pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		need("fork()", -errno);
	return pid;
}

void end(int code)
{
	for (;;)
		R(exit_group, code);
}

int reap(pid_t pid)
{
	int status = 0;
	long r;

	do
		r = R(wait4, pid, &status, 0, NULL);
	while (r == -EINTR);
	need("wait4(pid)", r);
	return status;
}

/* The letter that /proc has for its state; 0: no such process. */
char state_of(pid_t pid)
{
	char path[40], text[256] = "", *bracket;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = 0;
	close(fd);
	bracket = strrchr(text, ')');
	return bracket ? bracket[2] : 0;
}

void await_state(pid_t pid, char state)
{
	char s;

	while ((s = state_of(pid)) != state && s)
		sched_yield();
}

void await_blocked(pid_t pid)
{
	await_state(pid, 'S');
}

pid_t poke(int sig)
{
	pid_t us = getpid(), pid = child();

	if (pid)
		return pid;
	await_blocked(us);
	kill(us, sig);
	end(0);
}

static void count_hit(int sig)
{
	hits[sig]++;
}

void on(int sig, int flags)
{
	struct sigaction action = { .sa_handler = count_hit, .sa_flags = flags };

	sigaction(sig, &action, NULL);
}

void block(int sig)
{
	Q(rt_sigprocmask, SIG_BLOCK, bits(1UL << (sig - 1)), NULL, 8);
}
