/* Files' attributes: stat and kin, modes, owners, times, directories' entries, file systems. */
#include "diff.h"

static struct stat st;
static struct linux_statx x;

static void show(const char *name)
{
	Q(newfstatat, AT_FDCWD, name, &st, AT_SYMLINK_NOFOLLOW);
	say("%s: mode 0%o links %lu uid %u gid %u size %ld", name, (unsigned)st.st_mode,
	    (unsigned long)st.st_nlink, (unsigned)st.st_uid, (unsigned)st.st_gid, (long)st.st_size);
}

CASE(kinds)
{
	file("f", "abc");
	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(symlinkat, "target", AT_FDCWD, "l");
	show("f");
	show("l");
	Q(newfstatat, AT_FDCWD, "d", &st, 0);
	O(st.st_mode);
	show("/dev/null");
	H(st.st_rdev);
	show("/dev/zero");
	H(st.st_rdev);
	V(st.st_blksize);
	show("f");
	V(st.st_blksize);
	V(st.st_blocks);
	V(st.st_rdev);
}

CASE(blocks)
{
	int fd = file("f", "");

	T(fstat, fd, &st);
	V(st.st_blocks);
	Q(write, fd, "x", 1);
	T(fstat, fd, &st);
	V(st.st_blocks);
	Q(pwrite64, fd, "x", 1, 10 * PAGE);
	T(fstat, fd, &st);
	V(st.st_blocks);
	Q(ftruncate, fd, PAGE);
	T(fstat, fd, &st);
	V(st.st_blocks);
}

CASE(errors)
{
	file("f", "abc");
	Q(symlinkat, "gone", AT_FDCWD, "l");
	T(newfstatat, AT_FDCWD, "gone", &st, 0);
	T(newfstatat, AT_FDCWD, "l", &st, 0);
	T(newfstatat, AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW);
	T(newfstatat, AT_FDCWD, "f/", &st, 0);
	T(newfstatat, AT_FDCWD, "", &st, 0);
	T(newfstatat, AT_FDCWD, "", &st, AT_EMPTY_PATH);
	T(newfstatat, 3, "", &st, AT_EMPTY_PATH);
	V(st.st_size);
	T(newfstatat, 3, "x", &st, 0);
	T(newfstatat, AT_FDCWD, "f", &st, 1);
	T(newfstatat, AT_FDCWD, "f", BAD, 0);
	T(newfstatat, AT_FDCWD, BAD, &st, 0);
	T(newfstatat, AT_FDCWD, "gone", BAD, 0);
	T(fstat, 3, BAD);
}

CASE(statx)
{
	file("f", "abc");
	T(statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &x);
	V((x.mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
	O(x.mode);
	V(x.size);
	V(x.nlink);
	V(x.blocks);
	V(x.blksize);
	T(statx, AT_FDCWD, "f", 0, 0x80000000, &x);
	T(statx, AT_FDCWD, "f", 0x6000, 0, &x);
	T(statx, AT_FDCWD, "f", 1, 0, &x);
	T(statx, AT_FDCWD, "gone", 0, 0, &x);
	T(statx, 3, "", AT_EMPTY_PATH, 0, &x);
	T(statx, AT_FDCWD, "f", 0, 0, BAD);
	T(statx, AT_FDCWD, "/dev/null", 0, 0, &x);
	V(x.rdev_major);
	V(x.rdev_minor);
}

CASE(chmod)
{
	int fd = file("f", "");

	T(fchmod, fd, 07777);
	show("f");
	T(fchmod, fd, 0177000);
	show("f");
	T(fchmodat, AT_FDCWD, "f", 0640);
	show("f");
	T(fchmodat, AT_FDCWD, "gone", 0);
	T(fchmodat, AT_FDCWD, "", 0);
	T(fchmodat, AT_FDCWD, BAD, 0);
	T(fchmodat, AT_FDCWD, "f/", 0);
	Q(symlinkat, "f", AT_FDCWD, "l");
	T(fchmodat, AT_FDCWD, "l", 0600);
	show("f");
	T(fchmodat2, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW);
	T(fchmodat2, AT_FDCWD, "f", 0600, 1);
	Q(mkdirat, AT_FDCWD, "d", 0700);
	T(fchmodat, AT_FDCWD, "d", 01777);
	Q(newfstatat, AT_FDCWD, "d", &st, 0);
	O(st.st_mode);
}

CASE(chown)
{
	int fd = file("f", "");

	T(fchown, fd, 1, 2);
	show("f");
	T(fchown, fd, -1, 5);
	show("f");
	T(fchown, fd, 7, -1);
	show("f");
	T(fchown, fd, -1, -1);
	T(fchmod, fd, 06755);
	T(fchown, fd, 3, 3);
	show("f");
	T(fchmod, fd, 06644);
	T(fchownat, AT_FDCWD, "f", 4, 4, 0);
	show("f");
	Q(symlinkat, "f", AT_FDCWD, "l");
	T(fchownat, AT_FDCWD, "l", 8, 8, AT_SYMLINK_NOFOLLOW);
	show("l");
	show("f");
	T(fchownat, AT_FDCWD, "l", 9, 9, 0);
	show("f");
	T(fchownat, AT_FDCWD, "f", 0, 0, 1);
	T(fchownat, AT_FDCWD, "gone", 0, 0, 0);
	T(fchownat, AT_FDCWD, "", 0, 0, 0);
	T(fchownat, fd, "", 11, 11, AT_EMPTY_PATH);
	show("f");
	T(fchownat, AT_FDCWD, BAD, 0, 0, 0);
}

CASE(times)
{
	struct timespec t[2] = { { 100, 5 }, { 200, 6 } };
	int fd = file("f", "");

	T(utimensat, AT_FDCWD, "f", t, 0);
	T(fstat, fd, &st);
	V(st.st_atim.tv_sec);
	V(st.st_atim.tv_nsec);
	V(st.st_mtim.tv_sec);
	V(st.st_mtim.tv_nsec);
	t[0].tv_nsec = UTIME_OMIT;
	t[1].tv_sec = 300;
	T(utimensat, fd, NULL, t, 0);
	T(fstat, fd, &st);
	V(st.st_atim.tv_sec);
	V(st.st_mtim.tv_sec);
	t[1].tv_nsec = UTIME_NOW;
	T(utimensat, fd, NULL, t, 0);
	T(fstat, fd, &st);
	V(st.st_mtim.tv_sec != 300);
	t[1].tv_nsec = 1000000000;
	T(utimensat, fd, NULL, t, 0);
	t[1].tv_nsec = -1;
	T(utimensat, fd, NULL, t, 0);
	t[0].tv_nsec = t[1].tv_nsec = UTIME_OMIT;
	T(utimensat, AT_FDCWD, "gone", t, 0);
	T(utimensat, AT_FDCWD, "gone", NULL, 0);
	T(utimensat, AT_FDCWD, NULL, NULL, 0);
	T(utimensat, AT_FDCWD, "", NULL, 0);
	T(utimensat, AT_FDCWD, "f", BAD, 0);
	T(utimensat, AT_FDCWD, "f", NULL, 1);
	T(utimensat, fd, NULL, NULL, AT_SYMLINK_NOFOLLOW);
	T(utimensat, fd, "", NULL, AT_EMPTY_PATH);
	Q(symlinkat, "gone", AT_FDCWD, "l");
	T(utimensat, AT_FDCWD, "l", NULL, 0);
	T(utimensat, AT_FDCWD, "l", NULL, AT_SYMLINK_NOFOLLOW);
}

/* atime and mtime before 1970, where the clock of Trellis may begin. */
static void set_old(int fd)
{
	struct timespec t[2] = { { -200, 0 }, { -100, 0 } };

	Q(utimensat, fd, NULL, t, 0);
}

static void say_times(int fd)
{
	Q(fstat, fd, &st);
	V(st.st_atim.tv_sec != -200);
	V(st.st_mtim.tv_sec != -100);
}

CASE(times_of_reading)
{
	struct timespec future[2] = { { 4000000000, 0 }, { -100, 0 } };
	int fd = file("f", "hello"), other = Q(openat, AT_FDCWD, "f", O_RDONLY | O_NOATIME);

	set_old(fd);
	Q(pread64, other, buf, 1, 0);
	say_times(fd);
	Q(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, other, 0);
	say_times(fd);
	Q(pread64, fd, buf, 1, 0);
	say_times(fd);
	set_old(fd);
	Q(pread64, fd, buf, 1, 5);
	say_times(fd);
	set_old(fd);
	Q(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	say_times(fd);
	Q(utimensat, fd, NULL, future, 0);
	Q(pread64, fd, buf, 1, 0);
	Q(fstat, fd, &st);
	V(st.st_atim.tv_sec);
	Q(mkdirat, AT_FDCWD, "d", 0700);
	fd = Q(openat, AT_FDCWD, "d", O_RDONLY);
	set_old(fd);
	OK(getdents64, fd, buf, PAGE);
	say_times(fd);
}

CASE(times_of_mapped_writes)
{
	int fd = file("f", "hello");
	char *p = (char *)Q(mmap, NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	set_old(fd);
	p[0] = 'j';
	Q(msync, p, PAGE, MS_SYNC);
	say_times(fd);
	set_old(fd);
	say_times(fd);
	Q(munmap, p, PAGE);
	p = (char *)Q(mmap, NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	set_old(fd);
	p[0] = 'k';
	say_times(fd);
}

CASE(times_before_1970)
{
	struct timespec t[2] = { { -1, 5 }, { -100, 6 } };

	int fd = file("f", "");

	T(utimensat, AT_FDCWD, "f", t, 0);
	T(fstat, fd, &st);
	V(st.st_atim.tv_sec);
	V(st.st_mtim.tv_sec);
}

CASE(times_change)
{
	struct timespec t[2] = { { 100, 0 }, { 100, 0 } };
	int fd = file("f", "abc");

#define AGE()  Q(utimensat, fd, NULL, t, 0)
#define LOOK() (Q(fstat, fd, &st), st.st_mtim.tv_sec != 100)
	AGE();
	Q(read, fd, buf, 1);
	V(LOOK());
	Q(write, fd, "", 0);
	V(LOOK());
	Q(write, fd, "x", 1);
	V(LOOK());
	AGE();
	Q(ftruncate, fd, 3);
	V(LOOK());
	AGE();
	Q(ftruncate, fd, 1);
	V(LOOK());
	AGE();
	Q(fchmod, fd, 0600);
	V(LOOK());
	Q(linkat, AT_FDCWD, "f", AT_FDCWD, "g", 0);
	V(LOOK());
}

CASE(directory_times)
{
	struct timespec t[2] = { { 100, 0 }, { 100, 0 } };
	int fd, f;

	Q(mkdirat, AT_FDCWD, "d", 0700);
	fd = Q(openat, AT_FDCWD, "d", O_RDONLY);
	AGE();
	f = Q(openat, AT_FDCWD, "d/f", O_CREAT | O_RDWR, 0600);
	V(LOOK());
	AGE();
	Q(write, f, "x", 1);
	V(LOOK());
	Q(unlinkat, AT_FDCWD, "d/f", 0);
	V(LOOK());
	AGE();
	Q(mkdirat, AT_FDCWD, "d/e", 0700);
	V(LOOK());
	AGE();
	Q(renameat2, AT_FDCWD, "d/e", AT_FDCWD, "d/g", 0);
	V(LOOK());
	AGE();
	Q(unlinkat, AT_FDCWD, "d/g", AT_REMOVEDIR);
	V(LOOK());
}

/* Names in one getdents64(), with their kinds, sorted. */
static void list(long n)
{
	const char *names[64];
	int count = 0;

	for (long at = 0; at < n; at += ((struct linux_dirent *)(buf + at))->reclen)
		names[count++] = ((struct linux_dirent *)(buf + at))->name - 1;
	for (int i = 0; i < count; i++)
		for (int k = i + 1; k < count; k++)
			if (strcmp(names[i] + 1, names[k] + 1) > 0) {
				const char *swap = names[i];

				names[i] = names[k];
				names[k] = swap;
			}
	for (int i = 0; i < count; i++)
		say("%s kind %d", names[i] + 1, names[i][0]);
}

CASE(getdents)
{
	int fd;

	Q(mkdirat, AT_FDCWD, "d", 0700);
	Q(openat, AT_FDCWD, "d/file", O_CREAT | O_RDWR, 0600);
	Q(mkdirat, AT_FDCWD, "d/sub", 0700);
	Q(symlinkat, "x", AT_FDCWD, "d/link");
	fd = Q(openat, AT_FDCWD, "d", O_RDONLY);
	T(getdents64, fd, buf, 1);
	T(getdents64, fd, buf, 0);
	T(getdents64, fd, BAD, PAGE);
	list(T(getdents64, fd, buf, PAGE));
	T(getdents64, fd, buf, PAGE);
	T(lseek, fd, 0, SEEK_SET);
	list(T(getdents64, fd, buf, 50));
	T(lseek, fd, -1, SEEK_SET);
	T(read, fd, buf, 10);
	T(pread64, fd, buf, 10, 0);
	T(write, fd, buf, 10);
	T(ftruncate, fd, 0);
	T(ioctl, fd, FIONREAD, buf);
	T(mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	T(getdents64, 0, buf, PAGE);
}

CASE(statfs)
{
	struct linux_statfs s;

	T(statfs, "/proc", &s);
	H(s.type);
	V(s.bsize);
	V(s.blocks);
	V(s.namelen);
	V(s.frsize);
	T(statfs, ".", &s);
	H(s.type);
	V(s.bsize);
	V(s.namelen);
	V(s.frsize);
	T(statfs, "gone", &s);
	T(statfs, "", &s);
	T(statfs, ".", BAD);
	T(statfs, BAD, &s);
	T(fstatfs, 0, BAD);
}

#define STATX_BTIME  0x800
#define STATX_MNT_ID 0x1000

/* Asks for the basic figures and @mask; the newest bits of the answer are left out. */
static void say_statx(const char *what, int fd, const char *name, int flags, int mask)
{
	memset(&x, 0, sizeof(x));
	Q(statx, fd, name, flags, STATX_BASIC_STATS | mask, &x);
	say("%s: mask %#x attributes %#lx of %#lx born %d", what, x.mask & 0x1fff,
	    (long)x.attributes, (long)x.attributes_mask & 0x203fff,
	    x.btime.sec || x.btime.nsec);
}

CASE(statx_attributes)
{
	static const char *const names[] = {
		"f", ".", "l", "p", "/proc", "/proc/self/stat", "/proc/version", "/proc/self",
		"/proc/self/fd", "/proc/sys", "/proc/sys/kernel/ostype", "/sys", "/sys/devices",
		"/sys/devices/system/cpu/online", "/dev/null",
	};

	file("f", "abc");
	Q(symlinkat, "f", AT_FDCWD, "l");
	Q(mknodat, AT_FDCWD, "p", S_IFIFO | 0600, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		say_statx(names[i], AT_FDCWD, names[i], AT_SYMLINK_NOFOLLOW, 0);
		say_statx(names[i], AT_FDCWD, names[i], AT_SYMLINK_NOFOLLOW, STATX_BTIME);
		say_statx(names[i], AT_FDCWD, names[i], AT_SYMLINK_NOFOLLOW, STATX_MNT_ID);
	}
}

static void of_descriptor(const char *what, int fd)
{
	say_statx(what, fd, "", AT_EMPTY_PATH, STATX_BTIME);
}

CASE(statx_of_descriptors)
{
	int p[2];

	Q(pipe2, p, 0);
	of_descriptor("pipe", p[0]);
	of_descriptor("eventfd", Q(eventfd2, 0, 0));
	of_descriptor("memfd", Q(memfd_create, "m", 0));
	of_descriptor("file without name", Q(openat, AT_FDCWD, ".", O_TMPFILE | O_RDWR, 0600));
	of_descriptor("message queue", Q(mq_open, "diff_stat", O_RDWR | O_CREAT, 0600, NULL));
	Q(mq_unlink, "diff_stat");
}

CASE(time_of_birth)
{
	struct linux_statx_time born;
	struct timespec t[2] = { { 100, 0 }, { 100, 0 } };
	int fd = file("f", "abc");

	Q(statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &x);
	V(x.btime.sec <= x.ctime.sec);
	born = x.btime;
	Q(utimensat, fd, NULL, t, 0);
	Q(fchmod, fd, 0600);
	Q(linkat, AT_FDCWD, "f", AT_FDCWD, "g", 0);
	Q(renameat2, AT_FDCWD, "f", AT_FDCWD, "h", 0);
	Q(statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &x);
	V(x.mtime.sec);
	V(x.btime.sec == born.sec && x.btime.nsec == born.nsec);
}

CASE(mounts)
{
	uint64_t id;

	file("f", "");
	Q(statx, AT_FDCWD, "f", 0, STATX_MNT_ID, &x);
	id = x.mnt_id;
	Q(statx, AT_FDCWD, ".", 0, STATX_MNT_ID, &x);
	V(x.mnt_id == id);
	Q(statx, AT_FDCWD, "/proc", 0, STATX_MNT_ID, &x);
	V(x.mnt_id == id);
	id = x.mnt_id;
	Q(statx, AT_FDCWD, "/proc/sys/kernel", 0, STATX_MNT_ID, &x);
	V(x.mnt_id == id);
	Q(statx, AT_FDCWD, "/sys", 0, STATX_MNT_ID, &x);
	V(x.mnt_id == id);
}

CASE(handles)
{
	int id;

	*(int *)buf = 128;
	file("f", "");
	T(name_to_handle_at, AT_FDCWD, "/proc/version", buf, &id, 0);
	T(name_to_handle_at, AT_FDCWD, "/proc/self/stat", buf, &id, 0);
	T(name_to_handle_at, AT_FDCWD, "/proc/self", buf, &id, AT_SYMLINK_FOLLOW);
	T(name_to_handle_at, AT_FDCWD, "/proc/gone", buf, &id, 0);
	T(name_to_handle_at, AT_FDCWD, "/proc/version/x", buf, &id, 0);
	T(name_to_handle_at, AT_FDCWD, "/proc", BAD, &id, 0);
	T(name_to_handle_at, AT_FDCWD, "/proc", buf, BAD, 0);
	T(name_to_handle_at, AT_FDCWD, BAD, buf, &id, 0);
	T(name_to_handle_at, AT_FDCWD, "", buf, &id, 0);
	T(name_to_handle_at, 77, "", buf, &id, AT_EMPTY_PATH);
	T(name_to_handle_at, AT_FDCWD, "/proc", buf, &id, AT_SYMLINK_NOFOLLOW);
	T(name_to_handle_at, AT_FDCWD, "/proc", buf, &id, 0x8000);
}
