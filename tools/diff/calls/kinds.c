/* Each call on each kind of open file: a line a kind. */
#include "diff.h"
#include "kinds.h"

static const char text[] = "0123456789";

static int removed(void)
{
	int fd = file("f", text);

	Q(unlinkat, AT_FDCWD, "f", 0);
	return fd;
}

static int place_of_link(void)
{
	R(symlinkat, "target", AT_FDCWD, "l");
	return Q(openat, AT_FDCWD, "l", O_PATH | O_NOFOLLOW);
}

static int folder(void)
{
	R(mkdirat, AT_FDCWD, "d", 0700);
	return Q(openat, AT_FDCWD, "d", O_RDONLY | O_DIRECTORY);
}

static int place_of_folder(void)
{
	R(mkdirat, AT_FDCWD, "d", 0700);
	return Q(openat, AT_FDCWD, "d", O_PATH);
}

/* Both ends stay open; a case's process is gone soon. */
static int pipe_end(int which)
{
	int p[2];

	Q(pipe2, p, O_NONBLOCK);
	Q(write, p[1], text, 5);
	return p[which];
}

static int read_end(void)
{
	return pipe_end(0);
}

static int write_end(void)
{
	return pipe_end(1);
}

static int fifo(void)
{
	R(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	return Q(openat, AT_FDCWD, "p", O_RDWR | O_NONBLOCK);
}

static int event(void)
{
	return Q(eventfd2, 3, EFD_NONBLOCK);
}

static int timer(void)
{
	return Q(timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);
}

static int memory(void)
{
	int fd = Q(memfd_create, "m", MFD_ALLOW_SEALING);

	Q(write, fd, text, 5);
	return fd;
}

static int queue(void)
{
	char name[40];
	int fd;

	snprintf(name, sizeof(name), "diff-%d", getpid());
	fd = Q(mq_open, name, O_RDWR | O_CREAT | O_EXCL | O_NONBLOCK, 0600, NULL);
	Q(mq_unlink, name);
	return fd;
}

static int signals(void)
{
	uint64_t set = 1ul << (SIGUSR1 - 1);

	return Q(signalfd4, -1, &set, 8, O_NONBLOCK);
}

static int closed(void)
{
	return 77;
}

/* The first are the test's own; the machine's must not be changed, and not opened for it. */
const struct kind kinds[] = {
	{ "file", NULL, "f", O_RDWR },
	{ "file to read", NULL, "f", O_RDONLY },
	{ "file to write", NULL, "f", O_WRONLY },
	{ "file to append", NULL, "f", O_RDWR | O_APPEND },
	{ "removed file", removed, NULL, 0 },
	{ "file without name", NULL, ".", O_TMPFILE | O_RDWR },
	{ "O_PATH", NULL, "f", O_PATH },
	{ "O_PATH of link", place_of_link, NULL, 0 },
	{ "folder", folder, NULL, 0 },
	{ "O_PATH of folder", place_of_folder, NULL, 0 },
	{ "pipe to read", read_end, NULL, 0 },
	{ "pipe to write", write_end, NULL, 0 },
	{ "FIFO", fifo, NULL, 0 },
	{ "eventfd", event, NULL, 0 },
	{ "timerfd", timer, NULL, 0 },
	{ "memfd", memory, NULL, 0 },
	{ "message queue", queue, NULL, 0 },
	{ "signalfd", signals, NULL, 0 },
	{ "closed", closed, NULL, 0 },
	{ "null", NULL, "/dev/null", O_RDWR },
	{ "zero", NULL, "/dev/zero", O_RDWR },
	{ "full", NULL, "/dev/full", O_RDWR },
	{ "urandom", NULL, "/dev/urandom", O_RDWR },
	{ "stat of process", NULL, "/proc/self/stat", O_RDONLY },
	{ "setting", NULL, "/proc/sys/kernel/ostype", O_RDONLY },
};

int kind_open(const struct kind *k)
{
	if (k->open)
		return k->open();
	if (!strcmp(k->path, "f"))
		close(file("f", text));
	return Q(openat, AT_FDCWD, k->path, k->flags, 0600);
}

void kind_answers(const struct kind *k, long result)
{
	if (result < 0)
		say("%s: %s", k->name, error_name(-result));
	else
		say("%s: %ld", k->name, result);
}

static const char *self_fd(int fd)
{
	static char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* --- Moving data ------------------------------------------------------------------------- */

EACH(read, ALL, R(read, fd, buf, 4))
EACH(read_nothing, ALL, R(read, fd, buf, 0))
EACH(read_eight, ALL, R(read, fd, buf, 8))
EACH(read_to_nowhere, ALL, R(read, fd, BAD, 8))
EACH(read_nothing_to_nowhere, ALL, R(read, fd, BAD, 0))
EACH(read_too_much, ALL, R(read, fd, buf, -1))
EACH(read_at_the_edge, ALL, R(read, fd, edge(2), 4))
EACH(write, ALL, R(write, fd, text, 4))
EACH(write_nothing, ALL, R(write, fd, text, 0))
EACH(write_eight, ALL, R(write, fd, text, 8))
EACH(write_from_nowhere, ALL, R(write, fd, BAD, 8))
EACH(write_nothing_from_nowhere, ALL, R(write, fd, BAD, 0))
EACH(write_too_much, ALL, R(write, fd, buf, -1))
EACH(write_at_the_edge, ALL, R(write, fd, edge(2), 4))
EACH(pread, ALL, R(pread64, fd, buf, 8, 0))
EACH(pread_later, ALL, R(pread64, fd, buf, 8, 7))
EACH(pread_nothing, ALL, R(pread64, fd, buf, 0, 0))
EACH(pread_before, ALL, R(pread64, fd, buf, 8, -1))
EACH(pread_at_the_end, ALL, R(pread64, fd, buf, 8, 0x7fffffffffffffff))
EACH(pwrite, ALL, R(pwrite64, fd, text, 8, 0))
EACH(pwrite_nothing, ALL, R(pwrite64, fd, text, 0, 0))
EACH(pwrite_before, ALL, R(pwrite64, fd, text, 8, -1))
EACH(pwrite_at_the_end, ALL, R(pwrite64, fd, text, 8, 0x7fffffffffffffff))
EACH(readv, ALL, R(readv, fd, io2(buf, 4, buf + 10, 4), 2))
EACH(readv_nothing, ALL, R(readv, fd, BAD, 0))
EACH(readv_of_empty, ALL, R(readv, fd, io2(BAD, 0, BAD, 0), 2))
EACH(readv_bad_vector, ALL, R(readv, fd, BAD, 1))
EACH(readv_too_many, ALL, R(readv, fd, BAD, 1025))
EACH(readv_negative, ALL, R(readv, fd, io(buf, -1), 1))
EACH(writev, ALL, R(writev, fd, io2((void *)text, 4, (void *)text, 4), 2))
EACH(writev_nothing, ALL, R(writev, fd, BAD, 0))
EACH(writev_of_empty, ALL, R(writev, fd, io2(BAD, 0, BAD, 0), 2))
EACH(writev_bad_segment, ALL, R(writev, fd, io2((void *)text, 4, BAD, 4), 2))
EACH(preadv, ALL, R(preadv, fd, io(buf, 8), 1, 1, 0))
EACH(pwritev, ALL, R(pwritev, fd, io((void *)text, 8), 1, 1, 0))
EACH(preadv2, ALL, R(preadv2, fd, io(buf, 8), 1, -1, -1, 0))
EACH(preadv2_high_priority, ALL, R(preadv2, fd, io(buf, 8), 1, 0, 0, RWF_HIPRI))
EACH(preadv2_unknown, ALL, R(preadv2, fd, io(buf, 8), 1, -1, -1, 0x40000000))
EACH(preadv2_nothing_unknown, ALL, R(preadv2, fd, io(buf, 0), 1, -1, -1, 0x40000000))
EACH(pwritev2_append, ALL, R(pwritev2, fd, io((void *)text, 8), 1, 0, 0, RWF_APPEND))
EACH(pwritev2_unknown, ALL, R(pwritev2, fd, io((void *)text, 8), 1, -1, -1, 0x40000000))

/* --- Positions and sizes ----------------------------------------------------------------- */

EACH(seek, ALL, R(lseek, fd, 5, SEEK_SET))
EACH(seek_before, ALL, R(lseek, fd, -1, SEEK_SET))
EACH(seek_far, ALL, R(lseek, fd, 0x7fffffffffffffff, SEEK_SET))
EACH(seek_on, ALL, R(lseek, fd, 3, SEEK_CUR))
EACH(seek_the_end, OWN, R(lseek, fd, 0, SEEK_END))
EACH(seek_data, OWN, R(lseek, fd, 0, SEEK_DATA))
EACH(seek_hole, OWN, R(lseek, fd, 0, SEEK_HOLE))
EACH(seek_unknown, ALL, R(lseek, fd, 0, 5))
EACH(seek_negative_whence, ALL, R(lseek, fd, 0, -1))
EACH(ftruncate, ALL, R(ftruncate, fd, 3))
EACH(ftruncate_larger, OWN, R(ftruncate, fd, PAGE))
EACH(ftruncate_negative, ALL, R(ftruncate, fd, -1))
EACH(fallocate, ALL, R(fallocate, fd, 0, 0, PAGE))
EACH(fallocate_nothing, ALL, R(fallocate, fd, 0, 0, 0))
EACH(fallocate_keep, ALL, R(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, PAGE))
EACH(fallocate_hole, ALL, R(fallocate, fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 1))
EACH(fallocate_unknown, ALL, R(fallocate, fd, 0x8000, 0, 1))
EACH(fallocate_too_far, ALL, R(fallocate, fd, 0, 0x7fffffffffffffff, 1))
EACH(fsync, ALL, R(fsync, fd))
EACH(fdatasync, ALL, R(fdatasync, fd))
EACH(syncfs, OWN, R(syncfs, fd))
EACH(sync_range, ALL, R(sync_file_range, fd, 0, 10, 0))
EACH(sync_range_unknown, ALL, R(sync_file_range, fd, 0, 10, 8))
EACH(sync_range_negative, ALL, R(sync_file_range, fd, -1, 10, 0))
EACH(advice, ALL, R(fadvise64, fd, 0, 0, POSIX_FADV_NORMAL))
EACH(advice_dont_need, ALL, R(fadvise64, fd, 0, 10, POSIX_FADV_DONTNEED))
EACH(advice_unknown, ALL, R(fadvise64, fd, 0, 0, 6))
EACH(advice_negative, ALL, R(fadvise64, fd, 0, -1, POSIX_FADV_NORMAL))

/* --- What files are asked and told ------------------------------------------------------- */

EACH(flags, ALL, R(fcntl, fd, F_GETFL))
EACH(set_all_flags, OWN, (R(fcntl, fd, F_SETFL, -1 & ~O_DIRECT & ~O_ASYNC), R(fcntl, fd, F_GETFL)))
EACH(set_async, ALL, (R(fcntl, fd, F_SETFL, O_ASYNC), R(fcntl, fd, F_GETFL) & O_ASYNC))
EACH(turn_async_on, ALL, R(ioctl, fd, FIOASYNC, num(1)))
EACH(turn_async_off, ALL, R(ioctl, fd, FIOASYNC, num(0)))
EACH(turn_async_nowhere, ALL, R(ioctl, fd, FIOASYNC, BAD))
EACH(owner, ALL, R(fcntl, fd, F_GETOWN))
EACH(set_owner, ALL, R(fcntl, fd, F_SETOWN, getpid()))
EACH(set_owner_of_socket, ALL, R(ioctl, fd, FIOSETOWN, num(getpid())))
EACH(set_group_of_socket, ALL, R(ioctl, fd, SIOCSPGRP, num(getpid())))
EACH(owner_of_socket, ALL, R(ioctl, fd, FIOGETOWN, num(0)))
EACH(signal_of_owner, ALL, R(fcntl, fd, F_GETSIG))
EACH(set_signal_of_owner, ALL, R(fcntl, fd, F_SETSIG, SIGUSR1))
EACH(lease, ALL, R(fcntl, fd, F_GETLEASE))
EACH(set_direct, ALL, R(fcntl, fd, F_SETFL, O_DIRECT))
EACH(flag_of_descriptor, ALL, R(fcntl, fd, F_GETFD))
EACH(pipe_size, ALL, R(fcntl, fd, F_GETPIPE_SZ))
EACH(set_pipe_size, ALL, R(fcntl, fd, F_SETPIPE_SZ, PAGE))
EACH(seals, OWN, R(fcntl, fd, F_GET_SEALS))
EACH(add_seals, OWN, R(fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK))
EACH(add_unknown_seals, OWN, R(fcntl, fd, F_ADD_SEALS, 0x1000))
EACH(unknown_fcntl, ALL, R(fcntl, fd, 9999))
EACH(duplicated, ALL, R(fcntl, fd, F_DUPFD, 100) / 100)
EACH(not_blocking, ALL, R(ioctl, fd, FIONBIO, num(1)))
EACH(not_blocking_nowhere, ALL, R(ioctl, fd, FIONBIO, BAD))
EACH(closed_by_exec, ALL, (R(ioctl, fd, FIOCLEX), R(fcntl, fd, F_GETFD)))
EACH(bytes_to_read, ALL, R(ioctl, fd, FIONREAD, bits(0)))
EACH(bytes_to_read_nowhere, ALL, R(ioctl, fd, FIONREAD, BAD))
EACH(block_size, OWN, R(ioctl, fd, 2, bits(0)))
EACH(terminal_settings, ALL, R(ioctl, fd, TCGETS, buf))
EACH(terminal_size, ALL, R(ioctl, fd, TIOCGWINSZ, buf))
EACH(terminal_group, ALL, R(ioctl, fd, TIOCGPGRP, buf))
EACH(unknown_ioctl, ALL, R(ioctl, fd, 0x12345678, buf))

/* --- Locks ------------------------------------------------------------------------------- */

static long lock(int fd, int command, int type, int whence)
{
	struct linux_lock l = { .type = (short)type, .whence = (short)whence, .len = 1 };

	return R(fcntl, fd, command, &l);
}

EACH(flock_shared, ALL, R(flock, fd, LOCK_SH | LOCK_NB))
EACH(flock_unknown, ALL, R(flock, fd, LOCK_SH | LOCK_EX))
EACH(lock_to_read, ALL, lock(fd, F_SETLK, F_RDLCK, SEEK_SET))
EACH(lock_to_write, OWN, lock(fd, F_SETLK, F_WRLCK, SEEK_SET))
EACH(lock_from_the_end, OWN, lock(fd, F_SETLK, F_UNLCK, SEEK_END))
EACH(lock_unknown, ALL, lock(fd, F_SETLK, 7, SEEK_SET))
EACH(lock_looked_at, ALL, lock(fd, F_GETLK, F_WRLCK, SEEK_SET))
EACH(lock_of_description, OWN, lock(fd, F_OFD_SETLK, F_RDLCK, SEEK_SET))
EACH(lock_nowhere, ALL, R(fcntl, fd, F_SETLK, BAD))

/* --- Metadata ---------------------------------------------------------------------------- */

static long field(int fd, int which)
{
	struct stat st;
	long error = R(fstat, fd, &st);

	if (error)
		return error;
	switch (which) {
	case 0:
		return st.st_mode;
	case 1:
		return st.st_nlink;
	case 2:
		return st.st_blksize;
	}
	return st.st_size;
}

static long file_system(int fd)
{
	struct linux_statfs fs;
	long error = R(fstatfs, fd, &fs);

	return error ? error : fs.type;
}

EACH(mode, OWN, field(fd, 0))
EACH(links, OWN, field(fd, 1))
EACH(best_block, OWN, field(fd, 2))
EACH(size, 8, field(fd, 3))
EACH(stat_nowhere, ALL, R(fstat, fd, BAD))
EACH(stat_by_empty_path, OWN, R(newfstatat, fd, "", buf, AT_EMPTY_PATH))
EACH(stat_below, ALL, R(newfstatat, fd, "x", buf, 0))
EACH(statx_by_empty_path, OWN, R(statx, fd, "", AT_EMPTY_PATH, 0, buf))
EACH(kind_of_file_system, OWN, file_system(fd))
EACH(chmod, OWN, R(fchmod, fd, 0600))
EACH(chmod_by_empty_path, OWN, R(fchmodat2, fd, "", 0600, AT_EMPTY_PATH))
EACH(chmod_by_proc, OWN, R(fchmodat, AT_FDCWD, self_fd(fd), 0600))
EACH(chown, OWN, R(fchown, fd, 0, 0))
EACH(chown_by_empty_path, OWN, R(fchownat, fd, "", 0, 0, AT_EMPTY_PATH))
EACH(times, OWN, R(utimensat, fd, NULL, NULL, 0))
EACH(times_by_empty_path, OWN, R(utimensat, fd, "", NULL, AT_EMPTY_PATH))
EACH(access_by_empty_path, ALL, R(faccessat2, fd, "", R_OK, AT_EMPTY_PATH))

/* --- As a place in the tree -------------------------------------------------------------- */

EACH(list, OWN, R(getdents64, fd, buf, 100))
EACH(list_little_room, OWN, R(getdents64, fd, buf, 1))
EACH(enter, ALL, (R(fchdir, fd) ? R(fchdir, fd) : R(chdir, "..")))
EACH(open_below, ALL, R(openat, fd, "x", O_RDONLY))
EACH(make_below, ALL, R(mkdirat, fd, "", 0700))
EACH(link_by_empty_path, OWN, R(linkat, fd, "", AT_FDCWD, "new", AT_EMPTY_PATH))
EACH(link_by_proc, OWN, R(linkat, AT_FDCWD, self_fd(fd), AT_FDCWD, "new", AT_SYMLINK_FOLLOW))
EACH(readlink_of_itself, OWN, R(readlinkat, fd, "", buf, PAGE))
EACH(open_again, OWN, R(openat, AT_FDCWD, self_fd(fd), O_RDONLY | O_NONBLOCK) > 0)
EACH(open_again_to_write, OWN, R(openat, AT_FDCWD, self_fd(fd), O_WRONLY | O_NONBLOCK) > 0)
EACH(truncate_by_proc, OWN, R(truncate, self_fd(fd), 1))

/* --- Memory ------------------------------------------------------------------------------ */

static long mapped(int fd, int protection, int flags)
{
	long at = R(mmap, 0, PAGE, protection, flags, fd, 0);

	return at < 0 && at > -4096 ? at : 0;
}

EACH(map_private, ALL, mapped(fd, PROT_READ, MAP_PRIVATE))
EACH(map_private_to_write, ALL, mapped(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE))
EACH(map_shared, ALL, mapped(fd, PROT_READ, MAP_SHARED))
EACH(map_shared_to_write, ALL, mapped(fd, PROT_READ | PROT_WRITE, MAP_SHARED))
EACH(map_checked, ALL, mapped(fd, PROT_READ, MAP_SHARED_VALIDATE))
EACH(map_checked_unknown, ALL, mapped(fd, PROT_READ, MAP_SHARED_VALIDATE | 0x40000000))
EACH(map_no_kind, ALL, mapped(fd, PROT_READ, 0))

/* --- Waiting ----------------------------------------------------------------------------- */

static long ready(int fd, int events)
{
	struct pollfd f = { .fd = fd, .events = (short)events };
	long n = R(ppoll, &f, 1, ts(0, 0), NULL, 8);

	return n < 0 ? n : f.revents;
}

static long selected(int fd, int which)
{
	unsigned long in[16] = { 0 }, out[16] = { 0 }, except[16] = { 0 };

	(which == 0 ? in : which == 1 ? out : except)[fd / 64] = 1UL << fd % 64;
	return R(pselect6, fd + 1, in, out, except, ts(0, 0), NULL);
}

EACH(ready, ALL, ready(fd, -1))
EACH(ready_for_nothing, ALL, ready(fd, 0))
EACH(select_to_read, ALL, selected(fd, 0))
EACH(select_to_write, ALL, selected(fd, 1))
EACH(select_exceptions, ALL, selected(fd, 2))

/* --- From file to file ------------------------------------------------------------------- */

static int other(void)
{
	return file("other", text);
}

EACH(send_from, ALL, R(sendfile, other(), fd, NULL, 4))
EACH(send_from_a_place, ALL, R(sendfile, other(), fd, bits(1), 4))
EACH(send_nothing_from, ALL, R(sendfile, other(), fd, NULL, 0))
EACH(send_to, ALL, R(sendfile, fd, other(), NULL, 8))
EACH(send_nothing_to, ALL, R(sendfile, fd, other(), NULL, 0))
EACH(copy_from, ALL, R(copy_file_range, fd, NULL, other(), NULL, 4, 0))
EACH(copy_to, ALL, R(copy_file_range, other(), NULL, fd, NULL, 4, 0))
EACH(copy_nothing_to, ALL, R(copy_file_range, other(), NULL, fd, NULL, 0, 0))

/* --- Calls of one kind on the others ----------------------------------------------------- */

EACH(set_timer, OWN, R(timerfd_settime, fd, 0, buf, NULL))
EACH(look_at_timer, OWN, R(timerfd_gettime, fd, buf))
