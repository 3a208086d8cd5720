/* Steps with open files, and with names. */
#include "random.h"

static const struct flag open_flags[] = {
	{ O_CREAT, "O_CREAT" },
	{ O_CREAT, "O_CREAT" },
	{ O_EXCL, "O_EXCL" },
	{ O_TRUNC, "O_TRUNC" },
	{ O_APPEND, "O_APPEND" },
	{ O_DIRECTORY, "O_DIRECTORY" },
	{ O_NOFOLLOW, "O_NOFOLLOW" },
	{ O_CLOEXEC, "O_CLOEXEC" },
};

static void do_open(void)
{
	static const struct flag ways[] = { { O_RDONLY, "O_RDONLY" },
					    { O_WRONLY, "O_WRONLY" },
					    { O_RDWR, "O_RDWR" },
					    { O_RDWR, "O_RDWR" } };
	const struct flag *way = &PICK(ways);
	const char *name = pick_name(), *text;
	long flags = FLAGS(open_flags, &text) | way->value | O_NONBLOCK;

	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return; /* what that means has changed in Linux 6.4 */
	answer(R(openat, AT_FDCWD, name, flags, 0644),
	       "openat(AT_FDCWD, \"%s\", %s | %s | O_NONBLOCK, 0644)", name, way->name, text);
}

static void do_close(void)
{
	int fd = 3 + below(7);

	answer(R(close, fd), "close(%d)", fd);
}

static void do_dup(void)
{
	int fd = pick_fd(), to = 3 + below(8);

	if (below(2))
		answer(R(dup, fd), "dup(%d)", fd);
	else
		answer(R(dup3, fd, to, 0), "dup3(%d, %d, 0)", fd, to);
}

static void do_read(void)
{
	int fd = pick_fd();
	long n = pick_size(), at = pick_offset(), r;

	memset(buf, 0, n);
	if (below(2)) {
		r = R(read, fd, buf, n);
		answer(r, "read(%d, buf, %ld)", fd, n);
	} else {
		r = R(pread64, fd, buf, n, at);
		answer(r, "pread64(%d, buf, %ld, %ld)", fd, n, at);
	}
	if (r > 0)
		say("  data %lx", sum_of(buf, r));
}

static void do_write(void)
{
	int fd = pick_fd();
	long n = pick_size(), at = pick_offset();
	char c = 'a' + below(26);

	memset(buf, c, n);
	if (below(2))
		answer(R(write, fd, buf, n), "write(%d, \"%c...\", %ld)", fd, c, n);
	else
		answer(R(pwrite64, fd, buf, n, at),
		       "pwrite64(%d, \"%c...\", %ld, %ld)", fd, c, n, at);
}

static void do_vectors(void)
{
	int fd = pick_fd();
	long m = pick_size(), n = pick_size(), r;

	memset(buf, 'v', 2 * PAGE);
	memset(buf + 2 * PAGE, 'w', 2 * PAGE);
	if (below(2)) {
		answer(R(writev, fd, io2(buf, m, buf + 2 * PAGE, n), 2),
		       "writev(%d, { %ld, %ld }, 2)", fd, m, n);
		return;
	}
	r = R(readv, fd, io2(buf, m, buf + 2 * PAGE, n), 2);
	answer(r, "readv(%d, { %ld, %ld }, 2)", fd, m, n);
	if (r > 0)
		say("  data %lx", sum_of(buf, 4 * PAGE));
}

static void do_seek(void)
{
	int fd = pick_fd(), whence = below(5);
	long at = pick_offset();

	answer(R(lseek, fd, at, whence), "lseek(%d, %ld, %d)", fd, at, whence);
}

static void do_truncate(void)
{
	int fd = pick_fd();
	long n = pick_offset();
	const char *name = pick_name();

	if (below(3))
		answer(R(ftruncate, fd, n), "ftruncate(%d, %ld)", fd, n);
	else
		answer(R(truncate, name, n), "truncate(\"%s\", %ld)", name, n);
}

static void show_stat(long r, const struct stat *st)
{
	if (r == 0)
		say("  mode 0%o links %lu size %ld", (unsigned)st->st_mode,
		    (unsigned long)st->st_nlink,
		    S_ISDIR(st->st_mode) ? 0 : (long)st->st_size);
}

static void do_fstat(void)
{
	struct stat st;
	int fd = 3 + below(7);
	long r = R(fstat, fd, &st);

	answer(r, "fstat(%d, &st)", fd);
	show_stat(r, &st);
}

static void do_pipe(void)
{
	int p[2];

	answer(R(pipe2, p, O_NONBLOCK), "pipe2(p, O_NONBLOCK)");
}

static void do_fcntl(void)
{
	static const struct flag flags[] = { { O_APPEND, "O_APPEND" }, { O_SYNC, "O_SYNC" } };
	int fd = pick_fd(), least = below(14);
	const char *text;
	long value = FLAGS(flags, &text) | O_NONBLOCK;

	switch (below(5)) {
	case 0:
		answer(R(fcntl, fd, F_GETFD), "fcntl(%d, F_GETFD)", fd);
		break;
	case 1:
		answer(R(fcntl, fd, F_SETFD, least & 1), "fcntl(%d, F_SETFD, %d)", fd, least & 1);
		break;
	case 2:
		value = R(fcntl, fd, F_GETFL);
		answer(value < 0 ? value : value & ~O_LARGEFILE_RAW, "fcntl(%d, F_GETFL)", fd);
		break;
	case 3:
		answer(R(fcntl, fd, F_SETFL, value),
		       "fcntl(%d, F_SETFL, %s | O_NONBLOCK)", fd, text);
		break;
	default:
		answer(R(fcntl, fd, F_DUPFD, least), "fcntl(%d, F_DUPFD, %d)", fd, least);
	}
}

static void do_poll(void)
{
	struct pollfd f[2] = { { pick_fd(), POLLIN | POLLOUT, 0 }, { pick_fd(), POLLIN, 0 } };
	int which = below(2) + 1;

	answer(R(ppoll, f, which, ts(0, 0), NULL, 8), "ppoll({ %d, %d }, %d, 0)", f[0].fd, f[1].fd,
	       which);
	say("  events %x %x", f[0].revents, f[1].revents);
}

static void do_list(void)
{
	int fd = 3 + below(7), names = 0;
	long n = R(getdents64, fd, buf, PAGE);
	unsigned long sum = 0;

	for (long at = 0; at < n; at += ((struct linux_dirent *)(buf + at))->reclen) {
		struct linux_dirent *d = (struct linux_dirent *)(buf + at);

		sum += sum_of(d->name, strlen(d->name)) + d->type;
		names++;
	}
	answer(n < 0 ? n : names, "getdents64(%d, buf, PAGE)", fd);
	say("  names %lx", sum);
}

static void do_mode(void)
{
	static const int modes[] = { 0, 0644, 0755, 01777, 04755, 02755 };
	int fd = 3 + below(7), mode = PICK(modes);
	const char *name = pick_name();

	if (below(2))
		answer(R(fchmod, fd, mode), "fchmod(%d, 0%o)", fd, mode);
	else
		answer(R(fchmodat, AT_FDCWD, name, mode),
		       "fchmodat(AT_FDCWD, \"%s\", 0%o)", name, mode);
}

const struct step file_steps[] = {
	{ "open", do_open, 30 },
	{ "close", do_close, 6 },
	{ "dup", do_dup, 4 },
	{ "read", do_read, 12 },
	{ "write", do_write, 14 },
	{ "vectors", do_vectors, 6 },
	{ "seek", do_seek, 8 },
	{ "truncate", do_truncate, 6 },
	{ "fstat", do_fstat, 6 },
	{ "pipe", do_pipe, 4 },
	{ "fcntl", do_fcntl, 6 },
	{ "poll", do_poll, 4 },
	{ "list", do_list, 4 },
	{ "mode", do_mode, 3 },
	END_OF_STEPS,
};

/* --- Names ------------------------------------------------------------------------------- */

static void do_stat(void)
{
	static const struct flag flags[] = { { AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW" } };
	struct stat st;
	const char *name = pick_name(), *text;
	long how = FLAGS(flags, &text), r = R(newfstatat, AT_FDCWD, name, &st, how);

	answer(r, "newfstatat(AT_FDCWD, \"%s\", &st, %s)", name, text);
	show_stat(r, &st);
}

static void do_mkdir(void)
{
	const char *name = pick_name();

	answer(R(mkdirat, AT_FDCWD, name, 0755), "mkdirat(AT_FDCWD, \"%s\", 0755)", name);
}

static void do_unlink(void)
{
	const char *name = pick_name();
	int folder = below(2);

	answer(R(unlinkat, AT_FDCWD, name, folder ? AT_REMOVEDIR : 0),
	       "unlinkat(AT_FDCWD, \"%s\", %s)",
	       name, folder ? "AT_REMOVEDIR" : "0");
}

static void do_rename(void)
{
	static const struct flag flags[] = { { RENAME_NOREPLACE, "RENAME_NOREPLACE" } };
	const char *name = pick_name(), *to = pick_name(), *text;
	long how = FLAGS(flags, &text);

	if (!strcmp(to, "."))
		return;
	answer(R(renameat2, AT_FDCWD, name, AT_FDCWD, to, how),
	       "renameat2(AT_FDCWD, \"%s\", AT_FDCWD, \"%s\", %s)", name, to, text);
}

static void do_link(void)
{
	const char *name = pick_name(), *to = pick_name();

	answer(R(linkat, AT_FDCWD, name, AT_FDCWD, to, 0),
	       "linkat(AT_FDCWD, \"%s\", AT_FDCWD, \"%s\", 0)", name, to);
}

static void do_symlink(void)
{
	const char *target = pick_name(), *name = pick_name();

	answer(R(symlinkat, target, AT_FDCWD, name),
	       "symlinkat(\"%s\", AT_FDCWD, \"%s\")", target, name);
}

static void do_readlink(void)
{
	const char *name = pick_name();
	long n = 1 + below(10);

	answer(R(readlinkat, AT_FDCWD, name, buf, n),
	       "readlinkat(AT_FDCWD, \"%s\", buf, %ld)", name, n);
}

static void do_access(void)
{
	const char *name = pick_name();
	int how = below(9);

	answer(R(faccessat, AT_FDCWD, name, how), "faccessat(AT_FDCWD, \"%s\", %d)", name, how);
}

static void do_chdir(void)
{
	static const char *const names[] = { "d", "d/e", ".", "l" }; /* never up */
	const char *name = PICK(names);

	answer(R(chdir, name), "chdir(\"%s\")", name);
}

const struct step name_steps[] = {
	{ "stat", do_stat, 6 },
	{ "mkdir", do_mkdir, 8 },
	{ "unlink", do_unlink, 6 },
	{ "rename", do_rename, 8 },
	{ "link", do_link, 4 },
	{ "symlink", do_symlink, 4 },
	{ "readlink", do_readlink, 2 },
	{ "access", do_access, 2 },
	{ "chdir", do_chdir, 1 },
	END_OF_STEPS,
};
