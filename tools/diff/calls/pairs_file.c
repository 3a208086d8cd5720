/* Files, paths and descriptors with every two arguments; pairs.h says how. */
#include "pairs.h"
#include "things.h"

static char longest[300] = { [0 ... 298] = 'x' };

#define FOLDERS A(d, 77, f, AT_FDCWD, o)

CASE(openat)
{
	things();
	PAIRS(openat, FOLDERS, A("f", "gone", "f/x", "", "dir", "loop", "l", BAD, longest),
	      A(O_RDONLY, O_RDWR, O_CREAT | O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_PATH,
		O_WRONLY | O_TRUNC, O_NOATIME, 3),
	      A(0644, 07777, -1));
}

struct how {
	uint64_t flags, mode, resolve;
};

#define HOW(...) AT(struct how, __VA_ARGS__)

CASE(openat2)
{
	things();
	PAIRS(openat2, FOLDERS, A("f", "gone", "f/x", "", "dir", "loop", "l", BAD),
	      A(HOW(0, 0, 0), HOW(O_RDWR, 0, 0), HOW(1UL << 40, 0, 0), HOW(0, 1, 0),
		HOW(O_CREAT, 010000, 0), HOW(O_PATH | O_RDWR, 0, 0), HOW(0, 0, 8), HOW(0, 0, 4),
		HOW(0, 0, 24), HOW(0, 0, 1UL << 40), BAD),
	      A(24, 0, 8, 23, 4097, -1));
}

CASE(names)
{
	things();
	PAIRS(mknodat, FOLDERS, A("f", "gone/x", "f/x", "", BAD, longest),
	      A(S_IFREG, S_IFIFO, S_IFDIR, 0, S_IFLNK, S_IFCHR, -1), A(0, -1));
	PAIRS(mkdirat, FOLDERS, A("f", "gone/x", "f/x", "", ".", BAD, longest), A(0755, -1));
	PAIRS(unlinkat, FOLDERS, A("dir", "gone", "f/x", "", ".", BAD, longest), A(0, 1));
	PAIRS(unlinkat, FOLDERS, A("f", "gone", "f/x", "", ".", BAD, longest),
	      A(AT_REMOVEDIR, AT_REMOVEDIR | 1));
	PAIRS(symlinkat, A("x", "", BAD), FOLDERS, A("f", "gone/x", "f/x", "", BAD, longest));
	PAIRS(readlinkat, FOLDERS, A("l", "f", "gone", "f/x", "", "loop", BAD, longest),
	      A(buf, BAD), A(10, 0, -1, 0x80000000));
	PAIRS(linkat, FOLDERS, A("f", "gone", "l", "dir", "", BAD), A(AT_FDCWD, 77),
	      A("f", "dir", "gone/x", "", BAD), A(0, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW));
	PAIRS(renameat2, A(d, 77, AT_FDCWD), A("f", "gone", "dir", ".", "", BAD), A(AT_FDCWD, 77),
	      A("f", "dir", "gone/x", "", BAD), A(0, 1, 2, 3, 8));
	PAIRS(getcwd, A(buf, BAD, NULL), A(1000, 0, 1, -1));
	PAIRS(chdir, A(".", "f", "gone", "f/x", "", "loop", BAD, longest));
	PAIRS(chroot, A(".", "f", "gone", "f/x", "", "loop", BAD, longest));
	PAIRS(fchdir, A(d, f, o, r, 77));
}

CASE(metadata)
{
	things();
	PAIRS(fstat, A(f, 77, o, r, e), A(buf, BAD));
	PAIRS(newfstatat, FOLDERS, A("f", "gone", "f/x", "", "loop", BAD, longest), A(buf, BAD),
	      A(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 0x800, 0x40000));
	PAIRS(statx, FOLDERS, A("f", "gone", "f/x", "", "loop", BAD),
	      A(0, AT_EMPTY_PATH, 0x6000, 0x8000, 0x40000), A(0x7ff, 0, 0x80000000), A(buf, BAD));
	PAIRS(faccessat, FOLDERS, A("f", "gone", "f/x", "", "loop", BAD),
	      A(R_OK, W_OK, X_OK, 0, 8, -1));
	PAIRS(fchmod, A(f, 77, o, r), A(0644, -1));
	PAIRS(fchmodat, FOLDERS, A("f", "gone", "f/x", "", "loop", BAD), A(0644, -1));
	PAIRS(fchown, A(f, 77, o), A(-1, 0, 5), A(-1, 0, 5));
	PAIRS(fchownat, FOLDERS, A("f", "gone", "f/x", "", "loop", BAD), A(-1, 0), A(-1, 0),
	      A(0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, 1));
	PAIRS(utimensat, FOLDERS, A("f", "gone", "f/x", "", "loop", NULL, BAD),
	      A(NULL, AT(struct linux_itimerspec, { 0, -1 }), BAD), A(0, AT_SYMLINK_NOFOLLOW, 1));
	PAIRS(statfs, A(".", "gone", "f/x", "", "loop", BAD), A(buf, BAD));
	PAIRS(fstatfs, A(f, 77, o, r), A(buf, BAD));
}

CASE(moving)
{
	things();
	PAIRS(read, A(f, 77, d, o, w, r, e), A(buf, BAD, NULL), A(8, 0, 7, -1, 0x80000000));
	PAIRS(write, A(f, 77, d, o, r, ro), A(buf, BAD, NULL), A(8, 0, 7, -1, 0x80000000));
	PAIRS(pread64, A(f, 77, d, o, w, r, e), A(buf, BAD), A(8, 0, -1),
	      A(0, 100, -1, 1L << 62));
	PAIRS(pwrite64, A(f, 77, d, o, r, w, ro), A(buf, BAD), A(8, 0, -1), A(0, -1));
	PAIRS(readv, A(f, 77, d, o, r),
	      A(io(buf, 8), io(BAD, 8), io(buf, -1), io(BAD, 0), BAD), A(1, 0, -1, 1025));
	PAIRS(writev, A(f, 77, o),
	      A(io(buf, 8), io(BAD, 8), io(buf, -1), io(BAD, 0), BAD), A(1, 0, -1, 1025));
	PAIRS(preadv, A(f, 77, d, w, r), A(io(buf, 8), io(BAD, 8), io(buf, -1), BAD),
	      A(1, 0, 1025), A(0, -1));
	PAIRS(pwritev, A(f, 77, r), A(io(buf, 8), io(BAD, 8), io(buf, -1), BAD),
	      A(1, 0, 1025), A(0, -1));
	PAIRS(lseek, A(f, 77, d, o, r, e), A(0, -1, 100, 1L << 62),
	      A(SEEK_SET, SEEK_CUR, SEEK_END, 9, -1));
	PAIRS(getdents64, A(d, 77, f, o, r), A(buf, BAD), A(1000, 0, 1, -1));
}

CASE(storage)
{
	things();
	PAIRS(truncate, A("f", "gone", "dir", "f/x", "", "loop", BAD), A(8, -1));
	PAIRS(ftruncate, A(f, 77, d, o, r, ro, e), A(8, -1));
	PAIRS(fallocate, A(f, 77, d, o, r, w, ro), A(0, 1, 2, 0x1000), A(0, -1),
	      A(8, 0, -1, 0x7fffffffffffffff));
	PAIRS(fsync, A(f, 77, o, r));
	PAIRS(syncfs, A(f, 77, o, r));
	PAIRS(sync_file_range, A(f, 77, o, r, d), A(0, -1), A(8, -1), A(0, 7, 8));
	PAIRS(fadvise64, A(f, 77, o, r, d), A(0, -1), A(8, -1), A(0, 5, 6, -1));
	PAIRS(readahead, A(f, 77, o, r, w, d), A(0, -1), A(8, -1));
	PAIRS(sendfile, A(w, 77, d, o, r, f, ro), A(f, 77, d, o, r, w),
	      A(NULL, bits(0), bits(-1), BAD), A(8, -1));
	PAIRS(copy_file_range, A(f, 77, d, o, r), A(bits(0), bits(-1), NULL, BAD),
	      A(f, 77, d, o, w, ro), A(bits(100), bits(0), bits(-1), BAD), A(8, 0, -1), A(0, 1));
	PAIRS(splice, A(f, 77, d, o, r, w), A(NULL, bits(0), BAD), A(w, 77, d, o, r, f),
	      A(NULL, bits(0), BAD), A(8, 0), A(2, 0x10));
	PAIRS(tee, A(r, 77, w, f), A(w, 77, r, f), A(8, 0, -1), A(2, 0x10));
	PAIRS(vmsplice, A(w, 77, f, o, d), A(io(buf, 8), io(BAD, 8), io(buf, -1), BAD),
	      A(1, 0, 1025), A(2, 0x10));
}

CASE(descriptors)
{
	things();
	PAIRS(close, A(f, 77, -1));
	PAIRS(dup, A(f, 77, -1, o));
	PAIRS(dup3, A(f, 77, -1), A(50, f, -1, 1024, 1023), A(0, O_CLOEXEC, O_NONBLOCK, 1));
	PAIRS(pipe2, A(buf, BAD), A(0, O_CLOEXEC, O_NONBLOCK, O_DIRECT, 1));
	PAIRS(eventfd2, A(0, -1), A(0, 1, O_CLOEXEC, 2));
	PAIRS(close_range, A(50, 60, -1), A(55, 0, -1), A(0, 2, 4, 8, -1));
	PAIRS(flock, A(f, 77, o, d, r), A(1, 2, 8, 6, 0, 3, 16));
	PAIRS(memfd_create, A("m", "", BAD, longest), A(0, 1, 2, 0x8000));
	PAIRS(fcntl, A(f, 77, o, d, r), A(F_GETFD, F_SETFD, F_GETFL, F_SETFL, 9, -1),
	      A(0, 1, O_NOATIME));
	PAIRS(fcntl, A(f, 77, o, r), A(F_DUPFD, 1030), A(0, -1, 1023, 1024, 1L << 32));
	PAIRS(fcntl, A(r, 77, f), A(1031, 1032), A(4096, 0, -1));
	PAIRS(fcntl, A(f, 77, o, ro, r), A(F_GETLK, F_SETLK),
	      A(AT(struct linux_lock, F_RDLCK), AT(struct linux_lock, F_WRLCK),
		AT(struct linux_lock, F_UNLCK), AT(struct linux_lock, 7),
		AT(struct linux_lock, F_RDLCK, 9), AT(struct linux_lock, F_RDLCK, 0, -1),
		AT(struct linux_lock, F_RDLCK, 0, 0, -1), BAD));
	PAIRS(fcntl, A(f, 77, o, r), A(8, 9, 10, 11, 15, 16), A(0, 0x7ffffff0, -0x7ffffff0));
	PAIRS(ioctl, A(r, 77, f, o, d), A(FIONREAD, 0x5421, 0x5451, 0x5450, 0x5401, -1),
	      A(buf, BAD));
}
