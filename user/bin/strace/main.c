/*
 * strace [-cf] [-e trace=name,...] [-o file] command [argument...]: runs the command and writes
 * each of its system calls with arguments and result, to standard error or the file. -f: those of
 * its children and threads, too; -e: only these calls; -c: instead, how often each was called and
 * how long it took.
 *
 * A pipe connects us with /dev/strace, to which our child hands the other end before it becomes
 * the command; the end of file says that all recorded processes have ended. A call is written when
 * it returns, because only then all of it is known; one that never returns has "= ?".
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "strace.h"

#define MAX_TASKS	256
#define MAX_CALLS	512		/* numbers that -c counts */

static struct open_call {		/* a call that was entered and has not returned yet */
	struct event event;
	bool used;
} open_calls[MAX_TASKS];

static struct figures {
	unsigned long calls, errors, ns;
} figures[MAX_CALLS];

static bool follow, only_count, wanted[MAX_CALLS], all = true;
static FILE *out;

static void choose_calls(const char *list)
{
	const char *end;
	const struct call *c;

	if (!strncmp(list, "trace=", 6))
		list += 6;
	all = !strcmp(list, "all");
	for (; !all && *list; list = end + (*end == ',')) {
		end = strchrnul(list, ',');
		c = call_named(list, end - list);
		if (!c)
			errx(1, "invalid system call '%.*s'", (int)(end - list), list);
		wanted[c->number] = true;
	}
}

static struct open_call *find_open(int tid)
{
	for (size_t i = 0; i < MAX_TASKS; i++)
		if (open_calls[i].used && open_calls[i].event.record.tid == tid)
			return &open_calls[i];
	return NULL;
}

static void count(const struct event *entering, const struct event *leaving)
{
	struct figures *f = &figures[entering->record.number];

	f->calls++;
	f->errors += leaving->record.result < 0;
	f->ns += leaving->record.time - entering->record.time;
}

static void show(const struct event *entering, const struct event *leaving)
{
	if (entering->record.number >= MAX_CALLS)
		return;
	if (!all && !wanted[entering->record.number])
		return;
	if (only_count && leaving)
		count(entering, leaving);
	if (only_count)
		return;
	if (follow)
		fprintf(out, "[pid %5d] ", entering->record.tid);
	print_call(out, entering, leaving);
	fflush(out);
}

static void take(const struct event *e)
{
	struct open_call *c = find_open(e->record.tid);

	if (!e->record.entering) {
		if (c) {
			show(&c->event, e);
			c->used = false;
		}
		return;
	}
	if (call_of(e->record.number) && !strncmp(call_of(e->record.number)->name, "exit", 4)) {
		show(e, NULL);
		return;
	}
	for (size_t i = 0; i < MAX_TASKS && !c; i++)
		if (!open_calls[i].used)
			c = &open_calls[i];
	if (!c)
		return;
	c->event = *e;
	c->used = true;
}

static bool read_all(int fd, void *to, size_t n)
{
	ssize_t done;

	for (char *p = to; n; p += done, n -= done) {
		done = read(fd, p, n);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return false;
	}
	return true;
}

/*
 * Reads records until all recorded processes have ended. Before its execve() succeeds, the child is
 * still strace.
 */
static void read_records(int fd, int child)
{
	const struct call *execve_call = call_named("execve", 6);
	bool begun = false;
	struct event e;

	while (read_all(fd, &e.record, sizeof(e.record)) &&
	       read_all(fd, e.bytes, e.record.size - sizeof(e.record))) {
		bool execs = e.record.number == execve_call->number;

		if (e.record.tid != child && !follow)
			continue;
		if (begun || (execs && e.record.entering))
			take(&e);
		else if (execs && e.record.result < 0)
			find_open(e.record.tid)->used = false;	/* the next folder of PATH */
		else if (execs)
			begun = true, take(&e);
	}
	for (size_t i = 0; i < MAX_TASKS; i++)
		if (open_calls[i].used && begun)
			show(&open_calls[i].event, NULL);
}

static int by_time(const void *a, const void *b)
{
	const struct figures *x = &figures[*(const int *)a], *y = &figures[*(const int *)b];

	return x->ns < y->ns ? 1 : x->ns > y->ns ? -1 : 0;
}

static void show_figures(void)
{
	unsigned long calls = 0, errors = 0, ns = 0;
	int order[MAX_CALLS], n = 0;

	for (int i = 0; i < MAX_CALLS; i++) {
		if (!figures[i].calls)
			continue;
		order[n++] = i;
		calls += figures[i].calls;
		errors += figures[i].errors;
		ns += figures[i].ns;
	}
	if (n)
		qsort(order, n, sizeof(*order), by_time);
	fprintf(out, "%% time     seconds  usecs/call     calls    errors syscall\n");
	fprintf(out, "------ ----------- ----------- --------- --------- ----------------\n");
	for (int i = 0; i < n; i++) {
		const struct figures *f = &figures[order[i]];
		const struct call *c = call_of(order[i]);

		fprintf(out, "%6.2f %4lu.%06lu %11lu %9lu ", 100.0 * f->ns / (ns ? ns : 1),
			f->ns / 1000000000, f->ns / 1000 % 1000000, f->ns / 1000 / f->calls,
			f->calls);
		fprintf(out, f->errors ? "%9lu" : "%9.0lu", f->errors);
		fprintf(out, " %s\n", c ? c->name : "?");
	}
	fprintf(out, "------ ----------- ----------- --------- --------- ----------------\n");
	fprintf(out, "100.00 %4lu.%06lu %11lu %9lu %9lu total\n", ns / 1000000000,
		ns / 1000 % 1000000, calls ? ns / 1000 / calls : 0, calls, errors);
}

static _Noreturn void become_command(int fd, char **argv)
{
	int device = open("/dev/strace", O_WRONLY | O_CLOEXEC);

	if (device < 0 || dprintf(device, "%d", fd) < 0)
		err(1, "/dev/strace");
	execvp(argv[0], argv);
	err(127, "cannot run '%s'", argv[0]);
}

int main(int argc, char **argv)
{
	int fds[2], status, c;
	pid_t child;

	out = stderr;
	while ((c = getopt(argc, argv, "+ce:fo:")) != -1) {
		switch (c) {
		case 'c':	only_count = true; break;
		case 'e':	choose_calls(optarg); break;
		case 'f':	follow = true; break;
		case 'o':
			out = fopen(optarg, "we");
			if (!out)
				err(1, "cannot open '%s'", optarg);
			break;
		default:
			return 1;
		}
	}
	if (optind == argc)
		errx(1, "must have a command to run");
	if (pipe2(fds, O_CLOEXEC))
		err(1, "pipe");
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (child == 0)
		become_command(fds[1], argv + optind);
	close(fds[1]);
	read_records(fds[0], child);
	if (only_count)
		show_figures();
	if (waitpid(child, &status, 0) < 0)
		err(1, "waitpid");
	if (WIFSIGNALED(status)) {
		if (!only_count)
			fprintf(out, "+++ killed by SIG%s +++\n", sigabbrev_np(WTERMSIG(status)));
		return 128 + WTERMSIG(status);
	}
	if (!only_count)
		fprintf(out, "+++ exited with %d +++\n", WEXITSTATUS(status));
	return WEXITSTATUS(status);
}
