/*
 * Each capability and its use: calls that not everybody may make, by root without one of them, and
 * by a user with only one.
 *
 * A line has the call as root makes it, the capabilities without which root fails, what a user
 * without any gets, and the capabilities each of which is enough for the user.
 */
#include "pairs.h"
#include "run.h"

enum { CAPS = 41, MOST = 64, MODES = 1 << 24 };

static struct privileged {
	const char *what;
	long number, a[6];
} calls[MOST];
static int nr_calls;

/* If not -1, a call's answer is the mode that this file has after it; then it gets @mode_before. */
static int watched = -1, mode_before;

static void add(const char *what, long number, const long *a)
{
	struct privileged *c = &calls[nr_calls++];

	c->what = what;
	c->number = number;
	memcpy(c->a, a, sizeof(c->a));
}

#define ADD(call, ...)									\
	add(#call "(" #__VA_ARGS__ ")", NR_##call,					\
	    (const long[6]){ LONGS_OF(__VA_ARGS__)(__VA_ARGS__) })

static void set_caps(uint64_t caps)
{
	unsigned head[2] = { 0x20080522, 0 }, sets[2][3];

	for (int i = 0; i < 2; i++) {
		sets[i][0] = sets[i][1] = caps >> 32 * i;
		sets[i][2] = 0;
	}
	Q(capset, head, sets);
}

static int mode_after(void)
{
	struct stat st;

	Q(fstat, watched, &st);
	Q(fchmod, watched, mode_before);
	return st.st_mode & 07777;
}

/* Call @i with @caps: 0, an error, or MODES and a mode. */
static long answer_to(int i, int as_user, uint64_t caps)
{
	long *answer = child_answer(i);
	pid_t pid = child();

	if (!pid) {
		if (as_user) {
			Q(prctl, PR_SET_KEEPCAPS, 1);
			become_user();
		}
		set_caps(caps);
		*answer = ask(calls[i].number, calls[i].a);
		end(0);
	}
	reap(pid);
	R(unlinkat, AT_FDCWD, "open/made", 0);
	if (*answer < 0)
		return -*answer;
	return watched < 0 ? 0 : MODES + mode_after();
}

static const char *name_of(long answer)
{
	static char text[24];

	if (answer < MODES)
		return asked_name(answer);
	snprintf(text, sizeof(text), "%#lo", answer - MODES);
	return text;
}

static void tell_call(int i)
{
	const uint64_t all = ((1UL << CAPS) - 1) & ~(1UL << SYS_RESOURCE);
	long root = answer_to(i, 0, all), user = answer_to(i, 1, 0);
	char text[2048];
	int n = snprintf(text, sizeof(text), "root %s", name_of(root));

	for (int cap = 0; cap < CAPS; cap++) {
		long without = answer_to(i, 0, all & ~(1UL << cap));

		if (without != root)
			n += snprintf(text + n, sizeof(text) - n, ", without %d %s", cap,
				      name_of(without));
	}
	n += snprintf(text + n, sizeof(text) - n, "; user %s", name_of(user));
	for (int cap = 0; cap < CAPS; cap++) {
		long with = cap == SYS_RESOURCE ? user : answer_to(i, 1, 1UL << cap);

		if (with != user)
			n += snprintf(text + n, sizeof(text) - n, ", with %d %s", cap,
				      name_of(with));
	}
	say("%s: %s", calls[i].what, text);
}

static void tell_all(void)
{
	for (int i = 0; i < nr_calls; i++)
		tell_call(i);
}

static int others(const char *name, int mode)
{
	int fd = file(name, "abc");

	Q(fchmod, fd, mode);
	Q(fchown, fd, 5, 5);
	return fd;
}

CASE(files)
{
	int f = others("f", 0644), mine = file("mine", "");

	Q(fchown, mine, USER, 5);
	Q(fchmod, mine, 0755);
	others("hidden", 0);
	others("program", 0700);
	Q(mkdirat, AT_FDCWD, "closed", 0700);
	Q(mkdirat, AT_FDCWD, "sticky", 01777);
	others("sticky/f", 0644);
	others("sticky/g", 0644);
	Q(fchmodat, AT_FDCWD, "sticky", 01777);
	Q(mkdirat, AT_FDCWD, "open", 0777);
	Q(fchmodat, AT_FDCWD, "open", 0777);
	ADD(fchown, f, 7, -1);
	ADD(fchown, f, -1, 7);
	ADD(fchown, mine, -1, 7);
	ADD(fchown, mine, -1, USER);
	ADD(fchmod, f, 0600);
	ADD(fchmod, mine, 0600);
	ADD(utimensat, AT_FDCWD, "f", NULL, 0);
	ADD(utimensat, AT_FDCWD, "f", AT(struct linux_itimerspec, { 1, 1 }), 0);
	ADD(openat, AT_FDCWD, "hidden", O_RDONLY);
	ADD(openat, AT_FDCWD, "hidden", O_WRONLY);
	ADD(openat, AT_FDCWD, "f", O_WRONLY);
	ADD(openat, AT_FDCWD, "f", O_RDONLY | O_NOATIME);
	ADD(openat, AT_FDCWD, "closed/gone", O_RDONLY);
	ADD(openat, AT_FDCWD, "closed", O_RDONLY);
	ADD(faccessat, AT_FDCWD, "hidden", R_OK);
	ADD(faccessat2, AT_FDCWD, "hidden", R_OK, AT_EACCESS);
	ADD(faccessat2, AT_FDCWD, "hidden", X_OK, AT_EACCESS);
	ADD(faccessat2, AT_FDCWD, "program", X_OK, AT_EACCESS);
	ADD(truncate, "f", 3);
	ADD(linkat, AT_FDCWD, "hidden", AT_FDCWD, "open/made", 0);
	ADD(unlinkat, AT_FDCWD, "sticky/f", AT_REMOVEDIR);
	ADD(renameat2, AT_FDCWD, "sticky/f", AT_FDCWD, "sticky/g", 2);
	ADD(mknodat, AT_FDCWD, "open/made", S_IFCHR | 0666, 0x103);
	ADD(mknodat, AT_FDCWD, "open/made", S_IFIFO | 0666, 0);
	ADD(chroot, ".");
	tell_all();
}

CASE(processes)
{
	pid_t other = child();
	int fd = file("f", ""), me = Q(getpid);

	if (!other) {
		Q(setresgid, 5, 5, 5);
		Q(setresuid, 5, 5, 5);
		for (;;)
			R(ppoll, NULL, 0, NULL, NULL, 8);
	}
	ADD(kill, other, 0);
	ADD(kill, me, 0);
	ADD(setuid, 7);
	ADD(setreuid, 7, -1);
	ADD(setresuid, -1, 7, -1);
	ADD(setfsuid, 7);
	ADD(setgid, 7);
	ADD(setregid, 7, -1);
	ADD(setresgid, -1, 7, -1);
	ADD(setgroups, 0, NULL);
	ADD(prctl, PR_CAPBSET_DROP, 0);
	ADD(prctl, PR_SET_SECUREBITS, 0);
	ADD(prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 0, 0, 0);
	ADD(setpriority, 0, 0, -5);
	ADD(setpriority, 0, other, 5);
	ADD(sched_setscheduler, 0, SCHED_FIFO, num(1));
	ADD(sched_setscheduler, other, SCHED_OTHER, num(0));
	ADD(sched_setaffinity, other, 8, bits(1));
	ADD(sched_getaffinity, other, 8, bits(0));
	ADD(ioprio_set, 1, 0, 1 << 13);
	ADD(ioprio_set, 1, other, 2 << 13);
	ADD(ioprio_get, 1, other);
	ADD(prlimit64, other, RLIMIT_NOFILE, NULL, buf);
	ADD(prlimit64, 0, RLIMIT_NOFILE, lim(10, 1UL << 30), NULL);
	ADD(get_robust_list, other, bits(0), bits(0));
	ADD(process_vm_readv, other, io(buf, 8), 1, io(buf, 8), 1, 0);
	ADD(process_vm_writev, other, io(buf, 8), 1, io(buf, 8), 1, 0);
	ADD(pidfd_getfd, Q(pidfd_open, other, 0), 0, 0);
	ADD(timerfd_create, 8, 0);
	ADD(timerfd_create, 9, 0);
	ADD(clock_settime, CLOCK_REALTIME, TIME(-1, 0));
	ADD(clock_settime, CLOCK_MONOTONIC, TIME(0, 0));
	ADD(syslog, 4, NULL, -1);
	ADD(sethostname, BAD, 1);
	ADD(setpgid, other, other);
	ADD(fcntl, fd, F_SETOWN, other);
	Q(prlimit64, 0, RLIMIT_MEMLOCK, lim(0, 0), NULL);
	ADD(mlock, buf, PAGE);
	ADD(mlockall, 1);
	ADD(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | 0x2000, -1, 0);
	tell_all();
	Q(kill, other, SIGKILL);
	reap(other);
}

/* The bits that give rights are lost to those who could not set them. */
static void watch(int mode, int uid, int gid)
{
	say("%#o of %d:%d", mode, uid, gid);
	watched = file("set", "abc");
	mode_before = mode;
	Q(fchown, watched, uid, gid);
	Q(fchmod, watched, mode);
	ADD(fchmod, watched, mode);
	ADD(fchown, watched, -1, -1);
	ADD(fchown, watched, uid, -1);
	ADD(write, watched, "x", 1);
	ADD(ftruncate, watched, 2);
	ADD(openat, AT_FDCWD, "set", O_WRONLY | O_TRUNC);
	ADD(fallocate, watched, 0, 0, 4);
	tell_all();
	nr_calls = 0;
}

CASE(set_id_bits)
{
	watch(06777, 5, 5);
	watch(06777, USER, 5);
	watch(06767, USER, USER);
	watch(02777, USER, USER);
}
