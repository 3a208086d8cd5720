/* Names: making, linking, removing, renaming, reading links, the current directory. */
#include "diff.h"

static void dir(const char *name)
{
	Q(mkdirat, AT_FDCWD, name, 0755);
}

static char *repeat(char c, size_t n)
{
	static char text[3 * PAGE];

	memset(text, c, n);
	text[n] = 0;
	return text;
}

CASE(mkdir)
{
	T(mkdirat, AT_FDCWD, "d", 0755);
	T(mkdirat, AT_FDCWD, "d", 0755);
	T(mkdirat, AT_FDCWD, "d/", 0755);
	T(mkdirat, AT_FDCWD, "e/", 0755);
	T(mkdirat, AT_FDCWD, "gone/e", 0755);
	T(mkdirat, AT_FDCWD, "", 0755);
	T(mkdirat, AT_FDCWD, ".", 0755);
	T(mkdirat, AT_FDCWD, "..", 0755);
	T(mkdirat, AT_FDCWD, "/", 0755);
	T(mkdirat, AT_FDCWD, "d/.", 0755);
	T(mkdirat, AT_FDCWD, "x/..", 0755);
	T(mkdirat, AT_FDCWD, BAD, 0755);
	file("f", "");
	T(mkdirat, AT_FDCWD, "f", 0755);
	T(mkdirat, AT_FDCWD, "f/x", 0755);
	Q(symlinkat, "gone", AT_FDCWD, "l");
	T(mkdirat, AT_FDCWD, "l", 0755);
	T(mkdirat, 3, "x", 0755);
}

CASE(mkdir_mode)
{
	struct stat st;

	T(umask, 022);
	T(mkdirat, AT_FDCWD, "a", 07777);
	T(newfstatat, AT_FDCWD, "a", &st, 0);
	O(st.st_mode);
	V(st.st_nlink);
	T(mkdirat, AT_FDCWD, "a/b", 0);
	T(newfstatat, AT_FDCWD, "a", &st, 0);
	V(st.st_nlink);
	T(mkdirat, AT_FDCWD, "c", 0100000);
	T(newfstatat, AT_FDCWD, "c", &st, 0);
	O(st.st_mode);
}

CASE(unlink)
{
	file("f", "x");
	dir("d");
	dir("d/e");
	Q(symlinkat, "f", AT_FDCWD, "l");
	T(unlinkat, AT_FDCWD, "gone", 0);
	T(unlinkat, AT_FDCWD, "d", 0);
	T(unlinkat, AT_FDCWD, "d", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, "f", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, "f/", 0);
	T(unlinkat, AT_FDCWD, "l/", 0);
	T(unlinkat, AT_FDCWD, "l", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, "l", 0);
	T(unlinkat, AT_FDCWD, "f", 1);
	T(unlinkat, AT_FDCWD, "f", 0);
	T(unlinkat, AT_FDCWD, "d/e/.", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, "d/e/..", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, "d/e/", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, ".", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, ".", 0);
	T(unlinkat, AT_FDCWD, "..", 0);
	T(unlinkat, AT_FDCWD, "/", AT_REMOVEDIR);
	T(unlinkat, AT_FDCWD, "/", 0);
	T(unlinkat, AT_FDCWD, "", 0);
	T(unlinkat, AT_FDCWD, BAD, 0);
	T(read, 3, buf, 1);
}

CASE(removed_directory)
{
	struct stat st;

	dir("d");
	Q(chdir, "d");
	T(unlinkat, AT_FDCWD, "../d", AT_REMOVEDIR);
	T(getcwd, buf, PAGE);
	T(openat, AT_FDCWD, "x", O_CREAT | O_RDWR, 0600);
	T(mkdirat, AT_FDCWD, "x", 0700);
	T(symlinkat, "a", AT_FDCWD, "x");
	T(openat, AT_FDCWD, ".", O_RDONLY);
	T(getdents64, 3, buf, PAGE);
	T(fstat, 3, &st);
	V(st.st_nlink);
	T(chdir, "..");
	T(chdir, "d");
}

CASE(link)
{
	struct stat st;

	file("f", "abc");
	dir("d");
	Q(symlinkat, "f", AT_FDCWD, "l");
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "g", 0);
	T(newfstatat, AT_FDCWD, "g", &st, 0);
	V(st.st_nlink);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "g", 0);
	T(linkat, AT_FDCWD, "d", AT_FDCWD, "e", 0);
	T(linkat, AT_FDCWD, "gone", AT_FDCWD, "e", 0);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "gone/e", 0);
	T(linkat, AT_FDCWD, "l", AT_FDCWD, "m", 0);
	T(newfstatat, AT_FDCWD, "m", &st, AT_SYMLINK_NOFOLLOW);
	V(S_ISLNK(st.st_mode));
	V(st.st_nlink);
	T(linkat, AT_FDCWD, "l", AT_FDCWD, "n", AT_SYMLINK_FOLLOW);
	T(newfstatat, AT_FDCWD, "n", &st, AT_SYMLINK_NOFOLLOW);
	V(S_ISREG(st.st_mode));
	V(st.st_nlink);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "o", 1);
	T(linkat, 3, "", AT_FDCWD, "p", AT_EMPTY_PATH);
	T(linkat, AT_FDCWD, "", AT_FDCWD, "q", 0);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "", 0);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "d/", 0);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "new/", 0);
	T(linkat, AT_FDCWD, "f", AT_FDCWD, "/proc/x", 0);
	T(linkat, AT_FDCWD, "/proc/self/stat", AT_FDCWD, "y", 0);
}

CASE(symlink)
{
	T(symlinkat, "target", AT_FDCWD, "l");
	T(symlinkat, "target", AT_FDCWD, "l");
	T(symlinkat, "", AT_FDCWD, "m");
	T(symlinkat, "x", AT_FDCWD, "");
	T(symlinkat, "x", AT_FDCWD, "gone/m");
	T(symlinkat, "x", AT_FDCWD, "m/");
	T(symlinkat, BAD, AT_FDCWD, "m");
	T(symlinkat, "x", AT_FDCWD, BAD);
	T(symlinkat, repeat('x', PAGE), AT_FDCWD, "m");
	T(symlinkat, repeat('x', PAGE - 1), AT_FDCWD, "m");
}

CASE(readlink)
{
	struct stat st;

	Q(symlinkat, "target", AT_FDCWD, "l");
	file("f", "");
	T(readlinkat, AT_FDCWD, "l", buf, 100);
	S(buf);
	T(readlinkat, AT_FDCWD, "l", buf, 3);
	T(readlinkat, AT_FDCWD, "l", buf, 0);
	T(readlinkat, AT_FDCWD, "l", buf, -1);
	T(readlinkat, AT_FDCWD, "l", BAD, 10);
	T(readlinkat, AT_FDCWD, "f", buf, 10);
	T(readlinkat, AT_FDCWD, "f", buf, 0);
	T(readlinkat, AT_FDCWD, ".", buf, 10);
	T(readlinkat, AT_FDCWD, "gone", buf, 10);
	T(readlinkat, AT_FDCWD, "", buf, 10);
	T(readlinkat, 3, "", buf, 10);
	T(openat, AT_FDCWD, "l", O_PATH | O_NOFOLLOW);
	T(readlinkat, 4, "", buf, 10);
	T(newfstatat, AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW);
	O(st.st_mode);
	V(st.st_size);
}

CASE(rename_files)
{
	file("a", "a");
	file("b", "b");
	dir("d");
	dir("e");
	dir("e/full");
	T(renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 0);
	T(faccessat, AT_FDCWD, "a", F_OK);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "b", 0);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "d", 0);
	T(renameat2, AT_FDCWD, "d", AT_FDCWD, "b", 0);
	T(renameat2, AT_FDCWD, "d", AT_FDCWD, "e", 0);
	T(renameat2, AT_FDCWD, "e", AT_FDCWD, "d", 0);
	T(renameat2, AT_FDCWD, "d", AT_FDCWD, "d/full/x", 0);
	T(renameat2, AT_FDCWD, "d/full", AT_FDCWD, "d", 0);
	T(renameat2, AT_FDCWD, "d", AT_FDCWD, "d/full", 0);
	T(renameat2, AT_FDCWD, "gone", AT_FDCWD, "x", 0);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "gone/x", 0);
	T(renameat2, AT_FDCWD, ".", AT_FDCWD, "x", 0);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "..", 0);
	T(renameat2, AT_FDCWD, "/", AT_FDCWD, "/x", 0);
	T(renameat2, AT_FDCWD, "d/.", AT_FDCWD, "x", 0);
	T(renameat2, AT_FDCWD, "", AT_FDCWD, "x", 0);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "", 0);
	T(renameat2, AT_FDCWD, "b/", AT_FDCWD, "x", 0);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "x/", 0);
	T(renameat2, AT_FDCWD, "d/", AT_FDCWD, "y/", 0);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "/proc/x", 0);
}

CASE(rename_flags)
{
	struct stat st;

	file("a", "a");
	file("b", "bb");
	dir("d");
	T(renameat2, AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE);
	T(renameat2, AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE);
	T(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", RENAME_EXCHANGE);
	T(newfstatat, AT_FDCWD, "b", &st, 0);
	V(st.st_size);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "d", RENAME_EXCHANGE);
	T(newfstatat, AT_FDCWD, "b", &st, 0);
	V(S_ISDIR(st.st_mode));
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "gone", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", RENAME_EXCHANGE | RENAME_NOREPLACE);
	T(renameat2, AT_FDCWD, "c", AT_FDCWD, "b", 0x80);
	T(renameat2, AT_FDCWD, "b", AT_FDCWD, "b/x", RENAME_EXCHANGE);
	T(renameat2, AT_FDCWD, ".", AT_FDCWD, "b", RENAME_NOREPLACE);
}

CASE(rename_same_inode)
{
	file("a", "a");
	Q(linkat, AT_FDCWD, "a", AT_FDCWD, "b", 0);
	T(renameat2, AT_FDCWD, "a", AT_FDCWD, "b", 0);
	T(faccessat, AT_FDCWD, "a", F_OK);
	T(faccessat, AT_FDCWD, "b", F_OK);
}

CASE(long_names)
{
	T(openat, AT_FDCWD, repeat('n', 255), O_CREAT | O_RDWR, 0600);
	T(openat, AT_FDCWD, repeat('n', 256), O_CREAT | O_RDWR, 0600);
	T(openat, AT_FDCWD, repeat('/', 4094), O_RDONLY);
	T(openat, AT_FDCWD, repeat('/', 4095), O_RDONLY);
	T(openat, AT_FDCWD, repeat('/', 4096), O_RDONLY);
	T(mkdirat, AT_FDCWD, repeat('m', 256), 0700);
	T(unlinkat, AT_FDCWD, repeat('m', 256), 0);
	T(faccessat, AT_FDCWD, repeat('m', 256), 0);
	T(chdir, repeat('m', 256));
	T(chdir, repeat('m', 4096));
}

CASE(name_at_the_edge)
{
	char *e = edge(3);

	memcpy(e, "a/", 3);
	T(mkdirat, AT_FDCWD, e, 0700);
	e[2] = 'b';
	T(mkdirat, AT_FDCWD, e, 0700);
}

CASE(dots)
{
	dir("d");
	file("f", "");
	T(openat, AT_FDCWD, "d/./../d/.//.", O_RDONLY);
	T(openat, AT_FDCWD, "f/.", O_RDONLY);
	T(openat, AT_FDCWD, "f/..", O_RDONLY);
	T(openat, AT_FDCWD, "gone/..", O_RDONLY);
	T(openat, AT_FDCWD, "/../../dev/../dev/null", O_RDONLY);
	T(chdir, "d/..//d");
	T(openat, AT_FDCWD, "../f", O_RDONLY);
}

CASE(symlink_chains)
{
	char name[8], target[8] = "f";

	file("f", "");
	for (int i = 1; i <= 41; i++) {
		snprintf(name, sizeof(name), "l%d", i);
		Q(symlinkat, target, AT_FDCWD, name);
		strcpy(target, name);
	}
	T(openat, AT_FDCWD, "l1", O_RDONLY);
	T(openat, AT_FDCWD, "l39", O_RDONLY);
	T(openat, AT_FDCWD, "l40", O_RDONLY);
	T(openat, AT_FDCWD, "l41", O_RDONLY);
	T(openat, AT_FDCWD, "l41", O_RDONLY | O_NOFOLLOW);
	T(unlinkat, AT_FDCWD, "l41", 0);
}

CASE(chdir)
{
	file("f", "");
	dir("d");
	Q(symlinkat, "d", AT_FDCWD, "l");
	T(chdir, "f");
	T(chdir, "gone");
	T(chdir, "");
	T(chdir, BAD);
	T(chdir, "l");
	OK(getcwd, buf, PAGE);
	V(!strcmp(strrchr(buf, '/'), "/d"));
	T(fchdir, 3);
	T(fchdir, 0);
	T(chdir, "/");
	T(getcwd, buf, PAGE);
	S(buf);
	T(getcwd, buf, 2);
	T(getcwd, buf, 1);
	T(getcwd, buf, 0);
	T(getcwd, BAD, 100);
	T(getcwd, BAD, 1);
	T(chdir, "/proc");
	T(getcwd, buf, 6);
	T(getcwd, buf, 5);
}

CASE(getcwd_inside)
{
	char before[PAGE];
	long n = R(getcwd, before, PAGE);

	dir("d");
	dir("d/e");
	Q(chdir, "d/e");
	V(R(getcwd, buf, PAGE) - n);
	S(buf + n - 1);
	Q(renameat2, AT_FDCWD, "../../d", AT_FDCWD, "../../other", 0);
	V(R(getcwd, buf, PAGE) - n);
	S(buf + n - 1);
}

CASE(getcwd_of_each_inode)
{
	/* Numbers of two file systems may be equal; names must not be mixed up. */
	char name[16];
	int wrong = 0;

	for (int i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "q%d", i);
		dir(name);
		Q(chdir, name);
		Q(getcwd, buf, PAGE);
		wrong += strcmp(strrchr(buf, '/') + 1, name) != 0;
		Q(chdir, "..");
	}
	V(wrong);
}

CASE(access)
{
	file("f", "");
	dir("d");
	Q(fchmodat, AT_FDCWD, "f", 0);
	T(faccessat, AT_FDCWD, "f", F_OK);
	T(faccessat, AT_FDCWD, "f", R_OK | W_OK);
	T(faccessat, AT_FDCWD, "f", X_OK);
	T(faccessat, AT_FDCWD, "f", 8);
	T(faccessat, AT_FDCWD, "f", -1);
	T(faccessat, AT_FDCWD, "d", X_OK);
	Q(fchmodat, AT_FDCWD, "d", 0);
	T(faccessat, AT_FDCWD, "d", X_OK);
	T(faccessat, AT_FDCWD, "gone", F_OK);
	T(faccessat, AT_FDCWD, "f/x", F_OK);
	T(faccessat, AT_FDCWD, "", F_OK);
	T(faccessat, AT_FDCWD, BAD, F_OK);
	T(faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS);
	T(faccessat2, AT_FDCWD, "f", R_OK, 1);
	T(faccessat2, 3, "", R_OK, AT_EMPTY_PATH);
	T(faccessat2, AT_FDCWD, "f", 8, 0);
}

CASE(mknod)
{
	struct stat st;

	T(mknodat, AT_FDCWD, "r", S_IFREG | 0600, 0);
	T(mknodat, AT_FDCWD, "z", 0600, 0);
	T(newfstatat, AT_FDCWD, "z", &st, 0);
	O(st.st_mode);
	T(mknodat, AT_FDCWD, "p", S_IFIFO | 0666, 0);
	T(newfstatat, AT_FDCWD, "p", &st, 0);
	O(st.st_mode);
	T(mknodat, AT_FDCWD, "p", S_IFIFO | 0666, 0);
	T(mknodat, AT_FDCWD, "c", S_IFCHR | 0666, 0x103);
	T(newfstatat, AT_FDCWD, "c", &st, 0);
	O(st.st_mode);
	H(st.st_rdev);
	T(openat, AT_FDCWD, "c", O_RDWR);
	T(write, 3, "x", 1);
	T(mknodat, AT_FDCWD, "n", S_IFCHR | 0666, 0x7f42);
	T(openat, AT_FDCWD, "n", O_RDWR);
	T(mknodat, AT_FDCWD, "d", S_IFDIR | 0666, 0);
	T(mknodat, AT_FDCWD, "l", S_IFLNK | 0666, 0);
	T(mknodat, AT_FDCWD, "q", 0170000, 0);
	T(mknodat, AT_FDCWD, "gone/x", S_IFIFO, 0);
	T(mknodat, AT_FDCWD, "", S_IFIFO, 0);
	T(mknodat, AT_FDCWD, "x/", S_IFIFO, 0);
}

CASE(chroot)
{
	dir("root");
	file("f", "");
	T(chroot, "f");
	T(chroot, "gone");
	T(chroot, BAD);
	T(chroot, "root");
	T(chdir, "/");
	T(openat, AT_FDCWD, "/x", O_CREAT | O_RDWR, 0600);
	T(openat, AT_FDCWD, "/../../x", O_RDONLY);
	T(openat, AT_FDCWD, "/dev/null", O_RDONLY);
	T(getcwd, buf, PAGE);
	S(buf);
}

CASE(getcwd_outside_the_root)
{
	static const char mark[] = "(unreachable)";
	static char before[PAGE];
	const size_t n = sizeof(mark) - 1;

	dir("root");
	Q(getcwd, before, PAGE);
	T(chroot, "root");
	V(R(getcwd, buf, PAGE) == (long)(n + strlen(before) + 1));
	V(!strncmp(buf, mark, n));
	V(!strcmp(buf + n, before));
	T(getcwd, buf, n + strlen(before));
	T(chdir, "root");
	T(getcwd, buf, PAGE);
	S(buf);
}

CASE(proc_is_read_only)
{
	T(openat, AT_FDCWD, "/proc/new", O_CREAT | O_RDWR, 0600);
	T(mkdirat, AT_FDCWD, "/proc/new", 0700);
	T(unlinkat, AT_FDCWD, "/proc/stat", 0);
	T(unlinkat, AT_FDCWD, "/proc/self", 0);
	T(openat, AT_FDCWD, "/proc/self/exe/x", O_RDONLY);
	T(openat, AT_FDCWD, "/proc/self/nothing", O_RDONLY);
	T(openat, AT_FDCWD, "/proc/0", O_RDONLY);
	T(openat, AT_FDCWD, "/proc/self", O_RDONLY | O_NOFOLLOW);
	T(openat, AT_FDCWD, "/proc/self/stat", O_RDONLY);
	T(write, 3, "x", 1);
	T(lseek, 3, 0, SEEK_END);
	OK(readlinkat, AT_FDCWD, "/proc/self/cwd", buf, PAGE);
	memset(buf, 0, PAGE);
	T(readlinkat, AT_FDCWD, "/proc/self/fd/0", buf, PAGE);
	S(buf);
	T(readlinkat, AT_FDCWD, "/proc/self/fd/77", buf, PAGE);
}
