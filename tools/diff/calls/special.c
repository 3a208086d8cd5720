/* Files by other means: space ahead, copies inside the kernel, files without a name, devices. */
#include "diff.h"

CASE(fallocate)
{
	struct stat st;
	int fd = file("a", "abc");

	T(fallocate, fd, 0, 0, 100);
	T(lseek, fd, 0, SEEK_END);
	T(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 2 * PAGE);
	T(fstat, fd, &st);
	V(st.st_size);
	V(st.st_blocks);
	T(fallocate, fd, 0, 0, 0);
	T(fallocate, fd, 0, -1, 1);
	T(fallocate, fd, 0, 0, -1);
	T(fallocate, fd, FALLOC_FL_PUNCH_HOLE, 0, 1);
	T(fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1, 1);
	T(pread64, fd, buf, 3, 0);
	V(buf[1]);
	V(buf[2]);
	T(fallocate, fd, 0x80, 0, 1);
	T(fallocate, fd, 0, 0x7fffffffffffffff, 1);
	T(fallocate, 77, 0, 0, 0);
	T(fallocate, 77, 0, 0, 1);
	T(openat, AT_FDCWD, ".", O_RDONLY);
	T(fallocate, 4, 0, 0, 1);
	T(fallocate, 0, 0, 0, 1);
}

CASE(fadvise)
{
	int fd = file("a", "abc");

	T(fadvise64, fd, 0, 0, POSIX_FADV_NORMAL);
	T(fadvise64, fd, 0, 100, POSIX_FADV_DONTNEED);
	T(fadvise64, fd, 0, 0, 6);
	T(fadvise64, fd, 0, -1, 0);
	T(fadvise64, 77, 0, 0, 6);
}

CASE(readahead)
{
	int fd = file("a", "abc"), p[2];

	T(readahead, fd, 0, 3);
	T(readahead, fd, 100, 1 << 20);
	T(readahead, fd, 0, -1);
	T(readahead, 77, 0, -1);
	T(readahead, Q(openat, AT_FDCWD, "a", O_WRONLY), 0, 3);
	T(readahead, Q(openat, AT_FDCWD, ".", O_RDONLY), 0, 3);
	Q(pipe2, p, 0);
	T(readahead, p[0], 0, 3);
	T(readahead, p[1], 0, 3);
}

CASE(sync)
{
	int fd = file("a", "abc");

	T(fsync, fd);
	T(fdatasync, fd);
	T(syncfs, fd);
	T(fsync, 77);
	T(fsync, 0);
	T(openat, AT_FDCWD, ".", O_RDONLY);
	T(fsync, 4);
}

CASE(sendfile)
{
	int in = file("a", "0123456789"), out = file("b", "");
	long at = 2;

	T(sendfile, out, in, NULL, 4);
	T(lseek, in, 0, SEEK_CUR);
	T(sendfile, out, in, &at, 3);
	V(at);
	T(lseek, in, 0, SEEK_CUR);
	T(sendfile, out, in, NULL, 100);
	T(sendfile, out, in, NULL, 100);
	T(pread64, out, buf, 100, 0);
	S(buf);
	T(sendfile, out, 77, NULL, 1);
	T(sendfile, 77, in, NULL, 1);
	T(sendfile, out, in, BAD, 1);
	at = -1;
	T(sendfile, out, in, &at, 1);
	T(sendfile, out, in, NULL, 0);
	T(openat, AT_FDCWD, "b", O_WRONLY | O_APPEND);
	at = 0;
	T(sendfile, 5, in, &at, 1);
}

/* Bytes that did not fit into the target are not taken from the source. */
CASE(sent_in_part)
{
	int in = file("a", ""), out = file("b", "");
	long at = 10, to = 60;

	fill(in, 2 * PAGE);
	Q(lseek, in, 20, SEEK_SET);
	signal(SIGXFSZ, SIG_IGN);
	Q(prlimit64, 0, RLIMIT_FSIZE, lim(100, 100), NULL);
	T(sendfile, out, in, &at, 2 * PAGE);
	V(at);
	Q(ftruncate, out, 0);
	Q(lseek, out, 50, SEEK_SET);
	T(sendfile, out, in, NULL, PAGE);
	T(lseek, in, 0, SEEK_CUR);
	T(sendfile, out, in, &at, 1);
	V(at);
	at = 10;
	T(copy_file_range, in, &at, out, &to, PAGE, 0);
	V(at);
	V(to);
}

CASE(sendfile_from_files_of_the_kernel)
{
	static const char *const names[] = {
		"/proc/version", "/proc/stat", "/proc/loadavg", "/proc/sys/kernel/ostype",
		"/proc/sys/kernel/pid_max", "/proc/self/stat", "/proc/self/status",
		"/proc/self/comm", "/proc/self/cmdline", "/proc/self/maps", "/proc/self/limits",
		"/proc/self/mounts", "/proc/self/mountinfo", "/proc/self/environ",
		"/proc/self/auxv", "/sys/devices/system/cpu/possible",
	};
	int out = file("b", "");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int in = Q(openat, AT_FDCWD, names[i], O_RDONLY);
		long n = R(sendfile, out, in, NULL, 1);

		say("%s: %s", names[i], error_name(n > 0 ? 0 : -n));
	}
}

CASE(sendfile_to_a_pipe)
{
	int in = file("a", ""), p[2];

	fill(in, 20 * PAGE);
	Q(pipe2, p, 0);
	T(sendfile, p[1], in, bits(1), 30 * PAGE);
	Q(read, p[0], buf, PAGE);
	T(sendfile, p[1], in, bits(1), 1);
	Q(fcntl, p[1], F_SETFL, O_NONBLOCK);
	T(sendfile, p[1], in, bits(1), 1);
	T(sendfile, p[1], in, bits(1), 0);
}

CASE(copy_file_range)
{
	int in = file("a", "0123456789"), out = file("b", "");

	T(copy_file_range, in, NULL, out, NULL, 4, 0);
	T(copy_file_range, in, NULL, out, NULL, 100, 0);
	T(copy_file_range, in, NULL, out, NULL, 100, 0);
	T(copy_file_range, in, NULL, out, NULL, 1, 1);
	T(pread64, out, buf, 100, 0);
	S(buf);
}

/* Bytes beyond the end are not copied, so they overlap with nothing. */
CASE(copy_within_a_file)
{
	int fd = file("a", "0123456789");
	long from = 5, to = 20;

	T(copy_file_range, fd, &from, fd, &to, 100, 0);
	V(from);
	V(to);
	from = 10, to = 0;
	T(copy_file_range, fd, &from, fd, &to, 10, 0);
	from = 30, to = 31;
	T(copy_file_range, fd, &from, fd, &to, 100, 0);
	from = 0, to = 24;
	T(copy_file_range, fd, &from, fd, &to, 25, 0);
	T(copy_file_range, fd, &from, fd, &to, 24, 0);
	V(R(pread64, fd, buf, 100, 0));
}

CASE(temporary_file)
{
	struct stat st, folder;

	T(openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600);
	T(fstat, 3, &st);
	V(st.st_nlink);
	Q(newfstatat, AT_FDCWD, ".", &folder, 0);
	V(st.st_dev == folder.st_dev);
	T(openat, AT_FDCWD, ".", O_TMPFILE | O_RDONLY, 0600);
	T(openat, AT_FDCWD, ".", O_TMPFILE & ~O_DIRECTORY, 0600);
}

CASE(memory_file)
{
	struct stat st;

	T(memfd_create, "x", MFD_CLOEXEC);
	T(fcntl, 3, F_GETFD);
	T(write, 3, "abc", 3);
	T(ftruncate, 3, PAGE);
	T(fstat, 3, &st);
	O(st.st_mode);
	V(st.st_nlink);
	V(st.st_size);
	T(fcntl, 3, F_GET_SEALS);
	T(memfd_create, "x", 0x8000);
	T(memfd_create, BAD, 0);
	T(memfd_create, "y", MFD_ALLOW_SEALING);
	T(fcntl, 4, F_GET_SEALS);
	T(fcntl, 4, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW);
	T(write, 4, "a", 1);
	T(ftruncate, 4, 1);
}

/* A program that nobody may make another one. */
CASE(memory_file_sealed_as_it_is)
{
	int fd = Q(memfd_create, "m", MFD_ALLOW_SEALING);
	char *p;

	Q(ftruncate, fd, PAGE);
	p = (char *)Q(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	T(fcntl, fd, F_ADD_SEALS, F_SEAL_EXEC);
	T(fcntl, fd, F_GET_SEALS);
	Q(munmap, p, PAGE);
	T(fcntl, fd, F_ADD_SEALS, F_SEAL_EXEC);
	T(fcntl, fd, F_GET_SEALS);
	T(write, fd, "a", 1);
	T(ftruncate, fd, 0);
}

CASE(memory_file_never_executed)
{
	int fd = Q(memfd_create, "m", MFD_NOEXEC_SEAL);

	T(fcntl, fd, F_GET_SEALS);
	T(fchmod, fd, 0600);
	T(fchmod, fd, 0700);
	T(fchmod, fd, 0666);
}

CASE(devices)
{
	T(openat, AT_FDCWD, "/dev/null", O_RDWR);
	T(write, 3, BAD, 5);
	T(read, 3, BAD, 5);
	T(lseek, 3, 77, SEEK_SET);
	T(lseek, 3, -1, SEEK_SET);
	T(pread64, 3, buf, 1, 5);
	T(ioctl, 3, TCGETS, buf);
	T(openat, AT_FDCWD, "/dev/zero", O_RDWR);
	buf[0] = 1;
	T(read, 4, buf, 5);
	V(buf[0]);
	T(write, 4, buf, 5);
	T(read, 4, BAD, 5);
	T(write, 4, BAD, 5);
	T(openat, AT_FDCWD, "/dev/full", O_RDWR);
	T(write, 5, buf, 5);
	T(read, 5, buf, 5);
}

/* To programs, 0 is no device: tar leaves its own archive out by this number. */
CASE(device_number)
{
	struct stat s;

	file("a", "");
	Q(newfstatat, AT_FDCWD, "a", &s, 0);
	V(s.st_dev != 0);
}

/* By its name in /proc a file without one is opened as others are. */
CASE(opened_again_directly)
{
	const int fds[] = { Q(memfd_create, "m", 0),
			    Q(openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600),
			    Q(eventfd2, 0, 0) };
	char path[40];
	int p[2];

	Q(pipe2, p, O_NONBLOCK);
	for (int i = 0; i < 5; i++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", i < 3 ? fds[i] : p[i - 3]);
		say("%d", i);
		OK(openat, AT_FDCWD, path, O_RDWR | O_NONBLOCK);
		OK(openat, AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_DIRECT);
	}
}
