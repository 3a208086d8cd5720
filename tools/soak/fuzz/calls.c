/*
 * Made-up system calls: every call that the kernel knows, with arguments of the kind that it
 * takes, and now and then with others; and numbers of calls that do not exist.
 *
 * kernel/abi/syscalls.def says what kinds of arguments each call takes; a letter stands for kinds
 * that are made alike:
 *
 *	f  descriptor		d  folder's descriptor	p  path
 *	b  memory		n  size of memory	o  offset in a file
 *	a  page to map at	z  size of a mapping	t  time, short
 *	i  small number		l  flags		s  signal
 *	P  process or thread: ourselves, or nobody
 *
 * One argument in AS_ODD is of no kind: zero, minus one, the largest, an address in the kernel, at
 * the end of a mapping, or random. Only P never is: it must not name another process.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "abi/kinds.h"
#include "fuzz.h"

#define PAGE		4096L
#define MEMORY		(4 * PAGE)
#define ARENA		(64 * PAGE)	/* mappings come and go here */
#define FDS		12
#define NUMBERS		460		/* one more than the highest system call number */
#define AS_ODD		16
#define AS_UNKNOWN	32		/* so many calls are one of any number */

struct call {
	int number;
	char args[7];
};

#define KIND_fd		'f'
#define KIND_dirfd	'd'
#define KIND_path	'p'
#define KIND_in		'b'
#define KIND_out	'b'
#define KIND_iov	'b'
#define KIND_ptr	'b'
#define KIND_size	'n'
#define KIND_off	'o'
#define KIND_whence	'i'
#define KIND_addr	'a'
#define KIND_length	'z'
#define KIND_pid	'P'
#define KIND_sig	's'
#define KIND_id		'i'
#define KIND_time	't'
#define KIND_clock	'i'
#define KIND_openflags	'l'
#define KIND_atflags	'l'
#define KIND_mode	'l'
#define KIND_access	'i'
#define KIND_prot	'i'
#define KIND_mapflags	'l'
#define KIND_cloneflags	'l'
#define KIND_futexop	'i'
#define KIND_flags	'l'
#define KIND_int	'i'
#define KIND_uint	'i'
#define KIND_long	'b'

#define LETTER(kind, i)	KIND_##kind
#define ROW(name, ...)	{ SYS_##name, { EACH(0, LETTER, ##__VA_ARGS__) } }

static const struct call calls[] = {
#define CALL(name, riscv, x86_64, ...) ROW(name, ##__VA_ARGS__),
#define CALL_AS(name, riscv, x86_64, call, ...) ROW(name, ##__VA_ARGS__),
#ifdef __x86_64__
#define ON_X86_64(...) __VA_ARGS__
#else
#define ON_X86_64(...)
#endif
#include "abi/syscalls.def"
};

#define LENGTH(array)	(sizeof(array) / sizeof(*(array)))

/* These would end the machine, another process, or the process itself each time. */
static const int spared[] = {
	SYS_reboot,
#ifdef SYS_vfork
	SYS_vfork,	/* the child would run on in its parent's frame */
#endif
};
static const int rare[] = {
	SYS_exit, SYS_exit_group, SYS_execve, SYS_execveat, SYS_clone, SYS_clone3,
	SYS_rt_sigreturn, SYS_rt_sigsuspend,
#ifdef __x86_64__
	SYS_pause,
#endif
};

static char *memory, *arena;
static pid_t self;

uint64_t next_number(struct numbers *n)
{
	uint64_t x = n->state += 0x9e3779b97f4a7c15;

	/* splitmix64 (Steele, Lea, Flood 2014) */
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

unsigned below(struct numbers *n, unsigned limit)
{
	return next_number(n) % limit;
}

static void take_signal(int sig)
{
	(void)sig;
}

/* Most signals would end us, and many calls send signals. */
static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = take_signal };

	for (int sig = 1; sig < NSIG; sig++)
		if (sig != SIGSEGV && sig != SIGBUS && sig != SIGILL && sig != SIGFPE)
			sigaction(sig, &action, NULL);
}

/* A program to execute, whatever others have done to theirs. */
static void copy_program(void)
{
	static char bytes[1 << 16];
	int in = open("/bin/true", O_RDONLY), out = open("program", O_WRONLY | O_CREAT, 0700);

	write(out, bytes, read(in, bytes, sizeof(bytes)));
	close(in);
	close(out);
}

void calls_prepare(void)
{
	self = getpid();
	memory = mmap(NULL, MEMORY + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0);
	munmap(memory + MEMORY, PAGE);		/* an access beyond the end faults */
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (int fd = 3; fd < FDS; fd++)
		close(fd);
	dup2(open("/dev/null", O_RDWR), 0);	/* the console is for our own output */
	dup2(open("/dev/zero", O_RDWR), 1);
	dup2(open("/dev/random", O_RDWR), 2);
	copy_program();
	handle_signals();
	open(FOLDER, O_RDONLY | O_DIRECTORY);
	open("/proc/self/stat", O_RDONLY);
	open("a", O_RDWR | O_CREAT, 0600);
	pipe2((int[2]){ 0 }, O_NONBLOCK);
}

static long odd_value(struct numbers *n)
{
	const long odd[] = {
		0, -1, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, -PAGE, 1L << 38, 1L << 47,
		PAGE, (long)memory + MEMORY, (long)memory + MEMORY - 1, (long)memory + 1, 64, 1024,
	};

	switch (below(n, 4)) {
	case 0:
		return 1L << below(n, 64);
	case 1:
		return next_number(n);
	default:
		return odd[below(n, LENGTH(odd))];
	}
}

static long path(struct numbers *n)
{
	static const char *const paths[] = {
		"a", "b", "c", "a/b", "b/c", "a/b/c", ".", "..", "", FOLDER "/a", FOLDER "/b/",
		"/", "/proc", "/proc/self/stat", "/proc/self/maps", "/proc/counters", "program",
		"/proc/self/task", "/proc/nothing",
	};

	return (long)paths[below(n, LENGTH(paths))];
}

static long flags(struct numbers *n)
{
	long value = 0;

	for (int bits = below(n, 4); bits >= 0; bits--)
		value |= 1L << below(n, 22);
	return value;
}

static long argument(struct numbers *n, char kind, struct timespec *ts)
{
	if (kind != 'P' && below(n, kind == 't' ? 16 * AS_ODD : AS_ODD) == 0)
		return odd_value(n);
	switch (kind) {
	case 'f':
		return below(n, FDS);
	case 'd':
		return below(n, 2) ? AT_FDCWD : below(n, FDS);
	case 'p':
		return path(n);
	case 'b':
		return (long)memory + below(n, MEMORY / 8) * 8;
	case 'n':
		return below(n, 2) ? 1L << below(n, 14) : below(n, 64);
	case 'o':
		return below(n, 2) ? 1L << below(n, 20) : below(n, 64);
	case 'a':
		return (long)arena + below(n, ARENA / PAGE) * PAGE;
	case 'z':
		return (1 + below(n, 16)) * PAGE;
	case 's':
		return below(n, 66);
	case 'l':
		return below(n, 3) ? flags(n) : 0;
	case 't':
		ts->tv_nsec = below(n, 100000);
		return (long)ts;
	case 'P':
		return (const long[]){ 0, self, syscall(SYS_gettid), INT32_MAX }[below(n, 4)];
	default:
		return below(n, 10);
	}
}

static int is_among(int number, const int *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i] == number)
			return 1;
	return 0;
}

static struct call choose(struct numbers *n)
{
	struct call c = { 0, "bbnnxx" };

	if (below(n, AS_UNKNOWN))
		return calls[below(n, LENGTH(calls))];
	c.number = below(n, NUMBERS);
	for (unsigned i = 0; i < LENGTH(calls); i++)
		if (calls[i].number == c.number)
			return calls[i];	/* P's stay harmless */
	return c;
}

void call_something(struct numbers *n)
{
	struct call c = choose(n);
	struct timespec ts = { 0, 0 };
	long a[6] = { 0 };

	if (is_among(c.number, spared, LENGTH(spared)) ||
	    (is_among(c.number, rare, LENGTH(rare)) && below(n, 16)))
		return;
	for (int i = 0; c.args[i]; i++)
		a[i] = argument(n, c.args[i], &ts);
	/* what structures consist of */
	((long *)memory)[below(n, MEMORY / 8)] = argument(n, "fbniloszt"[below(n, 9)], &ts);
	if (below(n, 64) == 0)
		memset(memory, below(n, 256), MEMORY);
	syscall(c.number, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (syscall(SYS_getpid) != self)
		_exit(0);
}
