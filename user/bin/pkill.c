/*
 * pkill [-signal] [-efvx] [-P parent] [-g group] [-s session] [-u user] [pattern]: sends TERM, or
 * the given signal, to processes whose names match, as pgrep finds them. -e: say to which.
 */
#include "matching.h"
#include "signals.h"

static const struct options options = {
	.letters = "efnovxP:g:s:u:U:",
	.names = "e:echo f:full v:inverse x:exact P:parent g:pgroup s:session u:euid U:uid",
	.bad = 2,
};

/* Removes "-KILL" or "-9" from the arguments. Returns the signal. */
static int take_signal(int *argc, char **argv)
{
	int sig = *argc > 1 && argv[1][0] == '-' ? signal_named(argv[1] + 1) : -1;

	if (sig < 0)
		return SIGTERM;
	for (int i = 1; i < *argc; i++)
		argv[i] = argv[i + 1];
	--*argc;
	return sig;
}

int main(int argc, char **argv)
{
	struct wish w = { .parent = -1, .group = -1, .session = -1, .uid = -1 };
	int sig = take_signal(&argc, argv), c;
	bool tell = false, found = false;
	struct task *tasks;
	size_t n;

	while ((c = next_option(argc, argv, &options)) != -1) {
		take_wish(&w, c);
		tell |= c == 'e';
	}
	finish_wish(&w, argc, argv);
	tasks = read_tasks("/proc", &n);
	for (size_t i = 0; tasks && i < n; i++) {
		if (!matches(&w, &tasks[i]))
			continue;
		if (kill(tasks[i].id, sig)) {
			warn("killing pid %d failed", tasks[i].id);
			continue;
		}
		found = true;
		if (tell)
			printf("%s killed (pid %d)\n", tasks[i].name, tasks[i].id);
	}
	return !found;
}
