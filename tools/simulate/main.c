/*
 * The simulator as a program: reads a set of tasks, runs it under a policy, writes what happened.
 *
 *	simulate TASKS 'BOOT ARGUMENTS' MODEL
 *
 * TASKS is described in README.md here. MODEL is written as JSON that tools/timeline draws; "-"
 * writes the order of dispatches as text, for comparison with a kernel's.
 */
#include "sim.h"

#include "arch.h"
#include "base/bootargs.h"
#include "base/machine.h"
#include "base/panic.h"
#include "console/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_	1000

static struct sim sim = { .nr_cpus = 1 };
static struct sim_task tasks[SIM_TASKS];
static u64 until = 200 * NSEC_PER_MSEC;
static const char *path;
static unsigned line_number;

static FILE *model;
static bool as_text;
static bool first_span = true;
static u64 since[SIM_TASKS];

struct machine machine;

noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

/* Replaces the kernel's, which kernel/base/bootargs.c calls. */
void kprintf(const char *fmt, ...) printf_like(1, 2);
void kprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

void kprintf_flush(void)
{
}

noreturn void arch_machine_end(enum machine_end how)
{
	(void)how;
	exit(2);
}

noreturn static void bad(const char *what, const char *word)
{
	fprintf(stderr, "simulate: %s:%u: %s: %s\n", path, line_number, word, what);
	exit(2);
}

/*
 * --- The set of tasks ----------------------------------------------------------------------------
 */

/* Returns the number @s, which may have a unit of time. */
static u64 number(const char *s)
{
	static const struct {
		const char *name;
		u64 factor;
	} units[] = { { "", 1 }, { "ns", 1 }, { "us", NSEC_PER_USEC }, { "ms", NSEC_PER_MSEC },
		      { "s", NSEC_PER_SEC } };
	char *end;
	u64 v = strtoul(s, &end, 10);

	for (unsigned i = 0; i < ARRAY_SIZE(units) && end != s; i++)
		if (strcmp(end, units[i].name) == 0 && v < NSEC_PER_SEC * 1000)
			return v * units[i].factor;
	bad("must be a number, or a time like 5ms", s);
}

static u32 class_of(const char *s)
{
	static const char *const names[] = { "other", "fifo", "rr", "batch", "", "idle",
					     "deadline" };

	for (u32 i = 0; i < ARRAY_SIZE(names); i++)
		if (*names[i] && strcmp(names[i], s) == 0)
			return i;
	bad("must be other, batch, idle, fifo, rr or deadline", s);
}

static u32 cpus_of(char *s)
{
	u32 mask = 0;

	for (char *rest, *w = strtok_r(s, ",", &rest); w; w = strtok_r(NULL, ",", &rest))
		mask |= BIT(number(w) % 32);
	return mask;
}

static void set(struct sim_task *t, char *word)
{
	char *value = strchr(word, '=');
	struct sched_params *p = &t->params;

	if (!value)
		bad("must be name=value", word);
	*value++ = '\0';
	if (strcmp(word, "class") == 0)
		p->class = class_of(value);
	else if (strcmp(word, "nice") == 0)
		p->nice = *value == '-' ? -(int)number(value + 1) : (int)number(value);
	else if (strcmp(word, "priority") == 0)
		p->rt_priority = number(value);
	else if (strcmp(word, "runtime") == 0)
		p->runtime = number(value);
	else if (strcmp(word, "deadline") == 0)
		p->deadline = number(value);
	else if (strcmp(word, "period") == 0)
		p->period = number(value);
	else if (strcmp(word, "at") == 0)
		t->arrival = number(value);
	else if (strcmp(word, "cpus") == 0)
		t->affinity = cpus_of(value);
	else
		bad("must be class, nice, priority, runtime, deadline, period, at or cpus", word);
}

static void add_step(struct sim_task *t, const char *word, char **rest)
{
	static const char *const names[] = { [SIM_RUN] = "run", [SIM_SLEEP] = "sleep",
					     [SIM_WAIT] = "wait", [SIM_YIELD] = "yield",
					     [SIM_REPEAT] = "repeat" };
	struct sim_step *s = &t->steps[t->nr_steps];
	const char *value = NULL;

	if (t->nr_steps++ == SIM_STEPS)
		bad("too many steps", word);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		if (!names[i] || strcmp(names[i], word) != 0)
			continue;
		s->action = i;
		if (i == SIM_RUN || i == SIM_SLEEP)
			value = strtok_r(NULL, " \t\n", rest);
		if (value)
			s->ns = number(value);
		else if (i == SIM_RUN || i == SIM_SLEEP)
			bad("how long?", word);
		if (i == SIM_WAIT && !t->params.period)
			bad("the task has no period", word);
		return;
	}
	bad("must be run T, sleep T, wait, yield or repeat", word);
}

static void add_task(char *name, char **rest)
{
	struct sim_task *t = &tasks[sim.nr_tasks++];
	char *word;

	if (!name)
		bad("a task has a name", "task");
	if (sim.nr_tasks > SIM_TASKS)
		bad("too many tasks", name);
	t->name = strdup(name);
	t->affinity = ~0u;
	while ((word = strtok_r(NULL, " \t\n", rest)) && strcmp(word, ":") != 0)
		set(t, word);
	if (!t->params.deadline)
		t->params.deadline = t->params.period;
	t->period = t->params.period;
	t->relative_deadline = t->params.deadline;
	while ((word = strtok_r(NULL, " \t\n", rest)))
		add_step(t, word, rest);
}

static void read_tasks(void)
{
	FILE *in = fopen(path, "r");
	char line[LINE_MAX_];

	if (!in) {
		perror(path);
		exit(2);
	}
	sim.tasks = tasks;
	while (fgets(line, sizeof(line), in)) {
		char *rest, *word, *value;

		line_number++;
		line[strcspn(line, "#")] = '\0';
		word = strtok_r(line, " \t\n", &rest);
		if (!word)
			continue;
		value = strtok_r(NULL, " \t\n", &rest);
		if (strcmp(word, "task") == 0)
			add_task(value, &rest);
		else if (strcmp(word, "cpus") == 0)
			sim.nr_cpus = number(value ? value : "");
		else if (strcmp(word, "until") == 0)
			until = number(value ? value : "");
		else
			bad("must be task, cpus or until", word);
		if (!sim.nr_cpus || sim.nr_cpus > MAX_CPUS)
			bad("must be 1 to 8", "cpus");
	}
	fclose(in);
	if (!sim.nr_tasks)
		bad("no task", "end");
}

/*
 * --- Jobs: marks of the model --------------------------------------------------------------------
 */

/* Marks are kept until all spans are written, which come first in the file. */
struct mark {
	u64 time;
	const char *kind;
	long thread;
};

static struct mark *marks;
static size_t nr_marks;

static void mark(struct sim_task *t, u64 time, const char *kind)
{
	if (time > until || as_text)
		return;
	marks = realloc(marks, (nr_marks + 1) * sizeof(*marks));
	if (!marks)
		panic("simulate: no memory for %zu marks", nr_marks + 1);
	marks[nr_marks++] = (struct mark){ time, kind, t - tasks + 1 };
}

/* The k-th "release", "deadline" and "done" of a task belong to its k-th job. */
static void mark_job(struct sim_task *t, u64 released, u64 done)
{
	u64 deadline = released + t->relative_deadline;

	mark(t, released, "release");
	mark(t, deadline, "deadline");
	mark(t, done, "done");
	if (done > deadline)
		mark(t, deadline, "missed");
}

static void finished(struct sim *s, struct sim_task *t)
{
	mark_job(t, t->released, s->now);
}

static void mark_unfinished(struct sim_task *t)
{
	if (!t->admitted)
		mark(t, 0, "refused");
	else if (t->period && t->state != SIM_ENDED)
		for (u64 at = t->released; at < until; at += t->period)
			mark_job(t, at, ~0ull);
}

static void write_marks(void)
{
	for (unsigned i = 0; i < sim.nr_tasks; i++)
		mark_unfinished(&tasks[i]);
	for (size_t i = 0; i < nr_marks; i++)
		fprintf(model, "%s{\"time\":%lu,\"kind\":\"%s\",\"text\":\"\",\"thread\":%ld}",
			i ? ",\n" : "", marks[i].time, marks[i].kind, marks[i].thread);
}

/*
 * --- What happened -------------------------------------------------------------------------------
 */

static void write_span(struct sim *s, struct sim_task *t, enum sim_state state)
{
	static const char *const names[] = { [SIM_READY] = "ready", [SIM_RUNNING] = "running",
					     [SIM_SLEEPING] = "sleeping" };
	u64 from = since[t - tasks];

	since[t - tasks] = s->now;
	if (state == SIM_NEW || state == SIM_ENDED || from == s->now || as_text)
		return;
	fprintf(model, "%s{\"thread\":%ld,\"state\":\"%s\",\"begin\":%lu,\"end\":%lu",
		first_span ? "" : ",\n", t - tasks + 1, names[state], from, s->now);
	if (state == SIM_RUNNING)
		fprintf(model, ",\"cpu\":%u", t->cpu);
	fputc('}', model);
	first_span = false;
}

static void changed(struct sim *s, struct sim_task *t, enum sim_state from)
{
	if (as_text && t->state == SIM_RUNNING)
		printf("%lu %u %s\n", s->now, t->cpu, t->name);
	write_span(s, t, from);
}

static void open_model(const char *file)
{
	model = strcmp(file, "-") == 0 ? stdout : fopen(file, "w");
	if (!model) {
		perror(file);
		exit(2);
	}
	as_text = model == stdout;
	if (as_text)
		return;
	fprintf(model, "{\"format\":\"trellis-timeline 1\",\"title\":\"%s\",", path);
	fprintf(model, "\"subtitle\":\"simulated: sched=%s, %u CPU%s\",", policy.name, sim.nr_cpus,
		sim.nr_cpus > 1 ? "s" : "");
	fprintf(model, "\"end\":%lu,\"cpus_at_least\":%u,\"threads\":[", until, sim.nr_cpus);
	for (unsigned i = 0; i < sim.nr_tasks; i++)
		fprintf(model, "%s{\"id\":%u,\"name\":\"%s\"}", i ? "," : "", i + 1, tasks[i].name);
	fprintf(model, "],\n\"spans\":[\n");
}

static void close_model(void)
{
	for (unsigned i = 0; i < sim.nr_tasks; i++)
		write_span(&sim, &tasks[i], tasks[i].state);
	if (as_text)
		return;
	fprintf(model, "],\n\"marks\":[\n");
	write_marks();
	fprintf(model, "]}\n");
	if (fclose(model)) {
		perror("simulate");
		exit(2);
	}
}

static void print_ms(u64 ns)
{
	fprintf(stderr, " %10lu.%03lu", ns / NSEC_PER_MSEC, ns / NSEC_PER_USEC % 1000);
}

static void print_table(void)
{
	fprintf(stderr, "%-16s %14s %14s %14s %6s %6s\n", "task (times: ms)", "on a CPU",
		"longest wait", "slowest job", "jobs", "late");
	for (unsigned i = 0; i < sim.nr_tasks; i++) {
		struct sim_task *t = &tasks[i];

		fprintf(stderr, "%-16s", t->name);
		if (!t->admitted) {
			bool known = !policy_check(&t->params);

			fprintf(stderr, " refused: %s\n",
				known ? "no CPU has room for it" : "not a class of this policy");
			continue;
		}
		print_ms(t->ran);
		print_ms(t->worst_wait);
		print_ms(t->worst_response);
		fprintf(stderr, " %6u %6u\n", t->jobs, t->missed);
	}
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: simulate TASKS 'BOOT ARGUMENTS' MODEL\n");
		return 2;
	}
	path = argv[1];
	snprintf(machine.cmdline, sizeof(machine.cmdline), "%s", argv[2]);
	bootargs_init();
	policy_init();
	read_tasks();
	open_model(argv[3]);
	sim.changed = changed;
	sim.finished = finished;
	sim_begin(&sim, 0);
	sim_run(&sim, until);
	close_model();
	print_table();
	return 0;
}
