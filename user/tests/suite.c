/*
 * The quick tests of threads, processes and waiting, one after the other. Labs boot it as the first
 * process: a kernel with a lab's functions must still run what other programs rely on.
 *
 * So it collects every orphan, as init does: a test compares counts of processes.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const names[] = {
	"thread", "mutex", "cond", "semaphore", "fork", "family", "signal", "stop",
	"interrupt", "context",
};

/* Returns the status of the program @path, as wait() gives it; -1 if there is none. */
static int run(const char *path)
{
	pid_t child = fork(), got;
	int status;

	if (child == 0) {
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	do
		got = wait(&status);
	while (got != child && got != -1);
	return got == child ? status : -1;
}

int main(void)
{
	bool failed = false;
	char path[256], *name;
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n < 0) {
		perror("suite: /proc/self/exe");
		return 2;
	}
	path[n] = '\0';
	name = strrchr(path, '/') + 1;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int status;

		snprintf(name, (size_t)(path + sizeof(path) - name), "%s", names[i]);
		status = run(path);
		if (status) {
			printf("FAIL suite: %s ended with status %#x\n", names[i],
			       (unsigned)status);
			failed = true;
		}
	}
	return failed;
}
