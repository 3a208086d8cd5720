/*
 * top [-b] [-n count] [-d seconds]: shows what the CPUs and the busiest processes do, again and
 * again. The first picture is about all the time since boot, each other one about the time since
 * the one before.
 */
#include "proc.h"
#include "screen.h"

#define CPUS_MAX	32
#define ROWS		20

struct cpu_time {
	unsigned long user, system, idle;
};

static struct cpu_time cpu_before[CPUS_MAX + 1];
static struct task *before;		/* the tasks of the last picture */
static size_t nr_before;

/* Two figures that are rounded separately may seem to go back a little. */
static double percent(long part, long all)
{
	return part > 0 && all > 0 ? 100.0 * part / all : 0;
}

/* Shows one line of /proc/stat. Returns the time that has passed on it, in ticks. */
static unsigned long show_cpu(const char *line, int i)
{
	struct cpu_time t = { 0, 0, 0 }, *old = &cpu_before[i];
	unsigned long nice = 0, all;
	char name[16];

	sscanf(line, "%15s %lu %lu %lu %lu", name, &t.user, &nice, &t.system, &t.idle);
	t.user += nice;
	all = t.user + t.system + t.idle - old->user - old->system - old->idle;
	printf("%-5s %5.1f%% user %5.1f%% system %5.1f%% idle\n", name,
	       percent(t.user - old->user, all), percent(t.system - old->system, all),
	       percent(t.idle - old->idle, all));
	*old = t;
	return all;
}

/* Shows all CPUs. Returns the time that has passed on one; it is the same for all. */
static unsigned long show_cpus(void)
{
	char text[8192], *line = text;
	unsigned long all = 0;

	if (read_text("/proc/stat", text, sizeof(text)) <= 0)
		return 0;
	for (int i = 0; i <= CPUS_MAX && !strncmp(line, "cpu", 3); i++) {
		all = show_cpu(line, i);
		line += strcspn(line, "\n") + 1;
	}
	return all;
}

static void show_head(size_t n)
{
	char load[64] = "", mem[2048] = "", up[64] = "";

	read_text("/proc/loadavg", load, sizeof(load));
	read_text("/proc/meminfo", mem, sizeof(mem));
	read_text("/proc/uptime", up, sizeof(up));
	printf("up %ld s, %zu processes, load %s", atol(up), n, load);
	printf("memory %ld K, %ld K free\n", number_after(mem, "MemTotal:"),
	       number_after(mem, "MemFree:"));
}

static unsigned long ticks(const struct task *t)
{
	return t->user_ticks + t->system_ticks;
}

static unsigned long ticks_before(const struct task *t)
{
	for (size_t i = 0; i < nr_before; i++)
		if (before[i].id == t->id && before[i].start_ticks == t->start_ticks)
			return ticks(&before[i]);
	return 0;
}

static int by_use(const void *a, const void *b)
{
	const struct task *x = a, *y = b;
	unsigned long used_x = ticks(x) - ticks_before(x), used_y = ticks(y) - ticks_before(y);

	if (used_x != used_y)
		return used_x < used_y ? 1 : -1;
	return x->id - y->id;
}

static void show_tasks(struct task *tasks, size_t n, unsigned long all)
{
	qsort(tasks, n, sizeof(*tasks), by_use);
	puts("  PID  PPID S CPU THRD  %CPU  RES-K     TIME NAME");
	for (size_t i = 0; i < n && i < ROWS; i++) {
		const struct task *t = &tasks[i];

		printf("%5d %5d %c %3d %4d %5.1f %6ld %8.2f %s\n", t->id, t->parent, t->state,
		       t->cpu, t->threads, percent(ticks(t) - ticks_before(t), all), t->pages * 4,
		       ticks(t) / (double)TICKS, t->name);
	}
}

int main(int argc, char **argv)
{
	struct screen screen;

	if (!screen_begin(&screen, argc, argv))
		errx(2, "usage: top [-b] [-n pictures] [-d seconds]");
	while (screen_next(&screen)) {
		size_t n;
		struct task *tasks = read_tasks("/proc", &n);

		if (!tasks)
			err(1, "/proc");
		show_head(n);
		show_tasks(tasks, n, show_cpus());
		free(before);
		before = tasks;
		nr_before = n;
		screen_wait(&screen);
	}
	return 0;
}
