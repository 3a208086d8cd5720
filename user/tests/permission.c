/*
 * Permissions of users on files: search, read, write, execute, create, remove, rename; owners,
 * modes and times. Needs root, to make the files that other users then try to use.
 */
#include <grp.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "folder.h"

#define KEEP	((uid_t)-1)

static void become(uid_t uid, gid_t gid)
{
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresgid(gid, gid, gid), 0);
	CHECK_EQ(setresuid(uid, uid, uid), 0);
}

static void make_file(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	write_file(path, "text");
	CHECK_EQ(chown(path, uid, gid), 0);
	CHECK_EQ(chmod(path, mode), 0);
}

static void make_dir(const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	CHECK_EQ(mkdir(path, 0777), 0);
	CHECK_EQ(chown(path, uid, gid), 0);
	CHECK_EQ(chmod(path, mode), 0);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	CHECK_EQ(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static bool owned_by(const char *path, uid_t uid, gid_t gid)
{
	struct stat st;

	CHECK_EQ(lstat(path, &st), 0);
	return st.st_uid == uid && st.st_gid == gid;
}

/* Runs @fn in the fresh folder as user 1000 of group 100. */
static void as_user(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		become(1000, 100);
		fn();
		_exit(0);
	}
	expect_exit(pid, 0);
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* --- Which three bits count --- */

static void try_bits(void)
{
	static const struct {
		const char *name;
		int r, w;
	} files[] = {
		{ "owner", 0, EACCES }, { "group", EACCES, 0 }, { "other", 0, EACCES },
		{ "owner_only_others", EACCES, EACCES }, { "group_not_others", EACCES, EACCES },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		CHECK_EQ(opens(files[i].name, O_RDONLY), files[i].r);
		CHECK_EQ(opens(files[i].name, O_WRONLY), files[i].w);
		CHECK_EQ(opens(files[i].name, O_RDWR), files[i].r | files[i].w);
		CHECK_EQ(opens(files[i].name, O_RDONLY | O_CREAT), files[i].r);
		CHECK_EQ(access(files[i].name, R_OK), files[i].r ? -1 : 0);
		CHECK_EQ(access(files[i].name, W_OK), files[i].w ? -1 : 0);
		CHECK_EQ(access(files[i].name, F_OK), 0);
		CHECK_EQ(truncate(files[i].name, 4), files[i].w ? -1 : 0);
	}
	CHECK_EQ(opens("owner", O_RDONLY | O_TRUNC), EACCES);
	CHECK_EQ(opens("other", O_RDONLY | O_CREAT | O_EXCL), EEXIST);
}

static void one_class_decides(void)
{
	enter();
	make_file("owner", 1000, 0, 0400);
	make_file("group", 0, 100, 0020);
	make_file("other", 0, 0, 0004);
	make_file("owner_only_others", 1000, 100, 0077);
	make_file("group_not_others", 0, 100, 0707);
	CHECK_EQ(chmod(folder, 0755), 0);
	as_user(try_bits);
	CHECK_EQ(opens("owner_only_others", O_RDWR), 0);	/* root may open it all the same */
	CHECK_EQ(access("other", R_OK | W_OK), 0);
	CHECK_ERRNO(access("other", X_OK), EACCES);
	for (int i = 0; i < 5; i++)
		unlink((const char *[]){ "owner", "group", "other", "owner_only_others",
					 "group_not_others" }[i]);
	leave();
}

/* A supplementary group counts like the process's own group. */
static void supplementary_groups_count(void)
{
	gid_t g[] = { 55, 7 };
	pid_t pid;

	enter();
	make_file("f", 0, 7, 0640);
	pid = fork();
	if (pid == 0) {
		CHECK_EQ(setgroups(2, g), 0);
		CHECK_EQ(setresgid(100, 100, 100), 0);
		CHECK_EQ(setuid(1000), 0);
		CHECK_EQ(opens("f", O_RDONLY), 0);
		CHECK_EQ(opens("f", O_WRONLY), EACCES);
		_exit(0);
	}
	expect_exit(pid, 0);
	CHECK_EQ(unlink("f"), 0);
	leave();
}

/* --- Directories --- */

static void try_search(void)
{
	struct stat st;

	CHECK_ERRNO(stat("closed/f", &st), EACCES);
	CHECK_ERRNO(stat("closed/none", &st), EACCES);
	CHECK_ERRNO(stat("closed/.", &st), EACCES);
	CHECK_ERRNO(stat("closed/..", &st), EACCES);
	CHECK_EQ(stat("closed", &st), 0);
	CHECK_EQ(stat("closed/", &st), 0);
	CHECK_ERRNO(chdir("closed"), EACCES);
	CHECK_EQ(opens("closed", O_RDONLY | O_DIRECTORY), 0);
	CHECK_EQ(opens("search/f", O_RDONLY), 0);
	CHECK_ERRNO(stat("search/none", &st), ENOENT);
	CHECK_EQ(opens("search", O_RDONLY), EACCES);
	CHECK_ERRNO(stat("search/f/x", &st), ENOTDIR);
	CHECK_ERRNO(mkdir("search/f", 0777), EEXIST);
	CHECK_ERRNO(mkdir("search/new", 0777), EACCES);
	CHECK_ERRNO(symlink("x", "search/new"), EACCES);
	CHECK_ERRNO(link("search/f", "search/new"), EACCES);
	CHECK_ERRNO(unlink("search/none"), ENOENT);
	CHECK_ERRNO(unlink("search/f"), EACCES);
	CHECK_ERRNO(rmdir("search/f"), EACCES);		/* this error comes before ENOTDIR */
	CHECK_ERRNO(rename("search/f", "search/g"), EACCES);
	CHECK_EQ(opens("search/new", O_WRONLY | O_CREAT), EACCES);
	CHECK_EQ(chdir("search"), 0);
	CHECK_ERRNO(chdir("../closed"), EACCES);
}

static void directories(void)
{
	enter();
	make_dir("closed", 0, 0, 0744);
	make_dir("search", 0, 0, 0711);
	write_file("closed/f", "");
	make_file("search/f", 0, 0, 0666);	/* else Linux may refuse to link it */
	CHECK_EQ(chmod(folder, 0755), 0);
	as_user(try_search);
	unlink("closed/f");
	unlink("search/f");
	rmdir("closed");
	rmdir("search");
	leave();
}

/* A descriptor of a directory does not give the right to search it. */
static void try_dirfd(void)
{
	int fd = open("closed", O_RDONLY | O_DIRECTORY);

	CHECK(fd >= 0);
	CHECK_EQ(openat(fd, "f", O_RDONLY), -1);
	CHECK_EQ(errno, EACCES);
	CHECK_ERRNO(fchdir(fd), EACCES);
}

static void rights_are_asked_each_time(void)
{
	int fd;

	enter();
	make_dir("closed", 0, 0, 0744);
	as_user(try_dirfd);
	make_file("f", 0, 0, 0600);
	fd = open("f", O_RDWR);
	become(1000, 100);
	CHECK_EQ(write(fd, "x", 1), 1);		/* rights count when a file is opened, not after */
	CHECK_EQ(opens("f", O_RDONLY), EACCES);
	_exit(0);
}

static void asked_once_or_each_time(void)
{
	pid_t pid = spawn(rights_are_asked_each_time);

	expect_exit(pid, 0);
	snprintf(folder, sizeof(folder), "/tmp/file.%d", pid);
	CHECK_EQ(chdir(folder), 0);
	CHECK_EQ(rmdir("closed"), 0);
	CHECK_EQ(unlink("f"), 0);
	leave();
}

static void try_sticky(void)
{
	CHECK_ERRNO(unlink("sticky/roots"), EPERM);
	CHECK_ERRNO(rename("sticky/roots", "sticky/x"), EPERM);
	CHECK_ERRNO(rmdir("sticky/roots_dir"), EPERM);
	CHECK_ERRNO(rename("sticky/mine", "sticky/roots"), EPERM);
	CHECK_EQ(rename("sticky/mine", "sticky/still_mine"), 0);
	CHECK_EQ(unlink("sticky/still_mine"), 0);
	CHECK_EQ(opens("sticky/new", O_WRONLY | O_CREAT), 0);
	CHECK_EQ(unlink("sticky/new"), 0);
	CHECK_EQ(unlink("my_sticky/roots"), 0);
	CHECK_ERRNO(rename("sticky/roots_dir", "my_sticky/d"), EPERM);
}

static void sticky_directories(void)
{
	enter();
	CHECK_EQ(umask(0), 022);
	make_dir("sticky", 0, 0, 01777);
	make_dir("my_sticky", 1000, 0, 01777);
	make_dir("sticky/roots_dir", 0, 0, 0777);
	make_file("sticky/roots", 0, 0, 0666);
	make_file("sticky/mine", 1000, 0, 0666);
	make_file("my_sticky/roots", 0, 0, 0666);
	as_user(try_sticky);
	unlink("sticky/roots");
	rmdir("sticky/roots_dir");
	rmdir("my_sticky");
	rmdir("sticky");
	leave();
}

/* Moving a directory changes its "..", so it must be writable. */
static void try_move(void)
{
	CHECK_ERRNO(rename("a/roots", "b/x"), EACCES);
	CHECK_EQ(rename("a/roots", "a/here"), 0);
	CHECK_EQ(rename("a/mine", "b/mine"), 0);
	CHECK_ERRNO(rename("a/file", "b/mine"), EISDIR);
	CHECK_ERRNO(rename("b/mine", "a/file"), ENOTDIR);
	CHECK_EQ(rename("a/file", "b/file"), 0);	/* a file has no ".." */
	CHECK_ERRNO(rename("a/none", "closed/x"), ENOENT);
	CHECK_ERRNO(rename("b/file", "closed/x"), EACCES);
}

static void moving_directories(void)
{
	enter();
	make_dir("a", 0, 0, 0777);
	make_dir("b", 0, 0, 0777);
	make_dir("closed", 0, 0, 0755);
	make_dir("a/roots", 0, 0, 0755);
	make_dir("a/mine", 1000, 0, 0755);
	make_file("a/file", 0, 0, 0600);
	as_user(try_move);
	rmdir("a/here");
	rmdir("b/mine");
	unlink("b/file");
	rmdir("a");
	rmdir("b");
	rmdir("closed");
	leave();
}

/* --- New files --- */

static void try_new(void)
{
	int fds[2];
	struct stat st;

	umask(027);
	write_file("plain/f", "");
	CHECK(owned_by("plain/f", 1000, 100) && mode_of("plain/f") == 0640);
	write_file("grouped/f", "");
	CHECK(owned_by("grouped/f", 1000, 7));
	CHECK_EQ(mkdir("grouped/d", 0777), 0);
	CHECK(owned_by("grouped/d", 1000, 7) && mode_of("grouped/d") == 02750);
	CHECK_EQ(symlink("x", "grouped/l"), 0);
	CHECK(owned_by("grouped/l", 1000, 7));
	CHECK_EQ(close(open("plain/none", O_CREAT | O_RDWR, 0)), 0);	/* whatever the mode */
	CHECK_EQ(opens("plain/none", O_RDONLY), EACCES);
	CHECK_EQ(pipe(fds), 0);
	CHECK_EQ(fstat(fds[0], &st), 0);
	CHECK(st.st_uid == 1000 && st.st_gid == 100);
}

static void new_files(void)
{
	enter();
	make_dir("plain", 0, 0, 0777);
	make_dir("grouped", 0, 7, 02777);
	as_user(try_new);
	unlink("plain/f");
	unlink("plain/none");
	unlink("grouped/f");
	unlink("grouped/l");
	rmdir("grouped/d");
	rmdir("plain");
	rmdir("grouped");
	leave();
}

/* A new file belongs to the file-system id. */
static void file_id_owns(void)
{
	enter();
	CHECK_EQ(chmod(folder, 0777), 0);
	CHECK_EQ(setfsgid(8), 0);
	CHECK_EQ(setfsuid(9), 0);
	write_file("f", "");
	CHECK(owned_by("f", 9, 8));
	CHECK_EQ(opens("/etc", O_RDONLY), 0);
	CHECK_EQ(setfsuid(0), 9);
	CHECK_EQ(unlink("f"), 0);
	leave();
}

/* --- chown, chmod --- */

static void try_chown(void)
{
	CHECK_ERRNO(chown("roots", 1000, KEEP), EPERM);
	CHECK_ERRNO(chown("roots", KEEP, 100), EPERM);
	CHECK_EQ(chown("roots", KEEP, KEEP), 0);
	CHECK_ERRNO(chown("mine", 0, KEEP), EPERM);
	CHECK_EQ(chown("mine", 1000, KEEP), 0);
	CHECK_EQ(chown("mine", KEEP, 100), 0);
	CHECK(owned_by("mine", 1000, 100));
	CHECK_ERRNO(chown("mine", KEEP, 101), EPERM);
	CHECK_ERRNO(lchown("link", 1000, KEEP), EPERM);
	CHECK_ERRNO(chmod("roots", 0777), EPERM);
	CHECK_EQ(chmod("mine", 06711), 0);
	CHECK_EQ(mode_of("mine"), 06711);
	CHECK_EQ(chmod("foreign_group", 02755), 0);	/* but without set-group-id */
	CHECK_EQ(mode_of("foreign_group"), 0755);
}

static void owners_and_modes(void)
{
	int fd;

	enter();
	make_file("roots", 0, 0, 0666);
	make_file("mine", 1000, 5, 0644);
	make_file("foreign_group", 1000, 5, 0644);
	CHECK_EQ(symlink("roots", "link"), 0);
	as_user(try_chown);
	CHECK_EQ(lchown("link", 3, 4), 0);
	CHECK(owned_by("link", 3, 4) && owned_by("roots", 0, 0));
	CHECK_EQ(chown("link", 5, KEEP), 0);
	CHECK(owned_by("link", 3, 4) && owned_by("roots", 5, 0));
	fd = open("roots", O_RDONLY);
	CHECK_EQ(fchown(fd, KEEP, 6), 0);
	CHECK(owned_by("roots", 5, 6));
	CHECK_EQ(fchownat(fd, "", 1, 2, AT_EMPTY_PATH), 0);
	CHECK(owned_by("roots", 1, 2));
	CHECK_EQ(close(fd), 0);
	CHECK_ERRNO(fchown(fd, 0, 0), EBADF);
	CHECK_ERRNO(fchownat(AT_FDCWD, "link", 0, 0, 0x4000), EINVAL);
	CHECK_ERRNO(chown("none", 0, 0), ENOENT);
	CHECK_ERRNO(chown("roots/x", 0, 0), ENOTDIR);
	CHECK_ERRNO(chown("", 0, 0), ENOENT);
	CHECK_ERRNO(chown(hidden(8), 0, 0), EFAULT);
	unlink("link");
	unlink("roots");
	unlink("mine");
	unlink("foreign_group");
	leave();
}

/* The set-id bits are cleared when the file gets another owner or is changed. */
static void try_lose_bits(void)
{
	int fd;

	CHECK_EQ(chmod("mine", 06777), 0);
	fd = open("mine", O_WRONLY);
	CHECK_EQ(write(fd, "", 0), 0);
	CHECK_EQ(mode_of("mine"), 06777);
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(mode_of("mine"), 0777);
	CHECK_EQ(chmod("mine", 06666), 0);	/* set-group-id means something else here */
	CHECK_EQ(write(fd, "x", 1), 1);
	CHECK_EQ(mode_of("mine"), 02666);
	CHECK_EQ(chmod("mine", 06777), 0);
	CHECK_EQ(ftruncate(fd, 0), 0);
	CHECK_EQ(mode_of("mine"), 0777);
	CHECK_EQ(chmod("mine", 06777), 0);
	CHECK_EQ(chown("mine", KEEP, 100), 0);
	CHECK_EQ(mode_of("mine"), 0777);
	CHECK_EQ(close(fd), 0);
	CHECK_ERRNO(chown("roots", KEEP, KEEP), EPERM);	/* it would have to clear the bits */
}

static void set_id_bits_go(void)
{
	enter();
	make_file("mine", 1000, 100, 0644);
	make_file("roots", 0, 0, 06755);
	make_dir("d", 0, 0, 06755);
	as_user(try_lose_bits);
	CHECK_EQ(truncate("roots", 1), 0);
	CHECK_EQ(mode_of("roots"), 06755);		/* root keeps the bits */
	CHECK_EQ(chown("roots", 1, KEEP), 0);
	CHECK_EQ(mode_of("roots"), 0755);
	CHECK_EQ(chown("d", 1, 1), 0);
	CHECK_EQ(mode_of("d"), 06755);
	unlink("mine");
	unlink("roots");
	rmdir("d");
	leave();
}

static void try_times(void)
{
	struct timespec set[2] = { { .tv_sec = 5 }, { .tv_sec = 6 } };
	struct timespec now[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_NOW } };
	struct timespec one[2] = { { .tv_nsec = UTIME_NOW }, { .tv_nsec = UTIME_OMIT } };
	struct timespec none[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_nsec = UTIME_OMIT } };

	CHECK_EQ(utimensat(AT_FDCWD, "mine", set, 0), 0);
	CHECK_ERRNO(utimensat(AT_FDCWD, "writable", set, 0), EPERM);
	CHECK_EQ(utimensat(AT_FDCWD, "writable", NULL, 0), 0);
	CHECK_EQ(utimensat(AT_FDCWD, "writable", now, 0), 0);
	CHECK_ERRNO(utimensat(AT_FDCWD, "writable", one, 0), EPERM);
	CHECK_EQ(utimensat(AT_FDCWD, "readable", none, 0), 0);
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", set, 0), EPERM);
	CHECK_EQ(utimensat(AT_FDCWD, "nowhere", none, 0), 0);
	set[0].tv_nsec = 1000000000;
	CHECK_ERRNO(utimensat(AT_FDCWD, "readable", set, 0), EINVAL);
	CHECK_ERRNO(utimensat(AT_FDCWD, "mine", set, 0x4000), EINVAL);
	CHECK_EQ(opens("mine", O_RDONLY | O_NOATIME), 0);
	CHECK_EQ(opens("writable", O_RDWR | O_NOATIME), EPERM);
}

static void times(void)
{
	enter();
	make_file("mine", 1000, 0, 0644);
	make_file("writable", 0, 0, 0666);
	make_file("readable", 0, 0, 0644);
	as_user(try_times);
	unlink("mine");
	unlink("writable");
	unlink("readable");
	leave();
}

/* --- access() checks the real ids, open() the effective ones --- */

static void real_and_effective(void)
{
	enter();
	make_file("roots", 0, 0, 0600);
	make_file("users", 1000, 0, 0600);
	CHECK_EQ(setresuid(1000, 0, 0), 0);
	CHECK_ERRNO(access("roots", R_OK), EACCES);
	CHECK_EQ(access("users", R_OK | W_OK), 0);
	CHECK_EQ(opens("roots", O_RDWR), 0);
	CHECK_EQ(syscall(SYS_faccessat2, AT_FDCWD, "roots", R_OK, AT_EACCESS), 0);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "roots", R_OK, 0), EACCES);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "roots", 8, 0), EINVAL);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "roots", R_OK, 0x4000), EINVAL);
	CHECK_EQ(setresuid(0, 1000, 0), 0);
	CHECK_EQ(access("roots", R_OK), 0);
	CHECK_EQ(opens("roots", O_RDWR), EACCES);
	CHECK_ERRNO(syscall(SYS_faccessat2, AT_FDCWD, "roots", R_OK, AT_EACCESS), EACCES);
	CHECK_EQ(setresuid(0, 0, 0), 0);
	unlink("roots");
	unlink("users");
	leave();
}

static const struct test_case cases[] = {
	CASE(one_class_decides),
	CASE(supplementary_groups_count),
	CASE(directories),
	CASE(asked_once_or_each_time),
	CASE(sticky_directories),
	CASE(moving_directories),
	CASE(new_files),
	CASE(file_id_owns),
	CASE(owners_and_modes),
	CASE(set_id_bits_go),
	CASE(times),
	CASE(real_and_effective),
};

TEST_MAIN(cases)
