/*
 * tasks [-q] [FILE]: runs a set of tasks, one process each, and prints which ran when, in
 * the form of `make simulate` (tools/simulate/README.md has the language). This works on one CPU: a
 * task that finds that another one ran last has just been dispatched. Before that it prints when it
 * begins, on the monotonic clock, and which tasks were refused; with -q no more. Processes are
 * named like their tasks, for readers of the trace.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TASKS = 64, STEPS = 16, LOG = 4096 };

struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

struct task {
	char name[32];
	struct attr attr;
	uint64_t at;
	char action[STEPS];		/* the first letter of the step */
	uint64_t ns[STEPS];
	int steps;
};

static struct task tasks[TASKS];
static int nr_tasks;
static uint64_t until = 200000000, start;
static bool quiet;

static struct journal {
	volatile int last;
	volatile unsigned n;
	uint64_t start;
	struct {
		uint64_t when;
		int who;
	} entry[LOG];
} * journal;

static void die(const char *what)
{
	fprintf(stderr, "tasks: %s\n", what);
	exit(2);
}

static uint64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000UL + ts.tv_nsec;
}

static uint64_t number(const char *s)
{
	char *unit;
	uint64_t v = strtoul(s ? s : "", &unit, 10);

	if (strcmp(unit, "s") == 0)
		return v * 1000000000;
	if (strcmp(unit, "ms") == 0)
		return v * 1000000;
	return strcmp(unit, "us") == 0 ? v * 1000 : v;
}

static void set(struct task *t, char *word)
{
	static const char *const classes[] = { "other", "fifo", "rr", "batch", "", "idle",
					       "deadline" };
	char *value = strchr(word, '=');

	if (!value)
		die("a property is name=value");
	*value++ = '\0';
	if (strcmp(word, "class") == 0)
		for (unsigned i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
			t->attr.policy = strcmp(classes[i], value) == 0 ? i : t->attr.policy;
	else if (strcmp(word, "nice") == 0)
		t->attr.nice = atoi(value);
	else if (strcmp(word, "priority") == 0)
		t->attr.priority = atoi(value);
	else if (strcmp(word, "runtime") == 0)
		t->attr.runtime = number(value);
	else if (strcmp(word, "deadline") == 0)
		t->attr.deadline = number(value);
	else if (strcmp(word, "period") == 0)
		t->attr.period = number(value);
	else if (strcmp(word, "at") == 0)
		t->at = number(value);
}

static void read_task(char **rest)
{
	struct task *t = &tasks[nr_tasks++];
	char *word = strtok_r(NULL, " \t\n", rest);

	if (nr_tasks > TASKS || !word)
		die("too many tasks, or one without a name");
	t->attr.size = sizeof(t->attr);
	snprintf(t->name, sizeof(t->name), "%s", word);
	while ((word = strtok_r(NULL, " \t\n", rest)) && strcmp(word, ":") != 0)
		set(t, word);
	if (!t->attr.deadline)
		t->attr.deadline = t->attr.period;
	for (; (word = strtok_r(NULL, " \t\n", rest)) && t->steps < STEPS; t->steps++) {
		/* sleep is s and repeat is R, so that no two letters are alike */
		t->action[t->steps] = strcmp(word, "repeat") == 0 ? 'R' : *word;
		if (*word == 's' || strcmp(word, "run") == 0)
			t->ns[t->steps] = number(strtok_r(NULL, " \t\n", rest));
	}
}

static void read_tasks(const char *path)
{
	FILE *in = path ? fopen(path, "r") : stdin;
	char line[1000];

	if (!in)
		die(strerror(errno));
	while (fgets(line, sizeof(line), in)) {
		char *rest, *word;

		line[strcspn(line, "#")] = '\0';
		word = strtok_r(line, " \t\n", &rest);
		if (word && strcmp(word, "task") == 0)
			read_task(&rest);
		else if (word && strcmp(word, "until") == 0)
			until = number(strtok_r(NULL, " \t\n", &rest));
	}
	fclose(in);
}

/* Called all the time by the process that has the CPU. */
static void note(int me)
{
	uint64_t when = now(CLOCK_MONOTONIC) - start;

	if (when >= until)
		_exit(0);
	if (journal->last == me || quiet)
		return;
	journal->last = me;
	if (journal->n < LOG) {
		/* read the clock again: the others ran in between */
		journal->entry[journal->n].when = now(CLOCK_MONOTONIC) - start;
		journal->entry[journal->n].who = me;
		journal->n++;
	}
}

/*
 * Works for @ns on this thread's clock. Reading a clock is expensive where time is simulated, so a
 * process that need not note when it runs only looks at what is left, and more often towards the
 * end.
 */
static void work(int me, uint64_t ns)
{
	uint64_t end = now(CLOCK_THREAD_CPUTIME_ID) + ns, at;

	while ((at = now(CLOCK_THREAD_CPUTIME_ID)) < end) {
		uint64_t turns = quiet ? (end - at) / 64 : 0;

		for (volatile uint64_t i = 0; i < turns && i < 4000; i++)
			;
		note(me);
	}
}

static void sleep_until(uint64_t when)
{
	struct timespec ts = { when / 1000000000, when % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void run(int me)
{
	struct task *t = &tasks[me];
	uint64_t release = start + t->at;

	for (int i = 0; i < t->steps; i++) {
		note(me);
		switch (t->action[i]) {
		case 'r':
			work(me, t->ns[i]);
			break;
		case 's':
			sleep_until(now(CLOCK_MONOTONIC) + t->ns[i]);
			break;
		case 'w':
			release += t->attr.period;
			sleep_until(release);
			break;
		case 'y':
			sched_yield();
			break;
		case 'R':
			i = -1;
		}
	}
}

static void child(int me, int go)
{
	char c;

	prctl(PR_SET_NAME, tasks[me].name);
	read(go, &c, 1);
	start = journal->start;
	/* runs alone for a moment: no policy then holds the time of its start against it */
	sleep_until(start - 1000000000 + (me + 1) * 10000000);
	sleep_until(start + tasks[me].at);
	run(me);
	_exit(0);
}

/* Admits tasks in the order of the file, as the simulator does; a refused task does not start. */
static void begin(int me, int go[2])
{
	pid_t pid = fork();

	if (pid < 0)
		die(strerror(errno));
	if (pid == 0) {
		close(go[1]);
		child(me, go[0]);
	}
	if (syscall(SYS_sched_setattr, pid, &tasks[me].attr, 0)) {
		printf("refused %s\n", tasks[me].name);
		kill(pid, SIGKILL);
	}
}

int main(int argc, char **argv)
{
	int go[2];

	quiet = argc > 1 && strcmp(argv[1], "-q") == 0;
	argc -= quiet;
	argv += quiet;
	if (argc > 2)
		die("usage: tasks [-q] [FILE]");
	read_tasks(argv[1]);
	journal = mmap(NULL, sizeof(*journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (journal == MAP_FAILED || pipe(go))
		die(strerror(errno));
	memset(journal, 0, sizeof(*journal));	/* touch the memory now: no page faults later */
	journal->last = -1;
	for (int i = 0; i < nr_tasks; i++)
		begin(i, go);
	/* start at a whole second, because mlfq's boosts go by the time of day */
	journal->start = (now(CLOCK_MONOTONIC) / 1000000000 + 2) * 1000000000;
	printf("start %lu\n", journal->start);
	close(go[1]);
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < journal->n && !quiet; i++)
		printf("%lu 0 %s\n", journal->entry[i].when, tasks[journal->entry[i].who].name);
	return 0;
}
