/*
 * pstree: shows the processes as a tree. A number says how many threads a process has, if several.
 */
#include <err.h>

#include "proc.h"

static struct task *tasks;
static size_t count;

/* Shows @t and its children. @prefix holds the lines that come down from above. */
static void show(const struct task *t, const char *prefix, bool last, bool top)
{
	size_t left = 0;
	char deeper[256];

	for (size_t i = 0; i < count; i++)
		left += tasks[i].parent == t->id;
	printf("%s%s%s(%d)", prefix, top ? "" : last ? "`-" : "|-", t->name, t->id);
	if (t->threads > 1)
		printf(" %d threads", t->threads);
	putchar('\n');
	snprintf(deeper, sizeof(deeper), "%.250s%s", prefix, top ? "" : last ? "  " : "| ");
	for (size_t i = 0; i < count && left; i++)
		if (tasks[i].parent == t->id)
			show(&tasks[i], deeper, --left == 0, false);
}

int main(void)
{
	tasks = read_tasks("/proc", &count);
	if (!tasks)
		err(1, "/proc");
	for (size_t i = 0; i < count; i++)
		if (tasks[i].parent == 0)
			show(&tasks[i], "", true, true);
	free(tasks);
	return 0;
}
