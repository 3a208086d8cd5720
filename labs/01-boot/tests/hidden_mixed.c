/*
 * Lab 01, hidden: whatever the console is called for, in any order, and chains of any frames,
 * against a model. Both run before any other thread exists, with interrupts off.
 */
#include "base/panic.h"
#include "base/string.h"
#include "console/console.h"
#include "console/uart.h"
#include "sched/cpu.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

/* --- The console ------------------------------------------------------------------------------ */

#define DLE		0x10
#define ROUNDS		400
#define TEXT		30000u		/* bytes: more than a queue may hold */
#define SIZE		200000u		/* more than goes out between two flushes */
#define MOST		64u		/* bytes sent at once, by the handout */
#define PATIENCE	20u		/* polls, where the queue is full */

static char sent[SIZE], expected[SIZE], text[TEXT + 1];
static size_t nr_expected, nr_compared;
static enum console_stream last_stream;
static struct uart_tap tap;

static void expect_byte(char c)
{
	if (nr_expected < SIZE)
		expected[nr_expected++] = c;
}

/* The bytes on the wire for the first @n of the text (console.h). */
static void expect_text(enum console_stream s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (console_is_mux() && s != last_stream) {
			expect_byte(DLE);
			expect_byte(s == STREAM_USER ? 'u' : 'k');
		}
		last_stream = s;
		if (console_is_mux() && text[i] == DLE)
			expect_byte(DLE);
		if (!console_is_mux() && s == STREAM_KERNEL && text[i] == '\n')
			expect_byte('\r');
		expect_byte(text[i]);
	}
}

/* Makes a text, most of them short, in which many bytes take two on the wire. Returns its size. */
static size_t make_text(void)
{
	size_t n = 1 + test_random() % (test_random() % 16 ? 80 : TEXT);

	for (size_t i = 0; i < n; i++) {
		u64 r = test_random() % 16;

		text[i] = r == 0 ? DLE : r == 1 ? '\n' : r == 2 ? '\0' : (char)('a' + i % 26);
	}
	return n;
}

/* The first fault of P1.1 and of P1.2: a check would print, and its text would go the same way. */
static struct fault {
	const char *what, *after;	/* NULL: none */
	u64 seen, due;
} faults[2];

static void expect(bool ok, unsigned property, const char *what, const char *after, u64 seen,
		   u64 due)
{
	if (!ok && !faults[property - 1].what)
		faults[property - 1] = (struct fault){ what, after, seen, due };
}

/* All that came is what was queued first. */
static void check_sent(const char *after)
{
	while (nr_compared < tap.nr && nr_compared < nr_expected &&
	       sent[nr_compared] == expected[nr_compared])
		nr_compared++;
	expect(nr_compared == tap.nr, 1, "right bytes have come", after, nr_compared, tap.nr);
	expect(!tap.overruns, 2, "bytes for which the UART had no room", after, tap.overruns, 0);
	expect(!tap.received, 2, "changes of the receive interrupt", after, tap.received, 0);
}

/* And the UART is asked to interrupt exactly if bytes are left. */
static void check_asked(const char *after)
{
	bool left = tap.nr < nr_expected;

	check_sent(after);
	expect(tap.asked == left, 2, "the transmit interrupt is on", after, tap.asked, left);
}

/* All has come: the next bytes are compared from the beginning of both again. */
static void check_empty(const char *after)
{
	expect(tap.nr == nr_expected, 1, "bytes have come", after, tap.nr, nr_expected);
	check_sent(after);
	tap.nr = nr_expected = nr_compared = 0;
}

/* As the UART's handler does: its FIFO is empty, and perhaps soon again. */
static void interrupt(void)
{
	size_t before = tap.nr, left = nr_expected - before, took;
	unsigned polled = tap.polled;

	tap.in_fifo = 0;
	console_send_more();
	took = tap.nr - before;
	expect(took >= MIN(left, (size_t)UART_FIFO), 2, "bytes sent at least", "an interrupt", took,
	       MIN(left, (size_t)UART_FIFO));
	expect(took <= MOST, 2, "bytes sent at most", "an interrupt", took, MOST);
	expect(tap.polled == polled, 2, "bytes sent by waiting", "an interrupt",
	       tap.polled - polled, 0);
	check_asked("an interrupt");
}

static void write(void)
{
	enum console_stream s = test_random() % 2 ? STREAM_KERNEL : STREAM_USER;
	size_t n = make_text();

	switch (test_random() % 8) {
	case 0:
		expect_text(s, n);
		console_write_now(s, text, n);
		check_empty("a message that waits");
		break;
	case 1:
	case 2:
	case 3:
		expect_text(s, console_write(s, text, n));
		check_sent("a write that does not wait");
		break;
	default:
		expect_text(s, n);
		console_write_all(s, text, n);
		check_asked("a message");
	}
}

static void begin(void)
{
	console_write_now(STREAM_KERNEL, "", 0);
	console_send_more();
	last_stream = STREAM_KERNEL;
	nr_expected = nr_compared = 0;
	memset(faults, 0, sizeof(faults));
	tap = (struct uart_tap){ .bytes = sent, .size = sizeof(sent), .polls = PATIENCE };
	uart_tap = &tap;
}

/* The kernel's stream is on at the end again, as its messages expect. */
static void end(void)
{
	static const char *const properties[] = { "P1.1", "P1.2" };

	text[0] = '.';
	expect_text(STREAM_KERNEL, 1);
	console_write_all(STREAM_KERNEL, text, 1);
	console_flush();
	console_send_more();
	check_empty("all");
	uart_tap = NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(faults); i++)
		CHECK(!faults[i].what, properties[i], "after %s: %s: %lu, not %lu", faults[i].after,
		      faults[i].what, faults[i].seen, faults[i].due);
}

KTEST_EARLY(console_mixed, "console.mixed", "01.h", "P1.1")
{
	begin();
	for (unsigned i = 0; i < ROUNDS && !faults[0].what; i++) {
		tap.rounds = test_random() % 6;
		if (test_random() % 3 && nr_expected < SIZE / 2) {
			write();
		} else if (test_random() % 8 && nr_expected < SIZE / 2) {
			interrupt();
		} else {
			console_flush();
			check_empty("a flush");
		}
	}
	end();
}

/* --- Call chains ------------------------------------------------------------------------------ */

#define WORDS	300u
#define FRAMES	20u

static u64 area[WORDS];
static struct thread owner;

/* Where the words of a frame are, counted from its frame pointer. */
static s64 next_at, return_at;

static void find_words(void)
{
	const u64 middle = WORDS / 2;

	for (unsigned i = 0; i < WORDS; i++)
		area[i] = i;
	next_at = (s64)(arch_frame_next((u64)&area[middle]) - middle);
	return_at = (s64)(arch_frame_return((u64)&area[middle]) - middle);
}

/* A frame that is not on the stack, words [@low, @high), or not above @last, which leads to it. */
static u64 bad_frame(unsigned low, unsigned high, unsigned last)
{
	switch (test_random() % 5) {
	case 0:
		return (u64)&area[last];
	case 1:
		return (u64)&area[low + test_random() % (last - low)];
	case 2:
		return (u64)&area[high + 2 + test_random() % 8];
	case 3:
		return (u64)&area[last + 2] + 1 + test_random() % 7;
	default:
		return test_random() % 64;
	}
}

/* Frames at random places of a stack, each with any return address; the last one leads nowhere. */
static void check_chain(void)
{
	unsigned low = 20 + test_random() % 20, high = 200 + test_random() % 60;
	unsigned n = 2 + test_random() % (FRAMES - 1), max = test_random() % (FRAMES + 2), found;
	u64 returns[FRAMES], pcs[FRAMES + 2];
	unsigned at[FRAMES];

	for (unsigned i = 0; i < WORDS; i++)
		area[i] = test_random();
	at[0] = low + 2 + test_random() % 8;
	for (unsigned i = 0; i < n; i++) {
		returns[i] = test_random() % 4 ? test_random() : 0;
		if (i)
			at[i] = at[i - 1] + 2 + test_random() % 6;
	}
	for (unsigned i = 0; i < n; i++) {
		area[at[i] + next_at] = i + 1 < n ? (u64)&area[at[i + 1]]
						  : bad_frame(low, high, at[i]);
		area[at[i] + return_at] = returns[i];
	}
	owner.stack = &area[low];
	owner.stack_size = (high - low) * sizeof(u64);
	found = backtrace_walk(&owner, (u64)&area[at[0]], pcs, max);
	CHECK(found == MIN(n, max) || (found == n - 1 && max >= n), "P1.4",
	      "of a chain of %u frames, the last of which leads nowhere, with room for %u, %u were "
	      "stored",
	      n, max, found);
	for (unsigned i = 0; i < found && i < n; i++)
		CHECK(pcs[i] == returns[i], "P1.3", "entry %u of the chain is %lx, not %lx", i,
		      pcs[i], returns[i]);
}

KTEST_EARLY(chain_mixed, "chain.mixed", "01.h", "P1.4")
{
	find_words();
	for (unsigned i = 0; i < ROUNDS; i++)
		check_chain();
}
