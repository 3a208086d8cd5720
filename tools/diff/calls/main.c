/*
 * Runs the cases and prints what the kernel answered: calls FOLDER SECONDS [CASE...], or
 * sequences of calls at random (random.c): calls FOLDER SECONDS --random ...
 *
 * Each case runs in a child of its own, in an empty folder below FOLDER, as leader of a session
 * without terminal, with /dev/null as its three descriptors, and with SECONDS to end in. It writes
 * its lines into memory that it shares with us, so that those before a crash are there.
 */
#include "diff.h"
#include "random.h"
#include "run.h"

#define OUTPUT	(16 * PAGE)
#define ANSWERS	512		/* so many calls later a second process has ended */

extern const struct diff_case *const __start_diff_cases[], *const __stop_diff_cases[];

static struct output {
	size_t used;
	long answers[ANSWERS];
	char text[OUTPUT - sizeof(size_t) - ANSWERS * sizeof(long)];
} * output;

char buf[8 * PAGE];
volatile uintptr_t nowhere = 8;
volatile int hits[65];

static int limit_s;

/* --- What a case says -------------------------------------------------------------------- */

void say(const char *format, ...)
{
	char line[4200];
	va_list ap;
	size_t at, n;

	va_start(ap, format);
	vsnprintf(line, sizeof(line) - 1, format, ap);
	va_end(ap);
	n = strlen(line);
	line[n++] = '\n';
	at = output->used;
	while (!__atomic_compare_exchange_n(&output->used, &at, at + n, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
	if (at + n < sizeof(output->text))
		memcpy(output->text + at, line, n);
}

long *child_answer(unsigned call)
{
	return &output->answers[call % ANSWERS];
}

long ask(long number, const long a[6])
{
	long r = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);

	return r == -1 ? -errno : r;
}

long tell(const char *what, long result, int only_ok)
{
	int saved = errno;

	if (result < 0)
		say("%s = %s", what, error_name(-result));
	else if (only_ok)
		say("%s = ok", what);
	else
		say("%s = %ld", what, result);
	errno = saved;
	return result;
}

long need(const char *what, long result)
{
	if (result < 0) {
		say("on the way: %s = %s", what, error_name(-result));
		_exit(99);
	}
	return result;
}

void say_status(const char *what, int status)
{
	if (status == 0xffff)
		say("%s: continued", what);
	else if ((status & 0xff) == 0x7f)
		say("%s: stopped by %s", what, signal_name(status >> 8));
	else if (status & 0x7f)
		say("%s: ended by %s%s", what, signal_name(status & 0x7f),
		    status & 0x80 ? ", core" : "");
	else
		say("%s: exit %d", what, status >> 8);
}

/* --- Running them ------------------------------------------------------------------------ */

static int earlier(const void *a, const void *b)
{
	const struct diff_case *x = *(const struct diff_case *const *)a;
	const struct diff_case *y = *(const struct diff_case *const *)b;
	int files = strcmp(x->file, y->file);

	return files ? files : x->line - y->line;
}

/* "pipe.read_empty": the file's name without its folder and ending, and the case's. */
static void full_name(const struct diff_case *c, char *name, size_t size)
{
	const char *slash = strrchr(c->file, '/');
	const char *stem = slash ? slash + 1 : c->file;

	snprintf(name, size, "%.*s.%s", (int)strcspn(stem, "."), stem, c->name);
}

/* The same start everywhere, whatever the machine's own limits are. */
static void set_limits(void)
{
	static const struct {
		int which;
		struct rlimit limit;
	} limits[] = {
		{ RLIMIT_NOFILE, { 1024, 4096 } },
		{ RLIMIT_CORE, { 0, 0 } },
		{ RLIMIT_STACK, { 8 << 20, RLIM_INFINITY } },
		{ RLIMIT_FSIZE, { RLIM_INFINITY, RLIM_INFINITY } },
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		syscall(NR_prlimit64, 0, limits[i].which, &limits[i].limit, NULL);
}

static void become_case(void (*fn)(void), const char *folder)
{
	static const char zeros[64];	/* the default action; no signal */
	int null = open("/dev/null", O_RDWR);

	for (int sig = 1; sig < NSIG; sig++)
		syscall(NR_rt_sigaction, sig, zeros, NULL, 8);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	syscall(NR_close_range, 3, 4095, 0);
	for (int fd = 3; fd < 16; fd++)
		close(fd);
	umask(022);
	if (setsid() < 0 || chdir(folder) < 0) {
		say("on the way: chdir(\"%s\"): errno %d", folder, errno);
		_exit(98);
	}
	set_limits();
	syscall(NR_rt_sigprocmask, SIG_SETMASK, zeros, NULL, 8);
	fn();
	_exit(0);
}

/* Takes SIGCHLD, which is blocked, if it comes within @limit. */
static int take_sigchld(struct timespec limit)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	return syscall(NR_rt_sigtimedwait, &set, NULL, &limit, 8);
}

/* The child's status; one that does not end in time is ended. */
static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (take_sigchld((struct timespec){ limit_s, 0 }) < 0 && errno == EAGAIN) {
			say("hangs");
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return 0;
		}
	}
	kill(-pid, SIGKILL); /* what it left running */
	take_sigchld((struct timespec){ 0, 0 }); /* if it is pending, it counts as left behind */
	return status;
}

/* Checks whether something of the case is left in the kernel after it. */
static int run_once(void (*fn)(void), const char *top)
{
	static unsigned folders;
	char folder[256];
	int status;
	pid_t pid;

	snprintf(folder, sizeof(folder), "%s/%u", top, folders++);
	left_before();
	if (mkdir(folder, 0755) < 0)
		printf("cannot make %s: errno %d\n", folder, errno);
	pid = fork();
	if (pid == 0)
		become_case(fn, folder);
	status = wait_for(pid);
	if (status)
		say_status("the case", status);
	return left_after(folder);
}

/* A second run tells: after the first, our own memory may have grown, or a file been read in. */
static int is_left_each_time(void (*fn)(void), const char *top)
{
	size_t said = output->used;
	int left = run_once(fn, top);

	output->used = said;
	return left;
}

void run_case(const char *name, void (*fn)(void), const char *top, int as_sum)
{
	output->used = 0;
	if (run_once(fn, top) && is_left_each_time(fn, top))
		say_left();
	if (as_sum)
		printf("== %s\n%lx\n", name, sum_of(output->text, output->used));
	else
		printf("== %s\n%.*s", name, (int)output->used, output->text);
	fflush(stdout);
}

/* A name, or all names that begin with "name.". */
static int wanted(const struct diff_case *c, int argc, char **argv)
{
	char name[96];

	full_name(c, name, sizeof(name));
	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]);

		if (!strcmp(argv[i], name) || (!strncmp(argv[i], name, n) && name[n] == '.'))
			return 1;
	}
	return argc == 0;
}

static void run_by_name(const struct diff_case *c, const char *top)
{
	char name[96];

	full_name(c, name, sizeof(name));
	run_case(name, c->run, top, 0);
}

int main(int argc, char **argv)
{
	size_t n = __stop_diff_cases - __start_diff_cases;
	const struct diff_case **cases = calloc(n, sizeof(*cases));
	sigset_t set;

	if (argc < 3) {
		printf("usage: calls FOLDER SECONDS [CASE...]\n");
		return 2;
	}
	limit_s = atoi(argv[2]);
	memcpy(cases, __start_diff_cases, n * sizeof(*cases));
	qsort(cases, n, sizeof(*cases), earlier);
	output = mmap(NULL, OUTPUT, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(output, 0, OUTPUT); /* its pages are not left behind by a case that says much */
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* All our memory comes now, so that no case leaves some of it behind. */
	ask(NR_mlockall, (const long[6]){ MCL_CURRENT });
	ask(NR_munlockall, (const long[6]){ 0 });
	if (argc > 3 && !strcmp(argv[3], "--random"))
		return random_main(argv[1], argc - 4, argv + 4);
	for (size_t i = 0; i < n; i++)
		if (wanted(cases[i], argc - 3, argv + 3))
			run_by_name(cases[i], argv[1]);
	return 0;
}
