/*
 * Lab 01, step 1: what the console sends, seen in place of the UART. All tests but the last run
 * before any other thread exists, with interrupts off.
 */
#include "base/string.h"
#include "console/console.h"
#include "console/uart.h"
#include "errno.h"
#include "sched/cpu.h"
#include "sched/sched.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define DLE		0x10
#define ENDLESS		1000000u	/* rounds */
#define LONG		80000u		/* bytes: more than the queue holds, or 16 bits count */
#define WIDEST		8u		/* bytes that take as much room as any does */
#define MOST		64u		/* bytes sent at once, by the handout */
#define PATIENCE	50u		/* polls: more than a console makes that does not wait */

static char sent[LONG + 16], text[LONG];

/*
 * Begins with an empty queue, the kernel's stream, and a UART that becomes ready @rounds times. The
 * transmit interrupt is off in both UARTs when one takes the other's place, here and in end(): the
 * kernel may remember how it left that.
 */
static struct uart_tap *begin(unsigned rounds)
{
	static struct uart_tap tap;

	console_write_now(STREAM_KERNEL, "", 0);
	console_send_more();
	memset(sent, 0, sizeof(sent));
	for (unsigned i = 0; i < LONG; i++) {
		char c = (char)(i / 7 + i);

		text[i] = c == '\n' || c == DLE ? 'a' : c;	/* these two take two bytes */
	}
	tap = (struct uart_tap){ .bytes = sent, .size = sizeof(sent), .rounds = rounds };
	uart_tap = &tap;
	return &tap;
}

/*
 * The UART is busy all the time, but not for ever: where the queue is full, a console may ask it
 * until it has room.
 */
static struct uart_tap *begin_busy(void)
{
	struct uart_tap *tap = begin(0);

	tap->polls = PATIENCE;
	return tap;
}

static void write(size_t from, size_t to)
{
	console_write_all(STREAM_KERNEL, text + from, to - from);
}

/* Sends the rest of the queue, and compares all with the first @n bytes of the text. */
static void end(struct uart_tap *tap, size_t n)
{
	size_t i = 0;

	console_flush();
	console_send_more();
	uart_tap = NULL;
	CHECK(tap->nr == n, "P1.1", "of %lu bytes %lu came out", n, tap->nr);
	while (i < n && sent[i] == text[i])
		i++;
	CHECK(i == n || tap->nr != n, "P1.1", "byte %lu is another one, or in another place", i);
}

KTEST_EARLY(console_whole, "console.whole", "01.1", "P1.1")
{
	struct uart_tap *tap = begin(ENDLESS);

	write(0, 1);
	write(1, 1);
	write(1, 15);
	write(15, 50);
	end(tap, 50);

	/* The UART is busy all the time: nothing goes out before the end. */
	tap = begin(0);
	write(0, 3000);
	write(3000, 7000);
	end(tap, 7000);
}

/* A newline of the kernel is CR LF for a person; without that, each change of stream has a mark. */
static void check_streams(void)
{
	const char *expected = console_is_mux() ? "k\n\x10un\n\x10kk" : "k\r\nn\nk";
	struct uart_tap *tap = begin(ENDLESS);
	size_t n = strlen(expected);

	console_write_all(STREAM_KERNEL, "k\n", 2);
	console_write_all(STREAM_USER, "n\n", 2);
	console_write_all(STREAM_KERNEL, "k", 1);
	console_flush();
	console_send_more();
	uart_tap = NULL;
	CHECK(tap->nr == n, "P1.1", "messages of two streams came out as %lu bytes, not as %lu",
	      tap->nr, n);
	CHECK(!strncmp(sent, expected, n), "P1.1", "messages of two streams are mixed up");
}

KTEST_EARLY(console_streams, "console.streams", "01.1", "P1.1")
{
	check_streams();
}

/* A message in which many bytes take two on the wire, so one more byte of room is not enough. */
static void check_doubled(void)
{
	static const char pair[] = "\x10\n";
	const char *expected = console_is_mux() ? "\x10\x10\n" : "\x10\r\n";
	struct uart_tap *tap = begin_busy();
	unsigned pairs = LONG / 4, same = 0;

	for (unsigned i = 0; i < 2 * pairs; i++)
		text[i] = pair[i % 2];
	write(0, 2 * pairs);
	console_flush();
	console_send_more();
	uart_tap = NULL;
	while (same < 3 * pairs && sent[same] == expected[same % 3])
		same++;
	CHECK(tap->nr == 3 * pairs && same == tap->nr, "P1.1",
	      "of %u bytes that a long message takes on the wire %lu came out, the first %u right",
	      3 * pairs, tap->nr, same);
}

/* The queue is as full as a program can make it, and then come bytes that take four each. */
static void check_widest(void)
{
	struct uart_tap *tap = begin_busy();
	size_t n;

	tap->in_fifo = UART_FIFO;		/* busy, and so the queue stays full */
	n = console_write(STREAM_KERNEL, text, LONG);
	for (unsigned i = 0; i < WIDEST; i++) {
		console_write_all(i % 2 ? STREAM_KERNEL : STREAM_USER, "\x10", 1);
		n += console_is_mux() ? strlen("\x10u\x10\x10") : 1;
	}
	console_flush();
	console_send_more();
	uart_tap = NULL;
	CHECK(tap->nr == n, "P1.1", "of %lu bytes behind a full queue %lu came out", n, tap->nr);
}

/* A message that fits into the queue to the last byte waits for nothing. */
static void check_last_room(void)
{
	struct uart_tap *tap = begin_busy();
	size_t n = console_write(STREAM_KERNEL, text, LONG), before;

	end(tap, n);
	tap = begin_busy();
	tap->in_fifo = UART_FIFO;
	write(0, n);
	before = tap->nr;
	end(tap, n);
	CHECK(!before, "P1.2", "%lu bytes made room for a message that fits into the queue",
	      before);
}

KTEST_EARLY(console_full, "console.full", "01.1", "P1.1")
{
	struct uart_tap *tap = begin_busy();
	bool asked;

	write(0, 10000);
	write(10000, LONG);
	end(tap, LONG);
	tap = begin_busy();
	write(0, LONG);
	asked = tap->asked || tap->nr >= LONG;		/* unless all of it was sent by polling */
	end(tap, LONG);
	CHECK(asked, "P1.2", "a message filled the queue, and the UART's interrupt is off");
	check_last_room();
	check_doubled();
	check_widest();
}

/* With console=plain, as a person has it, where other bytes take two on the wire. */
KTEST_EARLY(console_plain, "console.plain", "01.1", "P1.1")
{
	check_streams();
	check_last_room();
	check_doubled();
	check_widest();
}

/* Each interrupt of the UART calls console_send_more(). Nobody prints while the tap is there. */
KTEST_EARLY(console_sends, "console.sends", "01.1", "P1.2")
{
	struct uart_tap *tap = begin(ENDLESS);
	size_t first, last, most;
	bool asked_first, asked_last, asked = true;
	unsigned calls = 0, overruns, polled;

	write(0, 500);
	most = tap->nr;
	end(tap, 500);
	CHECK(!tap->asked, "P1.2", "the queue was flushed, and its interrupt is still on");
	tap = begin(0);
	write(0, 500);
	first = tap->nr;
	asked_first = tap->asked;
	tap->rounds = ENDLESS;
	for (; tap->nr < 500 && calls < 500; calls++) {
		last = tap->nr;
		console_send_more();
		most = MAX(most, tap->nr - last);
		if (tap->nr < 500)
			asked &= tap->asked;
	}
	last = tap->nr;
	overruns = tap->overruns;
	polled = tap->polled;
	asked_last = tap->asked;
	end(tap, 500);
	CHECK(overruns == 0, "P1.2", "%u bytes were sent to a UART that had no room", overruns);
	CHECK(polled == 0, "P1.2", "%u bytes were sent by waiting for the UART", polled);
	CHECK(first > 0, "P1.2", "the UART was idle, and nothing was sent");
	CHECK(!first || first >= UART_FIFO, "P1.2",
	      "the UART was idle, and took %lu bytes, not %u", first, (unsigned)UART_FIFO);
	CHECK(asked_first, "P1.2", "%lu of 500 bytes are sent, and its interrupt is off", first);
	CHECK(last == 500, "P1.2", "after %u interrupts %lu of 500 bytes are sent", calls, last);
	CHECK(MAX(first, most) <= MOST, "P1.2", "%lu bytes were sent at once", MAX(first, most));
	CHECK(asked, "P1.2", "its interrupt was turned off before all was sent");
	CHECK(!asked_last, "P1.2", "all is sent, and its interrupt is still on");
	CHECK(!tap->received, "P1.2", "the interrupt for received bytes was turned on or off");
}

#define PORTION	499u		/* bytes */

/* Messages that only interrupts send, until the queue has been all round and its positions wrap. */
KTEST_EARLY(console_goes_on, "console.goes_on", "01.1", "P1.2")
{
	struct uart_tap *tap = begin(0);
	size_t late = 0, n = 0, before, least = UART_FIFO;

	while (n < LONG - PORTION) {
		write(n, n + PORTION);
		n += PORTION;
		for (unsigned calls = 0; tap->nr < n && calls < 500; calls++) {
			before = tap->nr;
			tap->rounds = 1;	/* its FIFO is empty once */
			console_send_more();
			if (tap->nr < n)
				least = MIN(least, tap->nr - before);
		}
		if (tap->nr < n && !late)
			late = n;
	}
	end(tap, n);
	CHECK(!late, "P1.2", "of %lu bytes some wait still after 500 interrupts", late);
	CHECK(least == UART_FIFO, "P1.2", "an interrupt sent %lu bytes, and more were left", least);
}

/* --- Two CPUs --------------------------------------------------------------------------------- */

#define LINE	10u		/* bytes */
#define SOON	(200 * NSEC_PER_MSEC)

static _Atomic bool sending, written;
static bool overtaken;

static bool within(u64 since)
{
	return time_now() - since < SOON;
}

/* Holds CPU 1 while it sends its first byte, with the lock: CPU 0 has to wait all that time. */
static void hold(void)
{
	u64 began = time_now();

	if (sending)
		return;
	sending = true;
	while (!written && within(began))
		arch_spin_hint();
	overtaken = written;
}

static int write_line(void *unused)
{
	(void)unused;
	write(0, LINE);
	return 0;
}

/* Sends the rest. A handler on the other CPU may have written something, too, but not in a line. */
static void end_mixed(struct uart_tap *tap)
{
	unsigned times[2] = { 0 };
	size_t n;

	console_flush();
	console_send_more();
	uart_tap = NULL;
	n = MIN(tap->nr, sizeof(sent));
	for (size_t at = 0; at + LINE <= n; at++)
		for (unsigned i = 0; i < 2; i++)
			if (memcmp(sent + at, text + i * LINE, LINE) == 0)
				times[i]++;
	for (unsigned i = 0; i < 2; i++)
		CHECK(times[i] == 1, "P1.1",
		      "of the messages of two CPUs the one of CPU %u came out whole %u times", !i,
		      times[i]);
}

/* Waits for @t without sleeping: without interrupts, a wait would never end. */
static void await(struct thread *t)
{
	u64 began = time_now();

	while (thread_join(t, NULL, DEADLINE_POLL) == -ETIMEDOUT && within(began))
		arch_spin_hint();
}

#define LONGER	70000u		/* bytes: more than the queue holds, or 16 bits count */
#define HELD	(SOON / 4)

static int write_longer(void *unused)
{
	(void)unused;
	park_arm(0, "spin_unlock", AT_EXIT, current_thread(), HELD);
	write(0, LONGER);
	return 0;
}

/*
 * CPU 1 writes a long message. As soon as it lets the lock go, CPU 0 writes a byte, and takes all
 * the room that it finds.
 */
static void check_longer(struct thread *t)
{
	struct uart_tap *tap = begin(ENDLESS);
	size_t at = 0, n = 0, others = 1;

	for (unsigned i = 0; i < LONG; i++)
		text[i] = i < LONGER ? (char)('a' + i % 26) : '.';
	thread_resume(t);
	park_wait(0, HELD);
	write(LONGER, LONGER + 1);
	others += console_write(STREAM_KERNEL, text + LONGER, LONG - LONGER);
	park_release(0);
	await(t);
	console_flush();
	console_send_more();
	uart_tap = NULL;
	while (at < tap->nr && sent[at] == '.')
		at++;
	while (n < LONGER && sent[at + n] == text[n])
		n++;
	CHECK(n == LONGER, "P1.1", "of a message of %u bytes %lu came out in one piece", LONGER, n);
	CHECK(tap->nr == LONGER + others, "P1.1",
	      "two CPUs wrote %lu bytes, and %lu came out", LONGER + others, tap->nr);
}

static struct thread *there(int (*main)(void *))
{
	struct thread *t = thread_create("writes", main, NULL, PRIORITY_DEFAULT);

	if (t)
		sched_set_affinity(t, BIT(1));
	return t;
}

/* The message of one CPU waits until that of the other is queued. */
KTEST(console_together, "console.together", "01.5", "P1.1")
{
	struct thread *t, *longer;
	struct uart_tap *tap;
	u64 began = time_now();

	NEEDS_TWO_CPUS;
	t = there(write_line);
	longer = there(write_longer);
	REQUIRE(t && longer, "P1.1", "no memory for a thread");
	sched_set_affinity(current_thread(), BIT(0));
	thread_yield();
	sending = written = overtaken = false;
	tap = begin(ENDLESS);
	tap->sending = hold;
	thread_resume(t);
	while (!sending && within(began))
		arch_spin_hint();
	write(LINE, 2 * LINE);
	written = true;
	await(t);
	end_mixed(tap);
	CHECK(sending, "P1.1", "what another CPU writes does not go out");
	CHECK(!overtaken, "P1.1", "a CPU wrote its message while another CPU was sending");
	check_longer(longer);
}
