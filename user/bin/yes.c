/* yes [word]: prints the word, or "y", again and again. */
#include <stdio.h>

int main(int argc, char **argv)
{
	while (puts(argc > 1 ? argv[1] : "y") != EOF)
		;
	return 1;
}
