/*
 * time command [argument...]: runs the command, and reports how long it took and how much CPU time
 * it used.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, double seconds)
{
	fprintf(stderr, "%-5s%.6f\n", what, seconds);
}

static double of_timeval(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		errx(2, "usage: time command [argument...]");
	clock_gettime(CLOCK_MONOTONIC, &start);
	pid = fork();
	if (pid < 0)
		err(126, "fork");
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		err(errno == ENOENT ? 127 : 126, "%s", argv[1]);
	}
	if (wait4(pid, &status, 0, &usage) < 0)
		err(126, "wait4");
	clock_gettime(CLOCK_MONOTONIC, &end);
	show("real", (end.tv_sec - start.tv_sec) + (end.tv_nsec - start.tv_nsec) / 1e9);
	show("user", of_timeval(usage.ru_utime));
	show("sys", of_timeval(usage.ru_stime));
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
