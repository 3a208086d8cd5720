/* readlink path...: where symbolic links lead. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char target[4096];
	int status = argc < 2;

	for (int i = 1; i < argc; i++) {
		ssize_t n = readlink(argv[i], target, sizeof(target));

		if (n < 0)
			status = 1;
		else
			printf("%.*s\n", (int)n, target);
	}
	return status;
}
