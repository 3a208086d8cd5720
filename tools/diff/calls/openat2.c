/* openat2(): the flags of open() by a structure, and paths that must not lead everywhere. */
#include "diff.h"

struct linux_open_how {
	uint64_t flags, mode, resolve;
};

enum { NO_XDEV = 1, NO_MAGICLINKS = 2, NO_SYMLINKS = 4, BENEATH = 8, IN_ROOT = 16, CACHED = 32 };

static struct linux_open_how *how(uint64_t flags, uint64_t mode, uint64_t resolve)
{
	static struct linux_open_how h;

	h = (struct linux_open_how){ flags, mode, resolve };
	return &h;
}

/* Opened and closed again: 0 or the error. */
static long try(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	long fd = R(openat2, dir, path, how(flags, 0, resolve), sizeof(struct linux_open_how));

	if (fd >= 0)
		R(close, fd);
	return fd < 0 ? fd : 0;
}

/* Each path with each way of going, as one line. */
static void show(int dir, const char *path)
{
	static const int ways[] = { 0, NO_MAGICLINKS, NO_SYMLINKS, BENEATH, IN_ROOT };
	char line[256] = "";

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		strcat(line, " ");
		strcat(line, error_name(-try(dir, path, O_RDONLY, ways[i])));
	}
	say("%s:%s", path, line);
}

CASE(as_openat)
{
	struct stat st;

	T(openat2, AT_FDCWD, "f", how(O_CREAT | O_RDWR, 0640, 0), 24);
	Q(fstat, 3, &st);
	O(st.st_mode);
	V(R(fcntl, 3, F_GETFL) & O_ACCMODE);
	T(openat2, AT_FDCWD, "f", how(O_CREAT | O_EXCL, 0600, 0), 24);
	T(openat2, AT_FDCWD, "gone", how(0, 0, 0), 24);
	T(openat2, AT_FDCWD, "f", how(O_CLOEXEC, 0, 0), 24);
	T(fcntl, 4, F_GETFD);
	T(openat2, AT_FDCWD, ".", how(O_TMPFILE | O_RDWR, 0600, 0), 24);
	T(openat2, 77, "f", how(0, 0, 0), 24);
	T(openat2, AT_FDCWD, BAD, how(0, 0, 0), 24);
	T(openat2, AT_FDCWD, "", how(0, 0, 0), 24);
}

CASE(errors)
{
	char more[4096] = { 0 };

	file("f", "");
	T(openat2, AT_FDCWD, "f", how(0, 0, 0), 24);	/* what it has read is not used again */
	T(openat2, AT_FDCWD, "f", how(0, 0, 0), 0);
	T(openat2, AT_FDCWD, "f", how(0, 0, 0), 23);
	T(openat2, AT_FDCWD, "f", more, 25);
	T(openat2, AT_FDCWD, "f", more, sizeof(more));
	T(openat2, AT_FDCWD, "f", more, sizeof(more) + 1);
	more[100] = 1;
	T(openat2, AT_FDCWD, "f", more, sizeof(more));
	T(openat2, AT_FDCWD, "f", BAD, 24);
	T(openat2, AT_FDCWD, "f", BAD, 23);
	T(openat2, AT_FDCWD, "f", NULL, 5000);
	T(openat2, AT_FDCWD, BAD, how(1UL << 31, 0, 0), 24);
	for (int i = 0; i < 34; i++)
		say("flag %d: %s", i, error_name(-try(AT_FDCWD, "f", 1UL << i, 0)));
	for (int i = 0; i < 8; i++)
		say("way %d: %s", i, error_name(-try(AT_FDCWD, "f", 0, 1UL << i)));
	T(openat2, AT_FDCWD, "f", how(O_RDONLY, 0600, 0), 24);
	T(openat2, AT_FDCWD, "new", how(O_CREAT, 010000, 0), 24);
	T(openat2, AT_FDCWD, "new", how(O_CREAT, 07777, 0), 24);
	T(openat2, AT_FDCWD, "new", how(O_CREAT | O_DIRECTORY, 0600, 0), 24);
	T(openat2, AT_FDCWD, "new", how(O_PATH | O_RDWR, 0, 0), 24);
	T(openat2, AT_FDCWD, "new", how(O_PATH | O_CREAT, 0600, 0), 24);
	T(openat2, AT_FDCWD, "new", how(O_PATH | O_CLOEXEC | O_NOFOLLOW, 0, 0), 24);
	T(openat2, AT_FDCWD, "f", how(0, 0, BENEATH | IN_ROOT), 24);
	T(openat2, AT_FDCWD, "f", how(0, 0, CACHED), 24);
	T(openat2, AT_FDCWD, "f", how(O_CREAT, 0600, CACHED), 24);
	T(openat2, AT_FDCWD, "f", how(O_TRUNC | O_RDWR, 0, CACHED), 24);
	T(openat2, AT_FDCWD, ".", how(O_TMPFILE | O_RDONLY, 0600, 0), 24);
	T(openat2, AT_FDCWD, ".", how((O_TMPFILE & ~O_DIRECTORY) | O_RDWR, 0600, 0), 24);
}

/* Each byte of what the kernel does not know counts, whatever the size. */
CASE(unknown_bytes)
{
	char more[64] = { 0 };

	file("f", "");
	for (size_t size = 25; size <= 42; size++) {
		int refused = 0;

		for (size_t i = 24; i < size; i++) {
			more[i] = i % 2 ? 1 : 0x80;
			refused += R(openat2, AT_FDCWD, "f", more, size) == -E2BIG;
			more[i] = 0;
		}
		say("%zu bytes more: %d refused", size - 24, refused);
	}
}

CASE(ways)
{
	char own[PAGE];
	int dir;

	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(mkdirat, AT_FDCWD, "d/e", 0700);
	Q(mkdirat, AT_FDCWD, "d/tmp", 0700);
	file("f", "");
	file("d/g", "");
	Q(symlinkat, "g", AT_FDCWD, "d/to_g");
	Q(symlinkat, "../f", AT_FDCWD, "d/to_f");
	Q(symlinkat, "e/../g", AT_FDCWD, "d/round");
	Q(symlinkat, "/g", AT_FDCWD, "d/from_root");
	Q(symlinkat, "/", AT_FDCWD, "d/root");
	Q(symlinkat, "/proc/self", AT_FDCWD, "d/self");
	Q(symlinkat, "e", AT_FDCWD, "d/to_e");
	Q(symlinkat, "loop", AT_FDCWD, "d/loop");
	dir = Q(openat, AT_FDCWD, "d", O_PATH);
	show(dir, ".");
	show(dir, "g");
	show(dir, "e");
	show(dir, "e/..");
	show(dir, "e/../g");
	show(dir, "..");
	show(dir, "../f");
	show(dir, "../d/g");
	show(dir, "e/../../d/g");
	show(dir, "gone");
	show(dir, "gone/../..");
	show(dir, "g/..");
	show(dir, "to_g");
	show(dir, "to_f");
	show(dir, "round");
	show(dir, "from_root");
	show(dir, "root");
	show(dir, "root/proc/self");
	show(dir, "to_e");
	show(dir, "to_e/");
	show(dir, "to_e/../g");
	show(dir, "loop");
	show(dir, "/g");
	show(dir, "/");
	show(dir, "/..");
	show(dir, "/tmp");
	show(AT_FDCWD, "/dev/null");
	show(AT_FDCWD, "/proc/self/fd/0");
	show(AT_FDCWD, "/proc/self/cwd");
	show(AT_FDCWD, "/proc/self/cwd/f");
	show(AT_FDCWD, "/proc/self/exe");
	show(AT_FDCWD, "/proc");
	T(openat2, dir, "from_root", how(O_CREAT | O_RDWR, 0600, IN_ROOT), 24);
	T(openat2, dir, "../new", how(O_CREAT | O_RDWR, 0600, IN_ROOT), 24);
	T(openat2, dir, "../other", how(O_CREAT | O_RDWR, 0600, BENEATH), 24);
	T(openat2, dir, "to_f", how(O_CREAT | O_RDWR, 0600, NO_SYMLINKS), 24);
	T(openat2, dir, "to_f", how(O_PATH | O_NOFOLLOW, 0, NO_SYMLINKS), 24);
	T(openat2, dir, "to_f", how(O_RDONLY | O_NOFOLLOW, 0, NO_SYMLINKS), 24);
	T(openat2, dir, "to_f", how(O_PATH | O_NOFOLLOW, 0, BENEATH), 24);
	T(faccessat, dir, "new", 0);
	snprintf(own, sizeof(own), "/proc/self/fd/%d", dir);
	show(AT_FDCWD, own);
	show(Q(openat, AT_FDCWD, "f", O_RDONLY), "x");
}

/* Where file systems are mounted differs from machine to machine, but /proc is one. */
CASE(other_file_systems)
{
	int dir = Q(openat, AT_FDCWD, "/proc", O_PATH);

	Q(mkdirat, AT_FDCWD, "d", 0700);
	T(openat2, AT_FDCWD, "d", how(0, 0, NO_XDEV), 24);
	T(openat2, AT_FDCWD, "d/..", how(0, 0, NO_XDEV), 24);
	T(openat2, AT_FDCWD, "/", how(0, 0, NO_XDEV), 24);
	T(openat2, AT_FDCWD, "/proc", how(0, 0, NO_XDEV), 24);
	T(openat2, AT_FDCWD, "/proc/version", how(0, 0, NO_XDEV), 24);
	T(openat2, AT_FDCWD, "/proc/..", how(0, 0, NO_XDEV), 24);
	T(openat2, AT_FDCWD, "/proc/self/cwd", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, ".", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "..", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "version", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "self/stat", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "self/cwd", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "self/cwd/d", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "self/root", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "self/fd/0", how(0, 0, NO_XDEV), 24);
	T(openat2, dir, "version", how(0, 0, BENEATH | NO_XDEV), 24);
	T(openat2, dir, "self/stat", how(0, 0, BENEATH), 24);
	T(openat2, dir, "self/../version", how(0, 0, BENEATH), 24);
	T(openat2, dir, "self/../..", how(0, 0, BENEATH), 24);
	T(openat2, dir, "self/../../version", how(0, 0, IN_ROOT), 24);
	T(openat2, dir, "..", how(0, 0, IN_ROOT | NO_XDEV), 24);
	T(openat2, dir, "self/cwd", how(0, 0, IN_ROOT), 24);
	T(openat2, dir, "self/cwd", how(0, 0, BENEATH | NO_SYMLINKS), 24);
}
