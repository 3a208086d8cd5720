/* Paths and links about as long as they can be. */
#include "diff.h"

/* How a file is called that has no name any more, where the name and the mark hardly have room. */
CASE(name_of_deleted)
{
	char name[256], number[12];
	int links = Q(openat, AT_FDCWD, "/proc/self/fd", O_RDONLY);

	Q(chroot, ".");
	memset(name, 'n', 199);
	name[199] = 0;
	for (int i = 0; i < 20; i++) {
		Q(mkdirat, AT_FDCWD, name, 0755);
		Q(chdir, name);
	}
	for (int n = 78; n < 98; n++) {
		int fd;

		memset(name, 'f', n);
		name[n] = 0;
		fd = Q(openat, AT_FDCWD, name, O_CREAT | O_RDWR, 0644);
		snprintf(number, sizeof(number), "%d", fd);
		say("%d", n);
		T(readlinkat, links, number, buf, 8 * PAGE);
		Q(unlinkat, AT_FDCWD, name, 0);
		T(readlinkat, links, number, buf, 8 * PAGE);
		Q(close, fd);
	}
	T(getcwd, buf, 4001);
	T(getcwd, buf, 4000);
	Q(mkdirat, AT_FDCWD, name, 0755);
	Q(chdir, name);
	T(getcwd, buf, 8 * PAGE);
	T(getcwd, buf, 100);
}

CASE(link)
{
	static char target[4096];

	for (int n = 1; n < 4096; n = n * 4 - 1) {
		memset(target, 'x', n);
		target[n] = 0;
		Q(symlinkat, target, AT_FDCWD, "long");
		T(readlinkat, AT_FDCWD, "long", buf, PAGE);
		V(memcmp(buf, target, n) == 0 && !buf[n]);
		T(readlinkat, AT_FDCWD, "long", buf, n);
		Q(unlinkat, AT_FDCWD, "long", 0);
		memset(buf, 0, PAGE);
	}
}
