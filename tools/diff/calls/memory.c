/* Memory: mmap and kin, brk, protections, locking, what is in memory. */
#include "diff.h"

#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *at = (char *)0x200000000UL; /* nothing is there */

static int mapped(void *p)
{
	unsigned char v;

	return R(mincore, p, PAGE, &v) == 0;
}

static long fixed(size_t n, int prot, int flags, int fd)
{
	return Q(mmap, at, n * PAGE, prot, flags | MAP_FIXED, fd, 0);
}

/* How a child ends that touches @p. */
static void touch(const char *what, volatile char *p, int write)
{
	pid_t pid = child();

	if (!pid) {
		if (write)
			*p = 1;
		else
			(void)*p;
		end(0);
	}
	say_status(what, reap(pid));
}

CASE(mmap_errors)
{
	int fd = file("f", "abc");

	T(mmap, 0, 0, RW, ANON, -1, 0);
	T(mmap, 0, PAGE, RW, MAP_ANONYMOUS, -1, 0);
	T(mmap, 0, PAGE, RW, MAP_ANONYMOUS | 3, -1, 0);
	T(mmap, 0, -1, RW, ANON, -1, 0);
	T(mmap, 0, 1UL << 47, RW, ANON, -1, 0);
	T(mmap, 0, PAGE, RW, MAP_PRIVATE, fd, 1);
	T(mmap, 0, PAGE, RW, MAP_PRIVATE, fd, -PAGE);
	T(mmap, 0, PAGE, RW, MAP_PRIVATE, 77, 0);
	T(mmap, 0, PAGE, RW, MAP_PRIVATE, -1, 0);
	T(mmap, 0, 0, RW, MAP_PRIVATE, 77, 0);
	T(mmap, at + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	T(mmap, -PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	T(mmap, 1UL << 62, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	OK(mmap, at + 1, PAGE, RW, ANON, -1, 0);
	OK(mmap, 0, PAGE, RW, ANON, 77, 0);
	OK(mmap, 0, PAGE, RW, ANON, -1, PAGE);
	T(mmap, 0, PAGE, RW, ANON, -1, 5);
	OK(mmap, 0, PAGE, RW | 0x100, ANON, -1, 0);
	OK(mmap, 0, PAGE, RW, ANON | MAP_STACK | MAP_NORESERVE, -1, 0);
	OK(mmap, 0, PAGE, RW, ANON | MAP_POPULATE, -1, 0);
	OK(mmap, 0, PAGE, RW, ANON | 0x800000, -1, 0);
	OK(mmap, 0, PAGE, RW, MAP_PRIVATE, fd, 8 * PAGE);
}

CASE(mmap_shared_validate)
{
	int fd = file("f", "abc");

	OK(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE, fd, 0);
	T(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE | 0x800000, fd, 0);
	T(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);
	OK(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_POPULATE, fd, 0);
	T(mmap, 0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0);
	OK(mmap, 0, PAGE, RW, MAP_SHARED | 0x800000, fd, 0);
}

CASE(mmap_no_replace)
{
	V(R(mmap, at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == (long)at);
	T(mmap, at, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	T(mmap, at - PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	V(R(mmap, at + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == (long)at + PAGE);
	V(R(mmap, at, PAGE, RW, ANON, -1, 0) != (long)at);
}

CASE(mmap_protection)
{
	touch("read none", pages(1, PROT_NONE, 0), 0);
	touch("read", pages(1, PROT_READ, 0), 0);
	touch("write read-only", pages(1, PROT_READ, 0), 1);
	touch("write", pages(1, RW, 0), 1);
	touch("read write-only", pages(1, PROT_WRITE, 0), 0);
}

CASE(mmap_exec_only)
{
	touch("read exec-only", pages(1, PROT_EXEC, 0), 0);
}

CASE(file_private)
{
	int fd = file("f", "abc");
	char *p = (char *)Q(mmap, 0, PAGE, RW, MAP_PRIVATE, fd, 0);

	V(p[0]);
	V(p[3]);
	p[0] = 'X';
	T(pread64, fd, buf, 10, 0);
	S(buf);
	Q(pwrite64, fd, "YYYYY", 5, 0);
	V(p[0]);
}

CASE(file_shared)
{
	int fd = file("f", "abc");
	char *p = (char *)Q(mmap, 0, 2 * PAGE, RW, MAP_SHARED, fd, 0);

	p[0] = 'X';
	p[5] = 'Z';
	T(pread64, fd, buf, 10, 0);
	S(buf);
	Q(pwrite64, fd, "12", 2, 1);
	V(p[1]);
	Q(close, fd);
	p[1] = 'Q';
	V(p[1]);
	touch("beyond the file", p + PAGE, 0);
}

CASE(file_shared_truncated)
{
	int fd = file("f", "abc");
	char *p = (char *)Q(mmap, 0, PAGE, RW, MAP_SHARED, fd, 0);

	p[0] = 'X';
	Q(ftruncate, fd, 0);
	touch("cut off", p, 1);
	Q(ftruncate, fd, 10);
	V(p[0]);
	p[1] = 'Y';
	T(pread64, fd, buf, 10, 0);
	V(buf[1]);
}

CASE(file_private_truncated)
{
	int fd = file("f", "abc");
	char *p = (char *)Q(mmap, 0, PAGE, RW, MAP_PRIVATE, fd, 0);

	p[0] = 'X';
	Q(ftruncate, fd, 0);
	touch("cut off", p, 0);
	Q(ftruncate, fd, 10);
	V(p[0]);
}

CASE(munmap)
{
	fixed(4, RW, ANON, -1);
	T(munmap, at + 1, PAGE);
	T(munmap, at, 0);
	T(munmap, at, -1);
	T(munmap, at, -PAGE);
	T(munmap, -PAGE, PAGE);
	T(munmap, at + PAGE, 1);
	V(mapped(at));
	V(mapped(at + PAGE));
	V(mapped(at + 2 * PAGE));
	T(munmap, at, 4 * PAGE);
	T(munmap, at, 4 * PAGE);
	T(munmap, NULL, PAGE);
}

CASE(mprotect)
{
	fixed(4, PROT_READ, ANON, -1);
	T(mprotect, at, PAGE, RW);
	at[0] = 1;
	T(mprotect, at + 1, PAGE, RW);
	T(mprotect, at, 0, RW);
	T(mprotect, at, -1, RW);
	T(mprotect, at, 1, RW);
	T(mprotect, at, PAGE, 0x100);
	T(mprotect, at, PAGE, -1);
	T(mprotect, at, PAGE, PROT_GROWSDOWN | PROT_GROWSUP);
	T(mprotect, at, PAGE, PROT_GROWSDOWN | RW);
	T(mprotect, at, 5 * PAGE, RW);
	touch("first", at, 1);
	touch("fourth", at + 3 * PAGE, 1);
	T(munmap, at + PAGE, PAGE);
	T(mprotect, at, 4 * PAGE, PROT_READ);
	touch("first", at, 1);
	touch("third", at + 2 * PAGE, 1);
	T(mprotect, 0x2000000000, PAGE, RW);
	T(mprotect, 0x2000000000, 0, RW);
}

CASE(mprotect_of_a_file)
{
	file("f", "abc");
	T(openat, AT_FDCWD, "f", O_RDONLY);
	Q(mmap, at, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, 4, 0);
	T(mprotect, at, PAGE, RW);
	T(mprotect, at, PAGE, PROT_NONE);
	Q(mmap, at, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, 4, 0);
	T(mprotect, at, PAGE, RW);
}

CASE(mremap)
{
	fixed(2, RW, ANON, -1);
	at[0] = 7;
	V(R(mremap, at, 2 * PAGE, PAGE, 0) == (long)at);
	V(mapped(at + PAGE));
	V(R(mremap, at, PAGE, 3 * PAGE, 0) == (long)at);
	Q(mmap, at + 3 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	T(mremap, at, 3 * PAGE, 5 * PAGE, 0);
	OK(mremap, at, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE);
	V(mapped(at));
	T(mremap, at, PAGE, PAGE, 0);
	T(mremap, at + 1, PAGE, PAGE, 0);
	T(mremap, at, PAGE, 0, 0);
	T(mremap, at, PAGE, PAGE, 8);
	T(mremap, at, PAGE, PAGE, MREMAP_FIXED, at);
	T(mremap, at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 1);
	T(mremap, at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at);
}

CASE(mremap_fixed)
{
	fixed(2, RW, ANON, -1);
	at[0] = 7;
	V(R(mremap, at, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 10 * PAGE) ==
	  (long)at + 10 * PAGE);
	V(at[10 * PAGE]);
	V(mapped(at));
	T(mremap, at + 10 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	  at + 11 * PAGE);
	V(R(mremap, at + 10 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED,
	    at) == (long)at);
	V(at[0]);
	V(at[10 * PAGE]);
}

CASE(mremap_zero_duplicates_shared)
{
	char *p = pages(1, RW, MAP_SHARED), *q;

	p[0] = 7;
	q = (char *)R(mremap, p, 0, PAGE, MREMAP_MAYMOVE);
	V(q > (char *)4096);
	if ((long)q > 0)
		V(q[0]);
	p = pages(1, RW, 0);
	T(mremap, p, 0, PAGE, MREMAP_MAYMOVE);
}

CASE(remap_file_pages)
{
	char *p = pages(4, RW, MAP_SHARED);

	for (int i = 0; i < 4; i++)
		p[i * PAGE] = '0' + i;
	T(remap_file_pages, p, PAGE, 0, 3, 0);
	T(remap_file_pages, p + PAGE + 5, PAGE + 7, 0, 2, MAP_NONBLOCK);
	V(p[0] == '3' && p[PAGE] == '2' && p[2 * PAGE] == '2' && p[3 * PAGE] == '3');
	p[0] = 'x';
	V(p[3 * PAGE] == 'x');
	T(remap_file_pages, p, PAGE, PROT_READ, 0, 0);
	T(remap_file_pages, p, 0, 0, 0, 0);
	T(remap_file_pages, p, PAGE, 0, -1L, 0);
	T(remap_file_pages, p + 2 * PAGE, 3 * PAGE, 0, 0, 0);
	T(remap_file_pages, pages(1, RW, 0), PAGE, 0, 0, 0);
	Q(munmap, p, PAGE);
	T(remap_file_pages, p, PAGE, 0, 0, 0);
}

/* The mapping keeps its access, and what is beyond the file's end is a SIGBUS as ever. */
CASE(remap_pages_of_a_file)
{
	int fd = file("f", "");
	char *p;
	pid_t pid;
	int status = 0;

	Q(ftruncate, fd, 2 * PAGE);
	Q(pwrite64, fd, "b", 1, PAGE);
	p = (char *)Q(mmap, NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	T(remap_file_pages, p, PAGE, 0, 1, 0);
	V(p[0]);
	T(mprotect, p, PAGE, RW);
	p[0] = 'c';
	Q(pread64, fd, buf, 1, PAGE);
	V(buf[0]);
	T(remap_file_pages, p, 2 * PAGE, 0, 0, 0);
	T(remap_file_pages, p + PAGE, PAGE, 0, 7, 0);
	pid = child();
	if (!pid)
		end(*(volatile char *)(p + PAGE));
	Q(wait4, pid, &status, 0, NULL);
	W(status);
}

CASE(madvise)
{
	fixed(4, RW, ANON, -1);
	at[0] = 7;
	T(madvise, at, PAGE, MADV_NORMAL);
	T(madvise, at, PAGE, MADV_WILLNEED);
	T(madvise, at, PAGE, MADV_RANDOM);
	V(at[0]);
	T(madvise, at, PAGE, MADV_DONTNEED);
	V(at[0]);
	T(madvise, at + 1, PAGE, MADV_DONTNEED);
	T(madvise, at, 0, MADV_DONTNEED);
	T(madvise, at, -1, MADV_DONTNEED);
	T(madvise, at, PAGE, 99);
	T(madvise, at, 0, 99);
	T(madvise, at, 5 * PAGE, MADV_DONTNEED);
	T(madvise, at + 8 * PAGE, PAGE, MADV_NORMAL);
	T(madvise, at, PAGE, MADV_FREE);
	T(madvise, at, PAGE, MADV_REMOVE);
	T(madvise, at, PAGE, MADV_POPULATE_READ);
	T(madvise, at, PAGE, MADV_POPULATE_WRITE);
}

CASE(madvise_fork)
{
	pid_t pid;

	fixed(4, RW, ANON, -1);
	at[0] = at[PAGE] = at[2 * PAGE] = 7;
	T(madvise, at, PAGE, MADV_DONTFORK);
	T(madvise, at + PAGE, PAGE, MADV_WIPEONFORK);
	pid = child();
	if (!pid) {
		V(mapped(at));
		V(at[PAGE]);
		V(at[2 * PAGE]);
		end(0);
	}
	reap(pid);
	T(madvise, at, PAGE, MADV_DOFORK);
	T(madvise, at + PAGE, PAGE, MADV_KEEPONFORK);
	pid = child();
	if (!pid) {
		V(at[0]);
		V(at[PAGE]);
		end(0);
	}
	reap(pid);
}

CASE(msync)
{
	int fd = file("f", "abc");

	Q(mmap, at, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, 0);
	at[0] = 'X';
	T(msync, at, PAGE, MS_SYNC);
	T(msync, at, PAGE, MS_ASYNC);
	T(msync, at, PAGE, MS_SYNC | MS_ASYNC);
	T(msync, at, PAGE, MS_INVALIDATE);
	T(msync, at, PAGE, 0);
	T(msync, at, PAGE, 8);
	T(msync, at + 1, PAGE, MS_SYNC);
	T(msync, at, 0, MS_SYNC);
	T(msync, at, 2 * PAGE, MS_SYNC);
	T(msync, at, -1, MS_SYNC);
	T(msync, at + PAGE, PAGE, MS_ASYNC);
}

CASE(mincore)
{
	unsigned char v[8] = { 0 };

	fixed(4, RW, ANON, -1);
	at[PAGE] = 1;
	T(mincore, at, 4 * PAGE, v);
	for (int i = 0; i < 4; i++)
		V(v[i] & 1);
	T(mincore, at, 5 * PAGE, v);
	T(mincore, at + 1, PAGE, v);
	T(mincore, at, 0, v);
	T(mincore, at, PAGE, BAD);
	T(mincore, at, -1, v);
	T(mincore, at, 1, v);
}

CASE(mlock)
{
	fixed(4, RW, ANON, -1);
	T(mlock, at, PAGE);
	T(mlock, at + 1, PAGE);
	T(mlock, at, 5 * PAGE);
	T(mlock, at, 0);
	T(mlock, at, -PAGE);
	T(munlock, at, PAGE);
	T(munlock, at, 5 * PAGE);
	T(munlock, at + 8 * PAGE, PAGE);
	T(mlock2, at, PAGE, MLOCK_ONFAULT);
	T(mlock2, at, PAGE, 2);
	T(mlockall, 0);
	T(mlockall, 8);
	T(mlockall, MCL_ONFAULT);
	T(munlockall);
}

CASE(mlock_limit)
{
	fixed(4, RW, ANON, -1);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(PAGE, PAGE), NULL);
	Q(setresuid, 1000, 1000, 1000);
	T(mlock, at, PAGE);
	T(mlock, at + PAGE, PAGE);
	T(mlock, at, PAGE);
	T(munlock, at, PAGE);
	T(mlock, at + PAGE, PAGE);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(0, 0), NULL);
	T(mlock, at, PAGE);
	T(mlockall, MCL_CURRENT);
}

/* Locked memory grows within the limit. */
CASE(mremap_locked)
{
	fixed(4, RW, ANON, -1);
	Q(munmap, at + 2 * PAGE, 2 * PAGE);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(2 * PAGE, 2 * PAGE), NULL);
	Q(setresuid, 1000, 1000, 1000);
	Q(mlock, at, 2 * PAGE);
	T(mremap, at, 2 * PAGE, 3 * PAGE, 0);
	T(mremap, at, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
	V(R(mremap, at, 2 * PAGE, PAGE, 0) == (long)at);
	V(R(mremap, at, PAGE, 2 * PAGE, 0) == (long)at);
}

/* A range that goes on beyond the user's addresses: nothing of it is unmapped. */
CASE(mremap_shrinks_too_much)
{
	fixed(2, RW, ANON, -1);
	T(mremap, at, -2 * PAGE, PAGE, 0);
	T(mremap, at, (1UL << 62), PAGE, 0);
	T(mincore, at, 2 * PAGE, buf);
	T(madvise, at, (1UL << 62), MADV_NORMAL);
	T(madvise, at, 2 * PAGE, MADV_NORMAL);
}

CASE(brk)
{
	long b = R(brk, 0);

	V(b > 0);
	V(R(brk, b + 100) - b);
	V(((char *)b)[50]);
	V(R(brk, b) - b);
	V(R(brk, 1) - b);
	V(R(brk, -1) - b);
	V(R(brk, b + 2 * PAGE) - b);
	*(char *)(b + PAGE) = 5;
	V(R(brk, b) - b);
	V(R(brk, b + 2 * PAGE) - b);
	V(*(char *)(b + PAGE));
}

CASE(fork_shares_and_copies)
{
	char *shared = pages(1, RW, MAP_SHARED), *own = pages(1, RW, 0);
	pid_t pid = child();

	if (!pid) {
		*shared = *own = 5;
		end(0);
	}
	reap(pid);
	V(*shared);
	V(*own);
}

CASE(grows_down)
{
	V(R(mmap, at, PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0) == (long)at);
	at[0] = 1;
	touch("one page below", at - 1, 1);
	touch("three pages below", at - 3 * PAGE, 1);
	touch("above", at + PAGE, 1);
	T(mmap, 0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);
}

CASE(kernel_addresses)
{
	T(read, 0, (char *)-PAGE, 1);
	T(write, file("f", ""), (char *)-PAGE, 1);
	T(getcwd, (char *)-PAGE, 100);
	T(fstat, 0, (char *)-PAGE);
	T(openat, AT_FDCWD, (char *)-PAGE, 0);
	T(clock_gettime, 0, (char *)-1L);
	T(munmap, (char *)-PAGE, PAGE);
	T(write, 3, (char *)(1UL << 62), 1);
}
