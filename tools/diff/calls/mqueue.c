/* Message queues: names, attributes, order, blocking, deadlines, notification. */
#include "diff.h"

struct attr {
	long flags, maxmsg, msgsize, curmsgs, unused[4];
};

static char name[40]; /* of this run alone: names outlive their makers */
static struct attr attr;
static unsigned priority;

static struct attr *size_of(long maxmsg, long msgsize)
{
	attr = (struct attr){ .maxmsg = maxmsg, .msgsize = msgsize };
	return &attr;
}

/* A queue of two messages of 16 bytes, whose name is gone already. */
static int queue(int flags)
{
	int q;

	snprintf(name, sizeof(name), "diff-%d", getpid());
	q = Q(mq_open, name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, size_of(2, 16));
	Q(mq_unlink, name);
	return q;
}

static void attributes_of(int q)
{
	T(mq_getsetattr, q, NULL, &attr);
	V(attr.flags);
	V(attr.maxmsg);
	V(attr.msgsize);
	V(attr.curmsgs);
}

/* The one message that comes next, as text. */
static void receive(int q)
{
	memset(buf, 0, 32);
	T(mq_timedreceive, q, buf, 16, &priority, ts(0, 0));
	S(buf);
	V(priority);
}

CASE(names)
{
	int q;

	snprintf(name, sizeof(name), "diff-%d", getpid());
	T(mq_open, "", O_RDWR, 0, NULL);
	T(mq_open, BAD, O_RDWR, 0, NULL);
	T(mq_open, "/a", O_RDWR | O_CREAT, 0600, NULL);
	T(mq_open, "a/b", O_RDWR | O_CREAT, 0600, NULL);
	T(mq_open, ".", O_RDWR | O_CREAT, 0600, NULL);
	T(mq_open, "..", O_RDWR | O_CREAT, 0600, NULL);
	memset(buf, 'x', 256);		/* one more than a name may have */
	T(mq_open, buf, O_RDWR | O_CREAT, 0600, NULL);
	T(mq_unlink, buf);
	T(mq_unlink, "");
	T(mq_unlink, BAD);
	T(mq_open, name, O_RDWR, 0600, NULL);
	T(mq_open, name, O_RDWR | O_EXCL, 0600, NULL);
	T(mq_unlink, name);
	q = Q(mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	T(fcntl, q, F_GETFD);
	O(R(fcntl, q, F_GETFL));
	T(mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL);
	OK(mq_open, name, O_RDONLY | O_CREAT, 0600, size_of(3, 3));
	T(mq_unlink, name);
	T(mq_unlink, name);
	T(mq_open, name, O_RDWR, 0600, NULL);
	T(mq_timedsend, q, "still", 5, 0, NULL);
}

CASE(attributes)
{
	int q;

	snprintf(name, sizeof(name), "diff-%d", getpid());
	T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(0, 10));
	T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(10, 0));
	T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(-1, 10));
	T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(1 << 20, 10));
	T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(10, 1 << 26));
	T(mq_open, name, O_RDWR, 0600, BAD);
	T(mq_unlink, name);
	OK(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(1, 1));
	T(mq_unlink, name);
	q = Q(mq_open, name, O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
	Q(mq_unlink, name);
	attributes_of(q);
	attr.flags = 1;
	T(mq_getsetattr, q, &attr, NULL);
	T(mq_getsetattr, q, BAD, NULL);
	T(mq_getsetattr, q, NULL, BAD);
	T(mq_getsetattr, 77, NULL, &attr);
	T(mq_getsetattr, 0, NULL, &attr);
	T(mq_getsetattr, q, size_of(1, 1), NULL);
	attributes_of(q);
	O(R(fcntl, q, F_GETFL));
}

CASE(order)
{
	int q = queue(O_NONBLOCK);

	T(mq_timedsend, q, "first", 5, 1, NULL);
	T(mq_timedsend, q, "second", 6, 1, NULL);
	T(mq_timedsend, q, "third", 5, 1, NULL);
	receive(q);
	T(mq_timedsend, q, "urgent", 6, 32767, NULL);
	attributes_of(q);
	receive(q);
	receive(q);
	receive(q);
	T(mq_timedsend, q, "", 0, 0, NULL);
	receive(q);
}

CASE(errors)
{
	int q = queue(O_NONBLOCK), p[2];

	T(mq_timedsend, q, "x", 1, 32768, NULL);
	T(mq_timedsend, q, buf, 17, 0, NULL);
	T(mq_timedsend, q, BAD, 1, 0, NULL);
	T(mq_timedsend, q, "x", 1, 0, BAD);
	T(mq_timedsend, q, "x", 1, 0, ts(0, 1000000000));
	T(mq_timedsend, q, "x", 1, 0, ts(-1, 0));
	T(mq_timedsend, 77, "x", 1, 0, NULL);
	T(mq_timedsend, 0, "x", 1, 0, NULL);
	T(mq_timedreceive, q, buf, 15, NULL, NULL);
	T(mq_timedreceive, q, buf, 16, NULL, NULL);
	T(mq_timedreceive, 77, buf, 16, NULL, NULL);
	T(mq_timedreceive, q, buf, 16, NULL, ts(0, -1));
	Q(mq_timedsend, q, "lost", 4, 0, NULL);
	T(mq_timedreceive, q, BAD, 16, NULL, NULL);
	T(mq_timedreceive, q, buf, 16, NULL, NULL);
	Q(mq_timedsend, q, "lost", 4, 0, NULL);
	T(mq_timedreceive, q, buf, 16, BAD, NULL);
	Q(pipe2, p, 0);
	T(mq_timedsend, p[1], "x", 1, 0, NULL);
	T(mq_notify, p[1], NULL);
	T(mq_notify, 77, NULL);
}

CASE(access)
{
	int r, w;

	snprintf(name, sizeof(name), "diff-%d", getpid());
	umask(022);
	w = Q(mq_open, name, O_WRONLY | O_CREAT, 0666, size_of(2, 16));
	r = Q(mq_open, name, O_RDONLY, 0, NULL);
	T(mq_timedsend, r, "x", 1, 0, NULL);
	T(mq_timedreceive, w, buf, 16, NULL, NULL);
	if (!child()) {
		setuid(77);
		OK(mq_open, name, O_RDONLY, 0, NULL);
		T(mq_open, name, O_WRONLY, 0, NULL);
		T(mq_open, name, O_RDWR, 0, NULL);
		T(mq_unlink, name);
		end(0);
	}
	W(reap(-1));
	T(mq_unlink, name);
}

CASE(as_a_file)
{
	int q = queue(0);
	struct stat st;

	V(fstat(q, &st));
	O(st.st_mode);
	V(st.st_size);
	V(st.st_nlink);
	T(read, q, buf, 200);
	buf[strcspn(buf, "\n")] = '.';
	S(buf);
	Q(mq_timedsend, q, "hello", 5, 0, NULL);
	memset(buf, 0, 200);
	T(pread64, q, buf, 200, 0);
	buf[strcspn(buf, "\n")] = '.';
	S(buf);
	T(write, q, "x", 1);
	V(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, q, 0) == MAP_FAILED);
}

CASE(read_in_pieces)
{
	int q = queue(0);

	memset(buf, 0, 200);
	T(read, q, buf, 1);
	T(read, q, buf + 1, 5);
	T(read, q, buf + 6, 200);
	T(read, q, buf + 60, 200);
	buf[strcspn(buf, "\n")] = '.';
	S(buf);
}

static int same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Sending and receiving change all times: sooner or later, as Linux keeps them in whole seconds. */
CASE(times)
{
	struct timespec before;
	int q = queue(0);
	struct stat old, new;

	V(fstat(q, &old));
	do {
		Q(clock_gettime, CLOCK_REALTIME, &before);
		Q(mq_timedsend, q, "a", 1, 0, NULL);
		Q(mq_timedreceive, q, buf, 16, NULL, NULL);
		Q(fstat, q, &new);
	} while (same_time(&new.st_mtim, &old.st_mtim) && before.tv_sec < old.st_mtim.tv_sec + 2);
	V(same_time(&new.st_mtim, &old.st_mtim));
	V(same_time(&new.st_atim, &new.st_mtim));
}

/* A user's queues count against the limit even if the process was another user in between. */
CASE(counted_for_the_user)
{
	struct rlimit limit = { .rlim_cur = 300, .rlim_max = 300 };

	queue(0);
	T(setresuid, 77, -1, -1);
	T(setresuid, 0, -1, -1);
	T(prlimit64, 0, RLIMIT_MSGQUEUE, &limit, NULL);
	T(mq_open, name, O_RDWR | O_CREAT | O_EXCL, 0600, size_of(2, 16));
}

CASE(polled)
{
	int q = queue(0);
	struct pollfd p = { .fd = q, .events = POLLIN | POLLOUT };

	T(ppoll, &p, 1, ts(0, 0), NULL, 8);
	H(p.revents);
	Q(mq_timedsend, q, "a", 1, 0, NULL);
	T(ppoll, &p, 1, ts(0, 0), NULL, 8);
	H(p.revents);
	Q(mq_timedsend, q, "b", 1, 0, NULL);
	T(ppoll, &p, 1, ts(0, 0), NULL, 8);
	H(p.revents);
	p.events = POLLOUT;
	if (!child()) {
		await_blocked(getppid());
		R(mq_timedreceive, q, buf, 16, NULL, NULL);
		end(0);
	}
	T(ppoll, &p, 1, NULL, NULL, 8);
	W(reap(-1));
	R(mq_timedreceive, q, buf, 16, NULL, NULL);
	p.events = POLLIN;
	if (!child()) {
		await_blocked(getppid());
		R(mq_timedsend, q, "c", 1, 0, NULL);
		end(0);
	}
	T(ppoll, &p, 1, NULL, NULL, 8);
	W(reap(-1));
}

CASE(deadlines)
{
	int q = queue(0);

	T(mq_timedreceive, q, buf, 16, NULL, ts(1, 0));
	T(mq_timedsend, q, "a", 1, 0, ts(1, 0));
	T(mq_timedsend, q, "b", 1, 0, ts(1, 0));
	T(mq_timedsend, q, "c", 1, 0, ts(1, 0));
	attributes_of(q);
}

CASE(handed_to_a_receiver)
{
	int q = queue(0);
	pid_t pid = child();

	if (!pid) {
		T(mq_timedreceive, q, buf, 16, &priority, NULL);
		S(buf);
		V(priority);
		end(0);
	}
	await_blocked(pid);
	Q(mq_timedsend, q, "for you", 7, 9, NULL);
	W(reap(pid));
	T(mq_timedreceive, q, buf, 16, NULL, ts(1, 0));
}

CASE(taken_from_a_sender)
{
	int q = queue(0);
	pid_t pid;

	Q(mq_timedsend, q, "a", 1, 1, NULL);
	Q(mq_timedsend, q, "b", 1, 1, NULL);
	pid = child();
	if (!pid) {
		Q(mq_timedsend, q, "c", 1, 2, NULL);
		end(0);
	}
	await_blocked(pid);
	receive(q);
	W(reap(pid));
	attributes_of(q);
	receive(q);
	receive(q);
}

CASE(interrupted)
{
	int q = queue(0);

	on(SIGUSR1, 0);
	poke(SIGUSR1);
	T(mq_timedreceive, q, buf, 16, NULL, NULL);
	poke(SIGUSR1);
	T(mq_timedreceive, q, buf, 16, NULL, ts(2000000000, 0));
	Q(mq_timedsend, q, "a", 1, 0, NULL);
	Q(mq_timedsend, q, "b", 1, 0, NULL);
	poke(SIGUSR1);
	T(mq_timedsend, q, "c", 1, 0, NULL);
	attributes_of(q);
}

static siginfo_t got;

static void take(int sig)
{
	T(rt_sigtimedwait, bits(1ul << (sig - 1)), &got, ts(0, 0), 8);
}

CASE(notified_without_a_signal)
{
	struct linux_sigevent ev = { .notify = SIGEV_NONE, .signo = 40 };
	int q = queue(0);

	block(40);
	T(mq_notify, q, &ev);
	Q(mq_timedsend, q, "a", 1, 0, NULL);
	take(40);
}

CASE(notified)
{
	int q = queue(0);
	struct linux_sigevent ev = { .notify = SIGEV_SIGNAL, .signo = 40, .value = 1234 };

	block(40);
	T(mq_notify, q, BAD);
	T(mq_notify, q, &ev);
	T(mq_notify, q, &ev);
	T(pread64, q, buf, 200, 0);
	V(strstr(buf, "NOTIFY:0     SIGNO:40    NOTIFY_PID:") != NULL);
	Q(mq_timedsend, q, "a", 1, 0, NULL);
	take(40);
	V(got.si_code);
	V(got.si_pid == getpid());
	V(got.si_value.sival_int);
	T(mq_notify, q, &ev);
	Q(mq_timedsend, q, "b", 1, 0, NULL);
	take(40);
	receive(q);
	receive(q);
	Q(mq_timedsend, q, "c", 1, 0, NULL);
	take(40);
	T(mq_notify, q, &ev);
	ev.signo = 65;
	T(mq_notify, q, &ev);
	T(mq_notify, q, NULL);
	T(mq_notify, q, NULL);
	ev.notify = 7;
	T(mq_notify, q, &ev);
	ev.notify = SIGEV_NONE;
	T(mq_notify, q, &ev);
	T(mq_notify, q, &ev);
	receive(q);
	Q(mq_timedsend, q, "d", 1, 0, NULL);
	T(mq_notify, q, &ev);
}

CASE(notification_ends_with_close)
{
	int q = queue(0), same = Q(dup, q), p[2];
	struct linux_sigevent ev = { .notify = SIGEV_NONE };
	pid_t pid;

	Q(pipe2, p, 0);
	T(mq_notify, q, &ev);
	T(close, same);
	T(mq_notify, q, &ev);
	T(mq_notify, q, NULL);
	pid = child();
	if (!pid) {
		T(mq_notify, q, &ev);
		end(0);
	}
	W(reap(pid));
	T(mq_notify, q, &ev);
	pid = child();
	if (!pid) {
		T(mq_notify, q, &ev);
		T(close, q);
		end(0);
	}
	W(reap(pid));
	T(mq_notify, q, &ev);
}

static pid_t receiver(int q, const char *who, int urgency)
{
	struct sched_param sp = { urgency };
	pid_t pid = child();

	if (!pid) {
		if (urgency)
			Q(sched_setscheduler, 0, SCHED_FIFO, &sp);
		Q(mq_timedreceive, q, buf, 16, NULL, NULL);
		say("%s has \"%s\"", who, buf);
		end(0);
	}
	await_blocked(pid);
	return pid;
}

CASE(no_notification_if_one_waits)
{
	int q = queue(0);
	struct linux_sigevent ev = { .notify = SIGEV_SIGNAL, .signo = 40 };
	pid_t pid = receiver(q, "it", 0);

	block(40);
	T(mq_notify, q, &ev);
	Q(mq_timedsend, q, "a", 1, 0, NULL);
	W(reap(pid));
	take(40);
	Q(mq_timedsend, q, "a", 1, 0, NULL);
	take(40);
}

CASE(highest_priority_waits_least)
{
	int q = queue(0);
	pid_t low = receiver(q, "low", 0), high = receiver(q, "high", 5);
	pid_t late = receiver(q, "the last", 0);

	Q(mq_timedsend, q, "one", 3, 0, NULL);
	W(reap(high));
	Q(mq_timedsend, q, "two", 3, 0, NULL);
	W(reap(low));
	Q(mq_timedsend, q, "six", 3, 0, NULL);
	W(reap(late));
}

CASE(limit_of_a_user)
{
	int n = 0;

	if (!child()) {
		setuid(77);
		prlimit(0, RLIMIT_MSGQUEUE, lim(50000, 50000), NULL);
		for (;; n++) {
			snprintf(name, sizeof(name), "diff-%d-%d", getpid(), n);
			if (R(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(10, 2000)) < 0)
				break;
			R(mq_unlink, name);
		}
		V(n);
		T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(10, 2000));
		T(close, 3);
		T(mq_open, name, O_RDWR | O_CREAT, 0600, size_of(10, 2000));
		T(mq_unlink, name);
		end(0);
	}
	W(reap(-1));
}

/* A queue that is gone does not count any more. */
CASE(many_one_after_the_other)
{
	if (!child()) {
		Q(setuid, 77);
		for (int n = 0; n < 300; n++)
			Q(close, queue(0));
		end(0);
	}
	W(reap(-1));
}
