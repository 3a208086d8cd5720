/* Names of files and folders: making, linking, renaming, finding, and every error. */
#include <dirent.h>
#include <limits.h>
#include <sys/syscall.h>

#include "folder.h"

static void long_names(void)
{
	static char name[NAME_MAX + 2], path[PATH_MAX + 10];

	enter();
	memset(name, 'n', NAME_MAX);
	write_file(name, "x");
	CHECK(file_is(name, "x"));
	CHECK_EQ(unlink(name), 0);
	name[NAME_MAX] = 'n';
	CHECK_ERRNO(open(name, O_WRONLY | O_CREAT, 0666), ENAMETOOLONG);
	memset(path, '/', sizeof(path) - 1);
	CHECK_ERRNO(open(path, O_RDONLY), ENAMETOOLONG);
	leave();
}

static void links(void)
{
	struct stat a, b;

	enter();
	write_file("a", "one");
	CHECK_EQ(link("a", "b"), 0);
	CHECK_EQ(stat("a", &a), 0);
	CHECK_EQ(stat("b", &b), 0);
	CHECK(a.st_ino == b.st_ino && a.st_nlink == 2);
	CHECK_ERRNO(link("a", "b"), EEXIST);
	CHECK_ERRNO(link("none", "c"), ENOENT);
	CHECK_ERRNO(link(".", "c"), EPERM);
	CHECK_EQ(unlink("a"), 0);
	CHECK(file_is("b", "one"));
	CHECK_EQ(stat("b", &b), 0);
	CHECK_EQ(b.st_nlink, 1);
	unlink("b");
	leave();
}

static void symbolic_links(void)
{
	struct stat st;
	char buf[16];

	enter();
	write_file("target", "text");
	CHECK_EQ(symlink("target", "soft"), 0);
	CHECK(file_is("soft", "text"));
	CHECK_EQ(lstat("soft", &st), 0);
	CHECK(S_ISLNK(st.st_mode));
	CHECK_EQ(st.st_size, 6);
	CHECK_EQ(stat("soft", &st), 0);
	CHECK(S_ISREG(st.st_mode));
	CHECK_EQ(readlink("soft", buf, sizeof(buf)), 6);
	CHECK_EQ(readlink("soft", buf, 3), 3);
	CHECK_ERRNO(readlink("target", buf, sizeof(buf)), EINVAL);
	CHECK_ERRNO(open("soft", O_RDONLY | O_NOFOLLOW), ELOOP);
	CHECK_EQ(symlink("loop2", "loop1"), 0);
	CHECK_EQ(symlink("loop1", "loop2"), 0);
	CHECK_ERRNO(open("loop1", O_RDONLY), ELOOP);
	CHECK_EQ(symlink("nowhere", "dangling"), 0);
	CHECK_ERRNO(open("dangling", O_RDONLY), ENOENT);
	CHECK_ERRNO(symlink("x", "soft"), EEXIST);
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(symlink("../target", "d/up"), 0);	/* relative to the link's folder */
	CHECK(file_is("d/up", "text"));
	CHECK_EQ(unlink("soft"), 0);
	CHECK(file_is("target", "text"));
	unlink("d/up"), unlink("loop1"), unlink("loop2"), unlink("dangling"), unlink("target");
	CHECK_EQ(rmdir("d"), 0);
	leave();
}

static void renaming(void)
{
	enter();
	write_file("a", "A");
	write_file("b", "B");
	CHECK_EQ(mkdir("d", 0777), 0);
	CHECK_EQ(mkdir("e", 0777), 0);
	write_file("e/f", "F");
	CHECK_EQ(rename("a", "c"), 0);
	CHECK_ERRNO(open("a", O_RDONLY), ENOENT);
	CHECK_EQ(rename("c", "b"), 0);			/* replaces what was there */
	CHECK(file_is("b", "A"));
	CHECK_EQ(rename("b", "b"), 0);
	CHECK_EQ(rename("b", "d/b"), 0);
	CHECK(file_is("d/b", "A"));
	CHECK_ERRNO(rename("none", "x"), ENOENT);
	CHECK_ERRNO(rename("d/b", "e"), EISDIR);
	CHECK_ERRNO(rename("d", "e/f"), ENOTDIR);
	CHECK_ERRNO(rename("d", "e"), ENOTEMPTY);
	CHECK_ERRNO(rename("d", "d/below"), EINVAL);
	CHECK_ERRNO(rename("d/b", "none/b"), ENOENT);
	CHECK_EQ(unlink("e/f"), 0);
	CHECK_EQ(rename("d", "e"), 0);			/* replaces an empty folder */
	CHECK(file_is("e/b", "A"));
	CHECK_ERRNO(rmdir("d"), ENOENT);
	CHECK_EQ(link("e/b", "two"), 0);
	CHECK_EQ(rename("two", "e/b"), 0);		/* the same file: nothing happens */
	CHECK(file_is("two", "A"));
	unlink("e/b"), unlink("two");
	CHECK_EQ(rmdir("e"), 0);
	leave();
}

static void folders(void)
{
	struct stat st;

	enter();
	CHECK_EQ(mkdir("d", 0755), 0);
	CHECK_ERRNO(mkdir("d", 0755), EEXIST);
	CHECK_ERRNO(mkdir("no/d", 0755), ENOENT);
	CHECK_EQ(stat("d", &st), 0);
	CHECK(S_ISDIR(st.st_mode));
	write_file("d/f", "x");
	CHECK_ERRNO(mkdir("d/f/g", 0755), ENOTDIR);
	CHECK_ERRNO(rmdir("d"), ENOTEMPTY);
	CHECK_ERRNO(rmdir("d/f"), ENOTDIR);
	CHECK_ERRNO(unlink("d"), EISDIR);
	CHECK_ERRNO(rmdir("d/."), EINVAL);
	CHECK_ERRNO(unlink("d/none"), ENOENT);
	CHECK_EQ(unlink("d/../d/./f"), 0);
	CHECK_EQ(rmdir("d"), 0);
	leave();
}

static void reading_folders(void)
{
	enum { COUNT = 300 };
	bool seen[COUNT] = { false };
	int dots = 0, files = 0;
	struct dirent *e;
	char name[40];
	DIR *d;

	enter();
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "entry-with-a-longer-name-%d", i);
		write_file(name, "");
	}
	d = opendir(".");
	CHECK(d);
	while ((e = readdir(d))) {
		int i = -1;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) {
			CHECK(e->d_type == DT_DIR || e->d_type == DT_UNKNOWN);
			dots++;
			continue;
		}
		CHECK_EQ(sscanf(e->d_name, "entry-with-a-longer-name-%d", &i), 1);
		CHECK(i >= 0 && i < COUNT && !seen[i] && e->d_ino);
		seen[i] = true;
		files++;
	}
	CHECK_EQ(dots, 2);
	CHECK_EQ(files, COUNT);
	rewinddir(d);
	CHECK(readdir(d));
	closedir(d);
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof(name), "entry-with-a-longer-name-%d", i);
		CHECK_EQ(unlink(name), 0);
	}
	leave();
}

/* Only a folder has entries. */
static void only_folders_have_entries(void)
{
	char buf[512];
	int fds[3];

	enter();
	write_file("file", "x");
	fds[0] = open("file", O_RDONLY);
	CHECK_EQ(pipe(fds + 1), 0);
	for (int i = 0; i < 3; i++)
		CHECK_ERRNO(syscall(SYS_getdents64, fds[i], buf, sizeof(buf)), ENOTDIR);
	CHECK_EQ(unlink("file"), 0);
	leave();
}

static void current_folder(void)
{
	char path[PATH_MAX];
	pid_t pid;
	int fd;

	enter();
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, folder));
	CHECK_ERRNO(getcwd(path, 3) ? 0 : -1, ERANGE);
	CHECK_EQ(mkdir("d", 0777), 0);
	fd = open(".", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(chdir("d"), 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, below));
	pid = fork();
	if (pid == 0)
		_exit(chdir("..") || !getcwd(path, sizeof(path)) || strcmp(path, folder));
	expect_exit(pid, 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, below));
	CHECK_EQ(fchdir(fd), 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, folder));
	close(fd);
	write_file("f", "");
	CHECK_ERRNO(chdir("f"), ENOTDIR);
	CHECK_ERRNO(chdir("none"), ENOENT);
	CHECK_EQ(chdir("/.."), 0);
	CHECK(getcwd(path, sizeof(path)) && !strcmp(path, "/"));
	CHECK_EQ(chdir(below), 0);
	CHECK_EQ(rmdir("../d"), 0);			/* remove our working directory */
	CHECK_ERRNO(open("new", O_WRONLY | O_CREAT, 0666), ENOENT);
	CHECK_ERRNO(getcwd(path, sizeof(path)) ? 0 : -1, ENOENT);
	CHECK_EQ(chdir(folder), 0);
	unlink("f");
	leave();
}

static void relative_to_a_descriptor(void)
{
	char buf[4];
	int dir, fd;

	enter();
	CHECK_EQ(mkdir("d", 0777), 0);
	dir = open("d", O_RDONLY | O_DIRECTORY);
	fd = openat(dir, "f", O_RDWR | O_CREAT, 0666);
	CHECK(fd >= 0);
	CHECK_EQ(write(fd, "at", 2), 2);
	CHECK_EQ(chdir("/"), 0);
	CHECK_EQ(pread(fd, buf, 4, 0), 2);
	CHECK_ERRNO(openat(fd, "f", O_RDONLY), ENOTDIR);
	CHECK_ERRNO(openat(999, "f", O_RDONLY), EBADF);
	CHECK_EQ(unlinkat(dir, "f", 0), 0);
	close(fd);
	close(dir);
	CHECK_EQ(unlinkat(AT_FDCWD, below, AT_REMOVEDIR), 0);
	leave();
}

/* Processes compete for names: each name is made by exactly one, and is gone at the end. */
static void racing_for_names(void)
{
	volatile int *made = shared_memory(64 * sizeof(int));
	char name[16];

	enter();
	for (int p = 0; p < 4; p++) {
		if (fork())
			continue;
		for (int i = 0; i < 64; i++) {
			int fd;

			snprintf(name, sizeof(name), "n%d", i);
			fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0666);
			if (fd >= 0)
				__atomic_add_fetch(&made[i], 1, __ATOMIC_SEQ_CST);
			else
				CHECK_EQ(errno, EEXIST);
			close(fd);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	for (int i = 0; i < 64; i++) {
		CHECK_EQ(made[i], 1);
		snprintf(name, sizeof(name), "n%d", i);
		CHECK_EQ(unlink(name), 0);
	}
	leave();
}

static const struct test_case cases[] = {
	CASE(long_names),
	CASE(links),
	CASE(symbolic_links),
	CASE(renaming),
	CASE(folders),
	CASE(reading_folders),
	CASE(only_folders_have_entries),
	CASE(current_folder),
	CASE(relative_to_a_descriptor),
	CASE(racing_for_names),
};

TEST_MAIN(cases)
