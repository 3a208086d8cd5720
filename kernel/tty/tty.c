/*
 * The terminal: /dev/console, /dev/tty and /dev/ttyS0, which are all the one console.
 *
 * Input comes from the UART's interrupt, goes through the line discipline (line.c) and wakes
 * readers. Output goes to the console's queue as it is written; a writer waits when that is full.
 * When the input buffer is full the UART's receive interrupt is off until a program reads, so that
 * piped input is never lost.
 *
 * With console=mux a program is at the other end: no echo and no translation until it asks.
 *
 * Dump keys: Ctrl-] and then one of "tplrh" is for the kernel, which prints a dump (dump.h), in any
 * state of the terminal; Ctrl-] twice is one Ctrl-] for the program.
 *
 * Locks: write_lock -> in.lock or out.lock -> console. in.lock guards all input state and the
 * owner; signals are sent with no lock held.
 */
#include "fs/poll.h"
#include "tty.h"

#include "console/console.h"
#include "errno.h"
#include "fs/dev.h"
#include "process/process.h"
#include "process/signal.h"
#include "tty/dump.h"

#define DUMP_KEY	0x1d		/* Ctrl-] */
#define CHUNK		256		/* bytes between user memory and the queues at once */
#define TENTH		(NSEC_PER_SEC / 10)

struct tty tty;

/* Shows keys. It must not wait, so keys are not shown while the console's queue is full. */
static void echo(const char *s, size_t n) HOLDS(tty.in.lock)
{
	bool crlf = (tty.line.tio.oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);

	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n' && crlf)
			console_write(STREAM_USER, "\r", 1);
		console_write(STREAM_USER, s + i, 1);
	}
}

static bool tty_input_room(void)
{
	bool room;

	spin_lock(&tty.in.lock);
	room = line_room(&tty.line);
	if (!room) {
		tty.stopped = true;
		console_receive(false);
	}
	spin_unlock(&tty.in.lock);
	return room;
}

/* Returns true if @c belongs to a dump command: the prefix, or the letter after it. */
static bool take_dump_key(char c, char *letter) HOLDS(tty.in.lock)
{
	bool was = tty.dump_key;

	tty.dump_key = !was && c == DUMP_KEY;
	*letter = was && c != DUMP_KEY ? c : 0;
	return tty.dump_key || *letter;
}

static void tty_input(char c)
{
	char letter;
	int sig = 0;
	pid_t group;
	bool more;
	u32 was;

	spin_lock(&tty.in.lock);
	group = tty.group;
	was = tty.line.ready;
	if (!take_dump_key(c, &letter))
		sig = line_input(&tty.line, c);
	if (line_readable(&tty.line))
		wait_wake_all_locked(&tty.in, 0);
	more = tty.line.ready != was && line_readable(&tty.line);
	spin_unlock(&tty.in.lock);

	if (more)
		async_notify(&tty, POLL_IN, O_ACCMODE);
	if (letter)
		dump_key(letter);
	if (sig && group > 0)
		signal_send_group(group, sig);
}

static void tty_output_ready(void)
{
	spin_lock(&tty.out.lock);
	wait_wake_all_locked(&tty.out, 0);
	spin_unlock(&tty.out.lock);
	if (unlikely(atomic_load(&tty.refused)) && atomic_exchange(&tty.refused, 0))
		async_notify(&tty, POLL_OUT, O_ACCMODE);
}

void tty_receive_again(void)
{
	if (tty.stopped && line_room(&tty.line)) {
		tty.stopped = false;
		console_receive(true);
	}
}

/*
 * Takes up to @n bytes of input and returns how many. Waits while there are none and the @have
 * bytes that the read has already got are not enough. *end: the read is complete. VTIME is a time
 * for the first byte if VMIN is 0, else one for each that follows another.
 */
static ssize_t take_input(char *buf, size_t n, size_t have, bool nonblock, bool *end)
{
	struct deadline d = DEADLINE_NEVER;
	const u8 *cc = tty.line.tio.cc;
	size_t got;
	int err = 0;

	spin_lock(&tty.in.lock);
	if (!(tty.line.tio.lflag & ICANON) && (!cc[VMIN] || (have && cc[VTIME])))
		d = cc[VTIME] ? deadline_in(cc[VTIME] * TENTH) : DEADLINE_POLL;
	while (!(got = line_read(&tty.line, buf, n, end)) && !*end && !err) {
		if (have && ((tty.line.tio.lflag & ICANON) || have >= cc[VMIN]))
			break;
		err = nonblock ? -EAGAIN : wait_block_locked(&tty.in, d, 0);
	}
	tty_receive_again();
	spin_unlock(&tty.in.lock);

	if (!got)
		*end = true;
	return err == -ETIMEDOUT ? 0 : err ? err : (ssize_t)got;
}

static ssize_t tty_read(struct file *f, struct iobuf *b, off_t *pos)
{
	char buf[CHUNK];
	ssize_t n, done = 0;
	bool end = false;
	int err = tty_want(SIGTTIN);

	(void)pos;
	if (err)
		return err;
	while (b->left && !end) {
		n = take_input(buf, MIN(b->left, sizeof(buf)), done, f->flags & O_NONBLOCK, &end);
		if (n >= 0 && iobuf_copy_to(b, buf, n) != (size_t)n)
			n = -EFAULT;
		if (n < 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

/* Queues all bytes. -EINTR: interrupted while waiting for room. */
static int put_all(const char *s, size_t n)
{
	int err = 0;

	spin_lock(&tty.out.lock);
	while (n && !err) {
		size_t taken = console_write(STREAM_USER, s, n);

		s += taken;
		n -= taken;
		if (n)
			err = wait_block_locked(&tty.out, DEADLINE_NEVER, 0);
	}
	spin_unlock(&tty.out.lock);
	return err;
}

static_assert(2 * CHUNK <= CONSOLE_ROOM, "console_has_room() promises too little for a chunk");

/* Does output processing: a newline becomes CR LF if the settings say so. */
static int put_processed(const char *s, size_t n)
{
	bool crlf = (tty.line.tio.oflag & (OPOST | ONLCR)) == (OPOST | ONLCR);
	char out[2 * CHUNK];
	size_t len = 0;

	if (!crlf)
		return put_all(s, n);
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\n')
			out[len++] = '\r';
		out[len++] = s[i];
	}
	return put_all(out, len);
}

static ssize_t tty_write(struct file *f, struct iobuf *b, off_t *pos)
{
	char buf[CHUNK];
	ssize_t done = 0;
	int err = mutex_lock_interruptible(&tty.write_lock);

	(void)pos;
	if (err)
		return err;
	err = tty.line.tio.lflag & TOSTOP ? tty_want(SIGTTOU) : 0;
	while (b->left && !err) {
		size_t n = MIN(b->left, sizeof(buf));

		if ((f->flags & O_NONBLOCK) && !console_has_room())
			err = -EAGAIN;
		else if (iobuf_copy_from(b, buf, n) != n)
			err = -EFAULT;
		else if (!(err = put_processed(buf, n)))
			done += n;
	}
	mutex_unlock(&tty.write_lock);
	if (b->left && (f->flags & O_ASYNC)) {
		atomic_store(&tty.refused, 1);
		if (console_has_room())		/* it may have come before `refused` was set */
			tty_output_ready();
	}
	return done ? done : err;
}

/* Whether poll() promises input. With VMIN alone that takes as many bytes as a read waits for. */
static bool is_promised(const struct line *l)
{
	const u8 *cc = l->tio.cc;
	bool any = (l->tio.lflag & ICANON) || cc[VTIME];

	return line_readable(l) && (any || l->ready - l->head >= cc[VMIN]);
}

static unsigned tty_poll(struct file *f, struct poll_table *pt)
{
	unsigned ready = 0;

	(void)f;
	poll_add(pt, &tty.in);
	poll_add(pt, &tty.out);
	spin_lock(&tty.in.lock);
	if (is_promised(&tty.line))
		ready |= POLLIN;
	spin_unlock(&tty.in.lock);
	return ready | (console_has_room() ? POLLOUT : 0);
}

static const struct file_ops tty_file_ops = {
	.open = tty_open,
	.read = tty_read,
	.write = tty_write,
	.poll = tty_poll,
	.ioctl = tty_ioctl,
	.owner = tty_owner,
	.async = true,
};

void tty_init(void)
{
	static const struct console_user user = { tty_input_room, tty_input, tty_output_ready };

	mutex_init(&tty.write_lock);
	wait_queue_init(&tty.in);
	wait_queue_init(&tty.out);
	tty.size = (struct winsize){ .rows = 24, .columns = 80 };
	line_init(&tty.line, console_is_mux(), echo);
	dev_register(DEV_TTYS0, &tty_file_ops);
	dev_register(DEV_TTY, &tty_file_ops);
	dev_register(DEV_CONSOLE, &tty_file_ops);
	console_attach(&user);
}
