/*
 * schedtop [-b] [-n count] [-d seconds]: shows what the scheduler does with each thread: how often
 * it was dispatched, was preempted and moved; where it waits; how much kernel stack it ever used.
 */
#include "proc.h"
#include "screen.h"

static void show_thread(const struct task *process, const struct task *t)
{
	char path[64], text[2048], where[64];
	int name = snprintf(path, sizeof(path), "/proc/%d/task/%d/", process->id, t->id);
	long run_ms;

	snprintf(path + name, sizeof(path) - name, "sched");
	if (read_text(path, text, sizeof(text)) <= 0)
		return;
	snprintf(path + name, sizeof(path) - name, "wchan");
	if (read_text(path, where, sizeof(where)) <= 0 || !strcmp(where, "0"))
		snprintf(where, sizeof(where), "-");
	run_ms = number_after(text, "se.sum_exec_runtime");
	printf("%5d %5d %c %3d %4d %8ld %8ld %8ld %6ld %6ld %-20.20s %s\n", process->id, t->id,
	       t->state, t->cpu, t->priority, run_ms, number_after(text, "\nnr_switches"),
	       number_after(text, "nr_involuntary_switches"), number_after(text, "nr_migrations"),
	       number_after(text, "kernel_stack.most_used"), where, t->name);
}

static void show_process(const struct task *process)
{
	char path[40];
	size_t n;
	struct task *threads;

	snprintf(path, sizeof(path), "/proc/%d/task", process->id);
	threads = read_tasks(path, &n);
	for (size_t i = 0; threads && i < n; i++)
		show_thread(process, &threads[i]);
	free(threads);
}

static void show_system(void)
{
	char text[8192];

	if (read_text("/proc/stat", text, sizeof(text)) > 0)
		printf("%ld switches, %ld interrupts, %ld threads made, %ld running\n",
		       number_after(text, "\nctxt"), number_after(text, "\nintr"),
		       number_after(text, "\nprocesses"), number_after(text, "\nprocs_running"));
	if (read_text("/proc/interrupts", text, sizeof(text)) > 0)
		fputs(text, stdout);
}

int main(int argc, char **argv)
{
	struct screen screen;

	if (!screen_begin(&screen, argc, argv))
		errx(2, "usage: schedtop [-b] [-n pictures] [-d seconds]");
	while (screen_next(&screen)) {
		size_t n;
		struct task *tasks = read_tasks("/proc", &n);

		if (!tasks)
			err(1, "/proc");
		show_system();
		puts("  PID   TID S CPU PRIO   RUN-MS SWITCHES PREEMPTS MIGRAT  STACK WAITS-IN"
		     "             NAME");
		for (size_t i = 0; i < n; i++)
			show_process(&tasks[i]);
		free(tasks);
		screen_wait(&screen);
	}
	return 0;
}
