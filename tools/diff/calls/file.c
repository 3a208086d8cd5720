/* Open files: opening, positions, reading, writing, truncating, allocating. */
#include "diff.h"

CASE(open_flags)
{
	T(openat, AT_FDCWD, "a", O_RDONLY);
	T(openat, AT_FDCWD, "a", O_RDWR | O_CREAT, 0640);
	T(openat, AT_FDCWD, "a", O_RDWR | O_CREAT | O_EXCL, 0640);
	T(openat, AT_FDCWD, "a", O_RDONLY | O_DIRECTORY);
	T(openat, AT_FDCWD, ".", O_RDONLY);
	T(openat, AT_FDCWD, ".", O_RDWR);
	T(openat, AT_FDCWD, ".", O_WRONLY);
	T(openat, AT_FDCWD, ".", O_RDONLY | O_CREAT, 0644);
	T(openat, AT_FDCWD, ".", O_RDONLY | O_CREAT | O_EXCL, 0644);
	T(openat, AT_FDCWD, ".", O_RDONLY | O_TRUNC);
	T(openat, AT_FDCWD, "", O_RDONLY);
	T(openat, AT_FDCWD, BAD, O_RDONLY);
	T(openat, AT_FDCWD, NULL, O_RDONLY);
	T(openat, -1, "a", O_RDONLY);
	T(openat, -1, "/", O_RDONLY);
	T(openat, 0, "a", O_RDONLY);
	T(openat, AT_FDCWD, "a", 3);
}

/* For ioctl() alone: neither to read nor to write. */
CASE(open_for_neither)
{
	int fd = file("a", "abc"), p[2];

	Q(close, fd);
	Q(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	T(openat, AT_FDCWD, "a", 3);
	O(R(fcntl, fd, F_GETFL) & O_ACCMODE);
	T(read, fd, buf, 1);
	T(write, fd, "x", 1);
	T(pread64, fd, buf, 1, 0);
	T(ftruncate, fd, 0);
	T(fallocate, fd, 0, 0, 10);
	T(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	T(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	T(flock, fd, 1);
	T(readahead, fd, 0, 1);
	Q(pipe2, p, 0);
	T(splice, fd, NULL, p[1], NULL, 1, 0);
	T(sendfile, p[1], fd, NULL, 1);
	T(openat, AT_FDCWD, "p", 3 | O_NONBLOCK);
	T(openat, AT_FDCWD, "/dev/null", 3);
	T(read, 6, buf, 1);
	Q(fchmodat, AT_FDCWD, "a", 0700);
	T(execve, "a", NULL, NULL);
}

CASE(open_creates_with_umask)
{
	struct stat st;

	T(umask, 027);
	T(openat, AT_FDCWD, "a", O_RDWR | O_CREAT, 0777);
	T(fstat, 3, &st);
	O(st.st_mode);
	T(umask, 01777);
	T(umask, 0);
	T(openat, AT_FDCWD, "b", O_RDWR | O_CREAT, 07777);
	T(fstat, 4, &st);
	O(st.st_mode);
	T(openat, AT_FDCWD, "c", O_RDWR | O_CREAT, 0177777);
	T(fstat, 5, &st);
	O(st.st_mode);
}

CASE(open_symlinks)
{
	file("a", "x");
	Q(symlinkat, "a", AT_FDCWD, "l");
	Q(symlinkat, "l2", AT_FDCWD, "l1");
	Q(symlinkat, "l1", AT_FDCWD, "l2");
	Q(symlinkat, "gone", AT_FDCWD, "d");
	T(openat, AT_FDCWD, "l", O_RDONLY);
	T(openat, AT_FDCWD, "l", O_RDONLY | O_NOFOLLOW);
	T(openat, AT_FDCWD, "l1", O_RDONLY);
	T(openat, AT_FDCWD, "d", O_RDONLY);
	T(openat, AT_FDCWD, "d", O_RDONLY | O_CREAT | O_EXCL, 0644);
	T(openat, AT_FDCWD, "d", O_RDONLY | O_CREAT, 0644);
	T(faccessat, AT_FDCWD, "gone", F_OK);
	T(openat, AT_FDCWD, "l", O_PATH | O_NOFOLLOW);
	T(openat, AT_FDCWD, "l/", O_RDONLY);
	T(openat, AT_FDCWD, "a/", O_RDONLY);
	T(openat, AT_FDCWD, "new/", O_RDONLY | O_CREAT, 0644);
	T(openat, AT_FDCWD, "a/b", O_RDONLY | O_CREAT, 0644);
}

CASE(path_descriptor)
{
	struct stat st;

	file("a", "x");
	T(openat, AT_FDCWD, "a", O_PATH);
	T(read, 4, buf, 1);
	T(write, 4, buf, 1);
	T(lseek, 4, 0, SEEK_SET);
	T(fstat, 4, &st);
	T(fchmod, 4, 0600);
	T(ftruncate, 4, 0);
	T(ioctl, 4, FIONREAD, buf);
	T(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 4, 0);
	T(fcntl, 4, F_GETFD);
	O(R(fcntl, 4, F_GETFL));
	T(fcntl, 4, F_SETFL, 0);
	T(fcntl, 4, F_DUPFD, 0);
	T(dup, 4);
	T(fsync, 4);
	T(getdents64, 4, buf, PAGE);
	T(openat, AT_FDCWD, ".", O_PATH);
	T(getdents64, 7, buf, PAGE);
	T(openat, 7, "a", O_RDONLY);
	T(fchdir, 7);
	T(close, 4);
}

CASE(status_flags)
{
	T(openat, AT_FDCWD, "a", O_RDWR | O_CREAT | O_TRUNC | O_EXCL | O_NOCTTY | O_APPEND, 0600);
	O(R(fcntl, 3, F_GETFL) & ~O_LARGEFILE_RAW);
	T(fcntl, 3, F_SETFL, O_NONBLOCK | O_RDONLY | O_CREAT);
	O(R(fcntl, 3, F_GETFL) & ~O_LARGEFILE_RAW);
	T(openat, AT_FDCWD, "a", O_WRONLY | O_SYNC | O_CLOEXEC);
	O(R(fcntl, 4, F_GETFL) & ~O_LARGEFILE_RAW);
	T(fcntl, 4, F_GETFD);
	T(openat, AT_FDCWD, "a", O_RDONLY | O_DSYNC | O_NOATIME);
	O(R(fcntl, 5, F_GETFL) & ~O_LARGEFILE_RAW);
	T(openat, AT_FDCWD, "a", O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
	O(R(fcntl, 6, F_GETFL) & ~O_LARGEFILE_RAW);
	T(openat, AT_FDCWD, ".", O_RDONLY | O_DIRECTORY);
	O(R(fcntl, 7, F_GETFL) & ~O_LARGEFILE_RAW);
}

CASE(lseek)
{
	int fd = file("a", "0123456789");

	T(lseek, fd, 0, SEEK_END);
	T(lseek, fd, -11, SEEK_END);
	T(lseek, fd, -1, SEEK_SET);
	T(lseek, fd, 5, SEEK_SET);
	T(lseek, fd, -6, SEEK_CUR);
	T(lseek, fd, 2, SEEK_CUR);
	T(lseek, fd, 0, 5);
	T(lseek, fd, 0, -1);
	T(lseek, fd, 100, SEEK_SET);
	T(read, fd, buf, 1);
	T(lseek, fd, 0x7fffffffffffffff, SEEK_SET);
	T(lseek, fd, 1, SEEK_CUR);
	T(lseek, fd, 0x7fffffffffffffff, SEEK_END);
	T(lseek, 77, 0, SEEK_SET);
	T(lseek, 77, 0, 99);
}

CASE(lseek_data_hole)
{
	int fd = file("a", "0123456789");

	T(lseek, fd, 0, SEEK_DATA);
	T(lseek, fd, 3, SEEK_DATA);
	T(lseek, fd, 0, SEEK_HOLE);
	T(lseek, fd, 10, SEEK_DATA);
	T(lseek, fd, 10, SEEK_HOLE);
	T(lseek, fd, -1, SEEK_DATA);
	T(lseek, fd, -1, SEEK_HOLE);
	Q(pwrite64, fd, "x", 1, 8 * PAGE);
	T(lseek, fd, 0, SEEK_HOLE);
	T(lseek, fd, PAGE, SEEK_DATA);
	T(lseek, fd, 9 * PAGE, SEEK_DATA);
	Q(ftruncate, fd, 20 * PAGE);
	T(lseek, fd, 9 * PAGE, SEEK_DATA);
	T(lseek, fd, 9 * PAGE, SEEK_HOLE);
	T(lseek, fd, 0, SEEK_CUR);
}

CASE(read_write)
{
	int fd = file("a", "");

	T(write, fd, "hello", 5);
	T(write, fd, "", 0);
	T(lseek, fd, 1, SEEK_SET);
	T(read, fd, buf, 2);
	T(read, fd, buf + 2, 100);
	S(buf);
	T(read, fd, buf, 100);
	T(read, fd, BAD, 1);
	T(lseek, fd, 0, SEEK_SET);
	T(read, fd, BAD, 1);
	T(read, fd, BAD, 0);
	T(write, fd, BAD, 1);
	T(write, fd, BAD, 0);
	T(lseek, fd, 0, SEEK_CUR);
	T(read, 77, buf, 1);
	T(write, 77, buf, 1);
	T(read, -1, buf, 0);
}

CASE(wrong_direction)
{
	file("a", "x");
	T(openat, AT_FDCWD, "a", O_RDONLY);
	T(openat, AT_FDCWD, "a", O_WRONLY);
	T(write, 4, "y", 1);
	T(write, 4, "y", 0);
	T(read, 5, buf, 1);
	T(read, 5, buf, 0);
	T(ftruncate, 4, 0);
	T(writev, 4, io("y", 1), 1);
	T(readv, 5, io(buf, 1), 1);
	T(pread64, 5, buf, 1, 0);
	T(pwrite64, 4, buf, 1, 0);
	T(fallocate, 4, 0, 0, 10);
	T(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 5, 0);
	T(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, 4, 0);
	OK(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 4, 0);
}

CASE(append)
{
	file("a", "abc");
	T(openat, AT_FDCWD, "a", O_RDWR | O_APPEND);
	T(lseek, 4, 1, SEEK_SET);
	T(write, 4, "d", 1);
	T(lseek, 4, 0, SEEK_CUR);
	T(pwrite64, 4, "e", 1, 0);
	T(lseek, 4, 0, SEEK_CUR);
	T(pread64, 4, buf, 10, 0);
	S(buf);
	T(pwritev2, 3, io("f", 1), 1, 0, 0, RWF_APPEND);
	T(pread64, 4, buf, 10, 0);
	S(buf);
}

CASE(positioned)
{
	int fd = file("a", "0123456789");

	T(pread64, fd, buf, 3, 4);
	S(buf);
	T(pread64, fd, buf, 3, 9);
	T(pread64, fd, buf, 3, 10);
	T(pread64, fd, buf, 3, -1);
	T(pread64, fd, buf, 0, -1);
	T(pwrite64, fd, "xy", 2, 20);
	T(pread64, fd, buf, 100, 9);
	V(buf[1]);
	T(pwrite64, fd, "x", 1, -1);
	T(pread64, fd, BAD, 3, 0);
	T(lseek, fd, 0, SEEK_CUR);
	T(pread64, 77, buf, 1, -1);
}

CASE(positioned_vectors)
{
	int fd = file("a", "0123456789");

	T(preadv, fd, io2(buf, 2, buf + 10, 3), 2, 1, 0);
	S(buf);
	S(buf + 10);
	T(preadv, fd, io(buf, 2), 1, -1, -1);
	T(preadv2, fd, io(buf, 2), 1, -1, -1, 0);
	T(lseek, fd, 0, SEEK_CUR);
	T(preadv2, fd, io(buf, 2), 1, 0, 0, 0x4000);
	T(preadv2, fd, io(buf, 2), 1, 0, 0, RWF_HIPRI);
	T(preadv2, fd, io(buf, 2), 1, 0, 0, RWF_NOWAIT);
	T(pwritev, fd, io2("ab", 2, "c", 1), 2, 8, 0);
	T(pwritev2, fd, io("z", 1), 1, -1, -1, 0);
	T(pread64, fd, buf, 20, 0);
	S(buf);
	T(pwritev, fd, io("z", 1), 1, -1, -1);
	T(preadv, fd, io(buf, 1), -1, 0, 0);
	T(preadv, fd, io(buf, 1), 1025, 0, 0);
	T(preadv, fd, BAD, 1, 0, 0);
}

CASE(vectors)
{
	int fd = file("a", "0123456789");

	T(readv, fd, io2(buf, 2, buf + 10, 3), 2);
	S(buf);
	S(buf + 10);
	T(readv, fd, NULL, 0);
	T(readv, fd, BAD, 1);
	T(readv, fd, io(buf, 1), -1);
	T(readv, fd, io(buf, 1), 1025);
	T(readv, fd, io(buf, -1), 1);
	T(readv, fd, io2(buf, 0x7fffffffffffffff, buf, 1), 2);
	T(readv, fd, io2(buf, 2, BAD, 3), 2);
	T(lseek, fd, 0, SEEK_CUR);
	T(readv, fd, io2(BAD, 2, buf, 3), 2);
	T(writev, fd, io2("ab", 2, BAD, 3), 2);
	T(writev, fd, io2(BAD, 0, "c", 1), 2);
	T(readv, 77, NULL, 0);
	T(writev, 77, BAD, 1);
}

CASE(bad_page_half_way)
{
	int fd = file("a", "0123456789");
	char *e = edge(3);

	T(read, fd, e, 10);
	T(lseek, fd, 0, SEEK_CUR);
	V(e[2]);
	T(pread64, fd, e, 10, 5);
	T(write, fd, e, 10);
	T(lseek, fd, 0, SEEK_CUR);
	T(pread64, fd, buf, 20, 0);
	S(buf);
}

CASE(bad_page_far)
{
	char *e = edge(PAGE);
	int fd = file("a", "");

	T(write, fd, e - 0, PAGE + 5);
	T(lseek, fd, 0, SEEK_END);
	fill(fd, 2 * PAGE);
	T(pread64, fd, e, 2 * PAGE, 0);
	T(pread64, fd, e + 10, 2 * PAGE, 0);
}

CASE(truncate)
{
	int fd = file("a", "0123456789");

	T(ftruncate, fd, 4);
	T(pread64, fd, buf, 20, 0);
	T(ftruncate, fd, 8);
	T(pread64, fd, buf, 20, 0);
	V(buf[5]);
	T(ftruncate, fd, -1);
	T(truncate, "a", -1);
	T(truncate, "gone", 0);
	T(truncate, "gone", -1);
	T(truncate, ".", 0);
	T(truncate, "", 0);
	T(truncate, "a/b", 0);
	T(truncate, BAD, 0);
	T(truncate, "a", 100);
	T(lseek, fd, 0, SEEK_END);
	T(ftruncate, 77, -1);
	T(ftruncate, 77, 0);
	T(ftruncate, 0, 0);
	T(truncate, "/dev/null", 0);
}

CASE(truncate_clears_the_tail)
{
	int fd = file("a", "0123456789");
	char *m = (char *)Q(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	m[100] = 'x';
	T(ftruncate, fd, 200);
	V(m[100]);
	T(ftruncate, fd, 5);
	T(ftruncate, fd, 10);
	V(m[7]);
	V(m[3]);
}

CASE(size_limit)
{
	int fd = file("a", "");

	on(SIGXFSZ, 0);
	Q(prlimit64, 0, RLIMIT_FSIZE, lim(10, RLIM_INFINITY), NULL);
	T(write, fd, buf, 8);
	T(write, fd, buf, 8);
	V(hits[SIGXFSZ]);
	T(write, fd, buf, 8);
	V(hits[SIGXFSZ]);
	T(write, fd, buf, 0);
	T(pwrite64, fd, buf, 4, 9);
	T(pwrite64, fd, buf, 4, 10);
	V(hits[SIGXFSZ]);
	T(ftruncate, fd, 10);
	T(ftruncate, fd, 11);
	V(hits[SIGXFSZ]);
	T(truncate, "a", 11);
	V(hits[SIGXFSZ]);
	T(fallocate, fd, 0, 0, 11);
	V(hits[SIGXFSZ]);
	T(writev, fd, io2(buf, 1, buf, 1), 2);
}

/* Space beyond the limit is refused, also if the file would not become longer. */
CASE(size_limit_of_space)
{
	int fd = file("a", "abc");

	on(SIGXFSZ, 0);
	Q(prlimit64, 0, RLIMIT_FSIZE, lim(10, RLIM_INFINITY), NULL);
	T(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 10);
	T(fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 11);
	V(hits[SIGXFSZ]);
	T(fallocate, fd, FALLOC_FL_KEEP_SIZE, 9, 1);
}

CASE(size_limit_kills)
{
	int fd = file("a", "");

	Q(prlimit64, 0, RLIMIT_FSIZE, lim(0, 0), NULL);
	T(write, fd, buf, 1);
}

CASE(largest)
{
	int fd = file("a", "");

	T(pwrite64, fd, "x", 1, 0x7fffffffffffffff);
	T(pread64, fd, buf, 1, 0x7fffffffffffffff);
	T(pread64, fd, buf, 2, 0x7fffffffffffffff);
	T(ftruncate, fd, 0x7fffffffffffffff);
	T(lseek, fd, 0, SEEK_END);
}
