/* pwd: prints the current folder. */
#include <err.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	char *path = getcwd(NULL, 0);

	if (!path)
		err(1, "cannot tell");
	puts(path);
	return 0;
}
