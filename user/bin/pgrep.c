/*
 * pgrep [-aclfnovx] [-P parent] [-g group] [-s session] [-u user] [pattern]: prints the ids of
 * processes whose names match. -l: with the name, -a: with the command line; -f: match the command
 * line; -x: match all of it; -c: print only how many; -n, -o: the newest, the oldest; -v: those
 * that do not match.
 */
#include "matching.h"

static const struct options options = {
	.letters = "acflnovxP:g:s:u:U:",
	.names = "a:list-full c:count f:full l:list-name n:newest o:oldest v:inverse x:exact "
		 "P:parent g:pgroup s:session u:euid U:uid",
	.bad = 2,
};

static void show(const struct task *t, char how)
{
	char text[512];

	command_of(t, how == 'a', text, sizeof(text));
	if (how)
		printf("%d %s\n", t->id, text);
	else
		printf("%d\n", t->id);
}

int main(int argc, char **argv)
{
	struct wish w = { .parent = -1, .group = -1, .session = -1, .uid = -1 };
	const struct task *only = NULL;
	char how = 0, which = 0;
	bool count = false;
	size_t n, found = 0;
	struct task *tasks;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		take_wish(&w, c);
		how = c == 'a' || c == 'l' ? c : how;
		which = c == 'n' || c == 'o' ? c : which;
		count |= c == 'c';
	}
	finish_wish(&w, argc, argv);
	tasks = read_tasks("/proc", &n);
	for (size_t i = 0; tasks && i < n; i++) {
		if (!matches(&w, &tasks[i]))
			continue;
		found++;
		if (which == 'n' || !only)
			only = &tasks[i];
		if (!which && !count)
			show(&tasks[i], how);
	}
	if (which && only && !count)
		show(only, how);
	if (count)
		printf("%zu\n", found);
	return !found;
}
