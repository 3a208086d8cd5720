/*
 * timeout [-s signal] [-k time] [--preserve-status] TIME command [argument...]: runs the command,
 * and sends it TERM, or the given signal, if it has not ended by then. -k: also send KILL, that
 * much later; -f: the command may read from the terminal. Status 124: it took too long; 126, 127:
 * it could not be run, or not be found; otherwise the command's own.
 */
#include <err.h>
#include <errno.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "durations.h"
#include "options.h"
#include "signals.h"

static volatile sig_atomic_t child, late;
static int sig = SIGTERM;
static double kill_after;
static bool foreground;

static void start_timer(double seconds)
{
	struct itimerval t = { .it_value.tv_sec = (time_t)seconds };

	t.it_value.tv_usec = (seconds - (time_t)seconds) * 1e6;
	setitimer(ITIMER_REAL, &t, NULL);
}

static void time_is_up(int alarm_signal)
{
	(void)alarm_signal;
	if (late)
		sig = SIGKILL;
	kill(child, sig);
	if (sig != SIGKILL)
		kill(child, SIGCONT);
	if (!foreground) {
		/* the signal goes to the command's own children, too; and to us, if it is KILL */
		signal(sig, SIG_IGN);
		signal(SIGCONT, SIG_IGN);
		kill(0, sig);
		kill(0, SIGCONT);
	}
	if (!late && kill_after > 0)
		start_timer(kill_after);
	late = true;
}

static double duration(char **argv, const char *text)
{
	double seconds;

	if (!read_duration(text, &seconds)) {
		warnx("invalid time interval '%s'", text);
		bad_usage(argv, 125);
	}
	return seconds;
}

static const struct options options = {
	.letters = "+s:k:pfv",
	.names = "s:signal k:kill-after p:preserve-status f:foreground v:verbose",
	.bad = 125,
};

int main(int argc, char **argv)
{
	bool preserve = false;
	double seconds;
	int status, c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		preserve |= c == 'p';
		foreground |= c == 'f';
		if (c == 'k')
			kill_after = duration(argv, optarg);
		if (c == 's' && (sig = signal_named(optarg)) < 0) {
			warnx("'%s': invalid signal", optarg);
			bad_usage(argv, 125);
		}
	}
	if (argc - optind < 2)
		bad_usage(argv, 125);
	seconds = duration(argv, argv[optind++]);
	if (!foreground)
		setpgid(0, 0);
	signal(SIGTTIN, SIG_IGN);
	signal(SIGTTOU, SIG_IGN);
	signal(SIGALRM, time_is_up);
	child = fork();
	if (child < 0)
		err(125, "fork system call failed");
	if (child == 0) {
		signal(SIGALRM, SIG_DFL);
		signal(SIGTTIN, SIG_DFL);
		signal(SIGTTOU, SIG_DFL);
		execvp(argv[optind], argv + optind);
		warn("failed to run command '%s'", argv[optind]);
		_exit(errno == ENOENT ? 127 : 126);
	}
	if (seconds > 0)
		start_timer(seconds);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			err(125, "error waiting for command");
	if (late && !preserve)
		return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 137 : 124;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
