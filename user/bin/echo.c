/* echo [-n] [word...]: prints the words with spaces between them; -n: without a newline. */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	int newline = argc < 2 || strcmp(argv[1], "-n");

	for (int i = newline ? 1 : 2; i < argc; i++)
		printf("%s%s", argv[i], i + 1 < argc ? " " : "");
	if (newline)
		putchar('\n');
	return fflush(stdout) ? 1 : 0;
}
