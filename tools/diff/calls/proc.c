/* /proc and /sys: where descriptors' links lead, what nobody can change, what files say. */
#include "diff.h"

#include <sys/prctl.h>

/* --- Links of descriptors ---------------------------------------------------------------- */

/* Replaces every number in brackets or behind '#' by N: an inode's, which differs. */
static void hide_numbers(char *s)
{
	char *to = s;

	for (; *s; s++) {
		*to++ = *s;
		if ((*s == '[' || *s == '#') && s[1] >= '0' && s[1] <= '9') {
			while (s[1] >= '0' && s[1] <= '9')
				s++;
			*to++ = 'N';
		}
	}
	*to = 0;
}

/* The link at @path, with the case's folder and our own id taken out. */
static void show_link(const char *what, const char *path)
{
	static char cwd[PAGE];	/* where we were at first */
	char own[32], text[PAGE] = "", *at = text;
	long n = R(readlinkat, AT_FDCWD, path, text, PAGE - 1);

	if (n < 0) {
		say("%s: %s", what, error_name(-n));
		return;
	}
	text[n] = 0;
	snprintf(own, sizeof(own), "/proc/%d", getpid());
	if (!*cwd)
		Q(getcwd, cwd, PAGE);
	if (!strncmp(text, cwd, strlen(cwd)))
		at += strlen(cwd);
	else if (!strncmp(text, own, strlen(own)))
		memmove(at += strlen(own) - 2, "ME", 2);
	hide_numbers(at);
	say("%s: %s", what, *at ? at : "this folder");
}

static void show_fd(const char *what, int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	show_link(what, path);
}

CASE(links_of_files)
{
	int fd = file("f", ""), removed;

	show_fd("as it was opened", fd);
	Q(renameat2, AT_FDCWD, "f", AT_FDCWD, "g", 0);
	show_fd("renamed", fd);
	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(renameat2, AT_FDCWD, "g", AT_FDCWD, "d/h", 0);
	show_fd("moved", fd);
	Q(unlinkat, AT_FDCWD, "d/h", 0);
	show_fd("removed", fd);
	Q(renameat2, AT_FDCWD, "d", AT_FDCWD, "e", 0);
	show_fd("its folder renamed", fd);
	Q(unlinkat, AT_FDCWD, "e", AT_REMOVEDIR);
	show_fd("its folder removed", fd);
	removed = file("r", "");
	file("s", "");
	Q(renameat2, AT_FDCWD, "s", AT_FDCWD, "r", 0);
	show_fd("replaced", removed);
	fd = file("t", "");
	Q(unlinkat, AT_FDCWD, "t", 0);
	file("t", "");
	show_fd("removed, and made again", fd);
}

CASE(links_of_names)
{
	int fd = file("f", "");

	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(linkat, AT_FDCWD, "f", AT_FDCWD, "d/g", 0);
	show_fd("by its first name", fd);
	show_fd("by its second name", Q(openat, AT_FDCWD, "d/g", O_RDONLY));
	Q(linkat, AT_FDCWD, "f", AT_FDCWD, "h", 0);
	show_fd("with another name since", fd);
}

CASE(links_of_folders)
{
	int fd;

	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(mkdirat, AT_FDCWD, "d/e", 0700);
	show_fd("a folder", fd = Q(openat, AT_FDCWD, "d/e", O_RDONLY));
	show_fd("a place", Q(openat, AT_FDCWD, "d", O_PATH));
	show_fd("the root", Q(openat, AT_FDCWD, "/", O_RDONLY));
	show_fd("one above", Q(openat, AT_FDCWD, "d/..", O_RDONLY));
	Q(unlinkat, AT_FDCWD, "d/e", AT_REMOVEDIR);
	show_fd("removed", fd);
	T(fchdir, fd);
	T(getcwd, buf, PAGE);
	show_link("where we are", "/proc/self/cwd");
}

CASE(links_of_other_kinds)
{
	int p[2], q;

	Q(pipe2, p, 0);
	show_fd("pipe", p[0]);
	show_fd("pipe's other end", p[1]);
	Q(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	show_fd("FIFO", Q(openat, AT_FDCWD, "p", O_RDWR));
	Q(symlinkat, "target", AT_FDCWD, "l");
	show_fd("symbolic link", Q(openat, AT_FDCWD, "l", O_PATH | O_NOFOLLOW));
	show_fd("file without name", Q(openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600));
	show_fd("memfd", Q(memfd_create, "m", 0));
	show_fd("memfd without name", Q(memfd_create, "", 0));
	show_fd("eventfd", Q(eventfd2, 0, 0));
	show_fd("timerfd", Q(timerfd_create, CLOCK_MONOTONIC, 0));
	show_fd("signalfd", Q(signalfd4, -1, bits(2), 8, 0));
	show_fd("pidfd", Q(pidfd_open, getpid(), 0));
	q = Q(mq_open, "diff_proc", O_CREAT | O_RDWR, 0600, NULL);
	show_fd("message queue", q);
	Q(mq_unlink, "diff_proc");
	show_fd("removed message queue", q);
	show_fd("null", 0);
	show_fd("zero", Q(openat, AT_FDCWD, "/dev/zero", O_RDWR));
	Q(mknodat, AT_FDCWD, "n", S_IFCHR | 0600, 0x103);
	show_fd("another null", Q(openat, AT_FDCWD, "n", O_RDWR));
	show_fd("proc", Q(openat, AT_FDCWD, "/proc", O_RDONLY));
	show_fd("our folder", Q(openat, AT_FDCWD, "/proc/self", O_RDONLY));
	show_fd("our stat", Q(openat, AT_FDCWD, "/proc/self/stat", O_RDONLY));
	show_fd("our descriptors", Q(openat, AT_FDCWD, "/proc/self/fd", O_RDONLY));
	show_fd("version", Q(openat, AT_FDCWD, "/proc/version", O_RDONLY));
	show_fd("setting", Q(openat, AT_FDCWD, "/proc/sys/kernel/ostype", O_RDONLY));
	show_fd("settings", Q(openat, AT_FDCWD, "/proc/sys/kernel", O_RDONLY));
	show_fd("CPUs", Q(openat, AT_FDCWD, "/sys/devices/system/cpu/online", O_RDONLY));
	show_fd("closed", 77);
}

/* --- What nobody can change -------------------------------------------------------------- */

static const char *const fixed[] = {
	"/proc", "/proc/version", "/proc/self", "/proc/self/stat", "/proc/self/comm",
	"/proc/self/maps", "/proc/self/environ", "/proc/self/fd", "/proc/self/fd/0",
	"/proc/self/exe", "/proc/self/cwd", "/proc/self/task",
	"/proc/self/mounts", "/proc/sys", "/proc/sys/kernel", "/proc/sys/kernel/ostype",
	"/proc/sys/kernel/hostname", "/sys", "/sys/devices/system/cpu",
	"/sys/devices/system/cpu/online",
};

/* A case of one call on each of them, as @path. */
#define EACH_FIXED(title, call) \
	CASE(title) \
	{ \
		for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) { \
			const char *path = fixed[i]; \
			long r = call; \
\
			say("%s: %s", path, error_name(r < 0 ? -r : 0)); \
		} \
	}

static const char *below(const char *path)
{
	static char name[64];

	snprintf(name, sizeof(name), "%s/new", path);
	return name;
}

/* To what it is already: some of the files would really change. */
static long change_mode(const char *path, int flags)
{
	struct stat st;

	Q(newfstatat, AT_FDCWD, path, &st, flags);
	return R(fchmodat2, AT_FDCWD, path, st.st_mode & 07777, flags);
}

static long rename_in(const char *path, const char *to, int flags)
{
	return R(renameat2, AT_FDCWD, path, AT_FDCWD, to, flags);
}

static long other_file(void)
{
	return R(mknodat, AT_FDCWD, "f", S_IFREG | 0600, 0);
}

static long say_mode(const char *path)
{
	struct stat st;

	Q(newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);
	O(st.st_mode);
	return 0;
}

EACH_FIXED(modes, say_mode(path))
EACH_FIXED(chmod, change_mode(path, 0))
EACH_FIXED(chmod_of_link, change_mode(path, AT_SYMLINK_NOFOLLOW))
EACH_FIXED(chown, R(fchownat, AT_FDCWD, path, -1, -1, AT_SYMLINK_NOFOLLOW))
EACH_FIXED(chown_to_root, R(fchownat, AT_FDCWD, path, 0, 0, AT_SYMLINK_NOFOLLOW))
EACH_FIXED(times, R(utimensat, AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW))
EACH_FIXED(make_folder, R(mkdirat, AT_FDCWD, path, 0700))
EACH_FIXED(make_folder_below, R(mkdirat, AT_FDCWD, below(path), 0700))
EACH_FIXED(make_device, R(mknodat, AT_FDCWD, path, S_IFCHR | 0600, 0x103))
EACH_FIXED(make_device_below, R(mknodat, AT_FDCWD, below(path), S_IFCHR | 0600, 0x103))
EACH_FIXED(make_file_below, R(openat, AT_FDCWD, below(path), O_CREAT | O_RDWR, 0600))
EACH_FIXED(make_unnamed_file, R(openat, AT_FDCWD, path, O_TMPFILE | O_RDWR, 0600))
EACH_FIXED(symlink, R(symlinkat, "target", AT_FDCWD, path))
EACH_FIXED(symlink_below, R(symlinkat, "target", AT_FDCWD, below(path)))
EACH_FIXED(link, R(linkat, AT_FDCWD, path, AT_FDCWD, "new", 0))
EACH_FIXED(link_to, (other_file(), R(linkat, AT_FDCWD, "f", AT_FDCWD, path, 0)))
EACH_FIXED(link_below, (other_file(), R(linkat, AT_FDCWD, "f", AT_FDCWD, below(path), 0)))
EACH_FIXED(link_beside, R(linkat, AT_FDCWD, path, AT_FDCWD, "/proc/new", 0))
EACH_FIXED(rename, strchr(path + 1, '/') ? rename_in(path, "new", 0) : 0)
EACH_FIXED(rename_to_itself, rename_in(path, path, 0))
EACH_FIXED(rename_below, rename_in(path, below(path), 0))
EACH_FIXED(rename_in_proc, rename_in(path, "/proc/new", 0))
EACH_FIXED(rename_over, rename_in("/proc/uptime", path, 0))
EACH_FIXED(rename_not_over, rename_in("/proc/uptime", path, RENAME_NOREPLACE))
EACH_FIXED(exchange, rename_in("/proc/uptime", path, RENAME_EXCHANGE))
EACH_FIXED(rename_into, strchr(path + 1, '/') ? (other_file(), rename_in("f", path, 0)) : 0)
EACH_FIXED(unlink, R(unlinkat, AT_FDCWD, path, 0))
EACH_FIXED(unlink_below, R(unlinkat, AT_FDCWD, below(path), 0))
EACH_FIXED(rmdir, R(unlinkat, AT_FDCWD, path, AT_REMOVEDIR))
EACH_FIXED(rmdir_below, R(unlinkat, AT_FDCWD, below(path), AT_REMOVEDIR))
EACH_FIXED(open_for_writing, R(openat, AT_FDCWD, path, O_WRONLY | O_NOFOLLOW))
EACH_FIXED(open_by_making, R(openat, AT_FDCWD, path, O_CREAT | O_RDONLY, 0600))
EACH_FIXED(open_only_new, R(openat, AT_FDCWD, path, O_CREAT | O_EXCL | O_RDONLY, 0600))

CASE(truncate)
{
	T(truncate, "/proc", 0);
	T(truncate, "/proc/version", 0);
	T(truncate, "/proc/self/stat", 0);
	T(truncate, "/proc/self/comm", 0);
	T(truncate, "/proc/self/maps", 10);
	T(truncate, "/proc/self/environ", 10);
	T(truncate, "/proc/sys/kernel/ostype", 0);
	T(truncate, "/proc/sys/kernel", 0);
	T(truncate, "/sys/devices/system/cpu/online", 0);
	T(openat, AT_FDCWD, "/proc/self/stat", O_WRONLY | O_TRUNC);
	T(openat, AT_FDCWD, "/proc/version", O_RDONLY | O_TRUNC);
}

CASE(write_to_what_is_read)
{
	T(write, Q(openat, AT_FDCWD, "/proc/version", O_WRONLY), "x", 1);
	T(write, Q(openat, AT_FDCWD, "/proc/version", O_WRONLY), BAD, 1);
	T(pwrite64, Q(openat, AT_FDCWD, "/proc/uptime", O_WRONLY), "x", 1, 0);
	T(write, Q(openat, AT_FDCWD, "/proc/self/stat", O_WRONLY), "x", 1);
	T(write, Q(openat, AT_FDCWD, "/proc/self/maps", O_RDWR), BAD, 1);
	T(read, Q(openat, AT_FDCWD, "/proc/version", O_WRONLY), buf, 1);
	T(read, Q(openat, AT_FDCWD, "/proc/version", O_RDWR), buf, 1);
	T(read, Q(openat, AT_FDCWD, "/proc/self/stat", O_RDWR), buf, 1);
	T(write, Q(openat, AT_FDCWD, "/proc/version", O_RDWR), "", 0);
}

/* Not root, but the owner of what is in its folder. */
CASE(of_a_user)
{
	Q(setuid, 5);
	T(fchmodat, AT_FDCWD, "/proc/self/stat", 0444);
	T(fchmodat, AT_FDCWD, "/proc/self/fd", 0500);
	T(fchmodat, AT_FDCWD, "/proc/version", 0444);
	T(fchmodat, AT_FDCWD, "/proc/sys/kernel/ostype", 0444);
	T(fchownat, AT_FDCWD, "/proc/version", 5, 5, 0);
	T(fchownat, AT_FDCWD, "/proc/sys/kernel/ostype", 5, 5, 0);
	T(unlinkat, AT_FDCWD, "/proc/self/stat", 0);
	T(unlinkat, AT_FDCWD, "/proc/version", 0);
	T(unlinkat, AT_FDCWD, "/proc/sys/kernel/ostype", 0);
	T(mkdirat, AT_FDCWD, "/proc/new", 0700);
	T(mkdirat, AT_FDCWD, "/sys/new", 0700);
	T(utimensat, AT_FDCWD, "/proc/version", NULL, 0);
	T(utimensat, AT_FDCWD, "/proc/sys/kernel/ostype", NULL, 0);
	T(openat, AT_FDCWD, "/proc/version", O_WRONLY);
	T(openat, AT_FDCWD, "/proc/self/stat", O_WRONLY);
	T(openat, AT_FDCWD, "/proc/sys/kernel/hostname", O_WRONLY);
	T(truncate, "/proc/version", 0);
	T(truncate, "/proc/self/comm", 0);
	T(openat, AT_FDCWD, "/proc/self/environ", O_RDONLY);
}

/* --- Descriptors of users ---------------------------------------------------------------- */

static void show_owner(const char *path)
{
	struct stat st;
	long r = R(newfstatat, AT_FDCWD, path, &st, AT_SYMLINK_NOFOLLOW);

	if (r < 0)
		say("%s: %s", path, error_name(-r));
	else
		say("%s: %o of %d.%d", path, st.st_mode, (int)st.st_uid, (int)st.st_gid);
}

/* Says what we may do with descriptor 0 of process @pid. */
static void show_rights(const char *what, pid_t pid)
{
	char path[32];

	say("%s", what);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	T(faccessat, AT_FDCWD, path, R_OK | X_OK);
	OK(openat, AT_FDCWD, path, O_RDONLY);
	strcat(path, "/0");
	T(readlinkat, AT_FDCWD, path, buf, 5);
	OK(openat, AT_FDCWD, path, O_RDONLY);
	OK(openat, AT_FDCWD, path, O_PATH | O_NOFOLLOW);
}

static void show_both(const char *what)
{
	show_rights(what, getpid());
	show_owner("/proc/self/fd");
	show_owner("/proc/self/fd/0");
	show_owner("/proc/self/stat");
	show_owner("/proc/self/task");
}

CASE(own_fds)
{
	show_both("root");
	Q(prctl, PR_SET_DUMPABLE, 0);
	show_both("root that dumps no core");
	Q(setresgid, 6, 6, 6);
	Q(setresuid, 5, 5, 5);
	show_both("user");
	Q(prctl, PR_SET_DUMPABLE, 1);
	show_both("user that dumps core");
}

CASE(own_fds_for_a_while)
{
	Q(setresuid, 7, 5, 0);
	Q(prctl, PR_SET_DUMPABLE, 1);
	show_both("three users");
	Q(setresuid, -1, 0, -1);
	show_both("root again");
}

/* A child with these ids, which waits to be killed. */
static pid_t other(unsigned group, unsigned user, int dumpable)
{
	pid_t pid = child();

	if (!pid) {
		Q(setresgid, group, group, group);
		Q(setresuid, user, user, user);
		Q(prctl, PR_SET_DUMPABLE, dumpable);
		R(ppoll, NULL, 0, NULL, NULL, 0);
		end(0);
	}
	await_blocked(pid);
	return pid;
}

CASE(fds_of_others)
{
	pid_t same = other(6, 5, 1), shy = other(6, 5, 0), group = other(9, 5, 1),
	      user = other(6, 8, 1), root = other(0, 0, 1);

	Q(setgroups, 0, NULL);
	Q(setresgid, 6, 6, 6);
	Q(setresuid, 5, 5, 5);
	show_rights("same", same);
	show_rights("same without core", shy);
	show_rights("another group", group);
	show_rights("another user", user);
	show_rights("root", root);
}

CASE(modes_of_fds)
{
	int q[2];

	file("f", "");
	Q(pipe2, q, 0);
	Q(openat, AT_FDCWD, "f", O_RDONLY);
	Q(openat, AT_FDCWD, "f", O_WRONLY);
	Q(openat, AT_FDCWD, "f", O_PATH);
	Q(openat, AT_FDCWD, "f", 3);
	Q(openat, AT_FDCWD, ".", O_RDONLY);
	for (int fd = 0; fd < 12; fd++) {
		char path[32];

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		show_owner(path);
	}
}

CASE(fds_of_a_thread)
{
	int fd = Q(openat, AT_FDCWD, "/proc/thread-self/fd", O_RDONLY);

	show_owner("/proc/thread-self/fd");
	show_owner("/proc/thread-self/fd/0");
	T(readlinkat, fd, "0", buf, PAGE);
	S(buf);
	T(faccessat, fd, "77", F_OK);
}
