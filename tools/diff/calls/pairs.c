/* The engine of pairs.h. */
#include <grp.h>

#include "pairs.h"
#include "run.h"

enum { DIED = 1 << 20, LINE = 2048 };

void become_user(void)
{
	Q(setgroups, 0, NULL);
	Q(setresgid, USER, USER, USER);
	Q(setresuid, USER, USER, USER);
}

/* So that a machine whose root lacks it answers the same. */
void drop_cap(int cap)
{
	unsigned head[2] = { 0x20080522, 0 }, sets[2][3];

	Q(capget, head, sets);
	sets[cap / 32][0] &= ~(1U << cap % 32);
	sets[cap / 32][1] &= ~(1U << cap % 32);
	Q(capset, head, sets);
}

/*
 * Each call has an answer of its own: where it makes a second process, that one answers, too,
 * perhaps only after the next call has.
 */
long answer_of_child(long number, const long a[6], int as_user)
{
	static unsigned calls;
	long *answer = child_answer(calls++);
	pid_t pid = child();
	int status;

	if (!pid) {
		if (as_user)
			become_user();
		*answer = ask(number, a);
		end(0);
	}
	status = reap(pid);
	return status ? -(DIED + (status & 0x7f)) : *answer;
}

static long asked(long number, const long a[6], int as_user)
{
	long answer = answer_of_child(number, a, as_user);

	return answer < 0 ? -answer : 0;
}

const char *asked_name(long result)
{
	if (result >= DIED)
		return signal_name(result - DIED);
	return result ? error_name(result) : "ok";
}

/* All values of argument @i with all values of @j. */
static void table(char *line, long number, const struct values *args, int n, int i, int j,
		  int as_user)
{
	long a[6] = { 0 };

	*line = 0;
	for (int k = 0; k < n; k++)
		a[k] = args[k].v[0];
	for (int x = 0; x < args[i].n; x++) {
		strcat(line, x ? " |" : "");
		a[i] = args[i].v[x];
		for (int y = 0; y < (i == j ? 1 : args[j].n); y++) {
			if (i != j)
				a[j] = args[j].v[y];
			strcat(line, " ");
			strcat(line, asked_name(asked(number, a, as_user)));
		}
	}
}

static void show(long number, const struct values *args, int n, int i, int j)
{
	static char roots[LINE], users[LINE];
	char which[8];

	table(roots, number, args, n, i, j, 0);
	table(users, number, args, n, i, j, 1);
	snprintf(which, sizeof(which), i == j ? "%d" : "%d %d", i + 1, j + 1);
	if (strcmp(roots, users))
		say("    %s:%s || user:%s", which, roots, users);
	else
		say("    %s:%s", which, roots);
}

void pairs(const char *name, long number, const struct values *args, int n)
{
	int varied = 0;

	say("%s", name);
	for (int i = 0; i < n; i++) {
		say("    %d of %s", i + 1, args[i].names);
		varied += args[i].n > 1;
	}
	for (int i = 0; i < n; i++) {
		if (args[i].n == 1)
			continue;
		if (varied == 1)
			show(number, args, n, i, i);
		for (int j = i + 1; j < n; j++)
			if (args[j].n > 1)
				show(number, args, n, i, j);
	}
}
