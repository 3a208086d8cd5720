/*
 * Lab 01, step 6: traps inside traps, and handlers that print while a thread prints.
 */
#include "registers.h"

#include "base/bootargs.h"
#include "base/printf.h"
#include "base/string.h"
#include "console/console.h"
#include "errno.h"
#include "mm/vm.h"
#include "sched/cpu.h"
#include "sched/time.h"
#include "test/instrument.h"
#include "test/ktest.h"
#include "thread/thread.h"

#define NOWHERE		((vaddr_t)16)	/* in user space, never mapped */
#define STEPS		20000u

/* Makes a trap inside the timer's: a page fault that cannot be resolved. */
static void fault_once(void *unused)
{
	u32 word;

	(void)unused;
	CHECK(copy_from_user(&word, NOWHERE, sizeof(word)) == -EFAULT, "P1.9", "no fault");
	CHECK(!arch_irqs_enabled(), "P1.9", "a fault turns interrupts on");
	CHECK(!test_flags(), "P1.6", "user memory is open in a handler");
}

static bool found_open;

static void look_at_flags(void *unused)
{
	(void)unused;
	found_open |= test_flags();
}

/* An interrupt at every instruction of a copy, which opens user memory and then faults. */
static void interrupt_copies(void)
{
	u32 word;

	found_open = false;
	sweep_action = look_at_flags;
	for (unsigned step = 1; step < 200; step++) {
		sweep_begin(step);
		copy_from_user(&word, NOWHERE, sizeof(word));
		sweep_end();
	}
	CHECK(!found_open, "P1.6", "user memory is open in the handler of what interrupts a copy");
}

KTEST(nested_fault, "nested.fault", "01.6", "P1.9")
{
	NEEDS_ONE_CPU;
	sweep_action = fault_once;
	for (unsigned step = 1; step < 200; step++) {
		u64 lost;

		sweep_begin(step);
		lost = test_registers_keep(test_random(), 500);
		sweep_end();
		CHECK(!lost, "P1.9", "two traps, one in the other, changed register %lu", lost);
		CHECK(arch_irqs_enabled(), "P1.9", "interrupts stay off");
	}
	interrupt_copies();
	sweep_action = NULL;
}

/* Two interrupts are pending at once; the second may not come before the first is saved. */
KTEST(nested_pending, "nested.pending", "01.6", "P1.9")
{
	NEEDS_ONE_CPU;
	for (unsigned i = 0; i < 20; i++) {
		u64 lost;

		arch_irqs_disable();
		ipi_send(this_cpu(), IPI_RESCHED);
		timer_set(this_cpu(), time_now());
		for (unsigned n = 0; n < 1000; n++)
			arch_spin_hint();		/* until both are pending */
		arch_irqs_enable();
		lost = test_registers_keep(test_random(), 100);
		CHECK(!lost, "P1.9", "two interrupts at once changed register %lu", lost);
	}
}

/* --- A handler that prints -------------------------------------------------------------------- */

/*
 * Bytes that no other message has, so that a kernel may print what it likes, and a newline, which
 * is no end of a message. It is a program's stream, where a newline is one byte on the wire.
 */
static const char text[] = "\x11\x12\x13\x14\x15\n\x16\x17\x18\x19\x1a";

#define OWN	(sizeof(text) - 2)	/* bytes of the text, but the newline */
#define BYTE	"\x01"

static char sent[1024];
static unsigned said;

static void say(void *unused)
{
	(void)unused;
	said++;
	console_write_all(STREAM_KERNEL, BYTE, 1);
}

static unsigned count(const struct uart_tap *tap, char first, char last)
{
	unsigned found = 0;

	for (size_t i = 0; i < MIN(tap->nr, tap->size); i++)
		found += tap->bytes[i] >= first && tap->bytes[i] <= last;
	return found;
}

static void send_more(void *unused)
{
	(void)unused;
	console_send_more();
}

/* The UART's interrupt comes at every instruction of a message that is queued behind others. */
static void interrupt_by_uart(void)
{
	unsigned step = 0, calls, came;
	bool hit = true;

	sweep_action = send_more;
	while ((hit || step < 50) && ++step < STEPS) {
		struct uart_tap tap = { .bytes = sent, .size = sizeof(sent) };

		console_write_now(STREAM_KERNEL, "", 0);
		console_send_more();
		uart_tap = &tap;
		console_write_all(STREAM_USER, text, sizeof(text) - 1);
		console_write_all(STREAM_USER, text, sizeof(text) - 1);
		tap.rounds = 1000;		/* it was busy, and is not any more */
		sweep_begin(step);
		console_write_all(STREAM_USER, text, sizeof(text) - 1);
		sweep_end();
		hit = sweep_hit();
		for (calls = 0; tap.asked && calls < 100; calls++)
			console_send_more();
		came = count(&tap, 0x11, 0x1a);
		console_flush();
		console_send_more();
		uart_tap = NULL;
		CHECK(came == 3 * OWN, "P1.2",
		      "the UART's interrupt came in the middle: %lu bytes wait, and it is off",
		      3 * OWN - came);
	}
}

/* It interrupts the console at every instruction: neither waits for the other, no byte is lost. */
KTEST(nested_printing, "nested.printing", "01.6", "P1.1")
{
	unsigned step = 0;
	bool hit = true;

	NEEDS_ONE_CPU;
	sweep_action = say;
	while ((hit || step < 50) && ++step < STEPS) {
		struct uart_tap tap = { .bytes = sent, .size = sizeof(sent), .rounds = 1000 };
		size_t n = sizeof(text) - 1, at = 0;

		console_write_now(STREAM_KERNEL, "", 0);
		console_send_more();
		said = 0;
		uart_tap = &tap;
		sweep_begin(step);
		console_write_all(STREAM_USER, text, n);
		sweep_end();
		console_flush();
		console_send_more();
		uart_tap = NULL;
		hit = sweep_hit();
		CHECK(count(&tap, 1, 1) == said && count(&tap, 0x11, 0x1a) == OWN, "P1.1",
		      "of a text of %lu bytes %u came out, of a handler's %u bytes %u", OWN,
		      count(&tap, 0x11, 0x1a), said, count(&tap, 1, 1));
		while (at + n <= tap.nr && strncmp(sent + at, text, n))
			at++;
		CHECK(at + n <= tap.nr, "P1.1", "a handler's byte came into the line");
	}
	interrupt_by_uart();
	sweep_action = NULL;
	CHECK(step < STEPS, "P1.1", "a line takes more than %u instructions", step);
}

#define LONG	40000u		/* bytes: more than twice what the queue holds */

/* A handler that comes early in a long message of many lines waits until all of that is queued. */
KTEST(nested_long, "nested.long", "01.6", "P1.1")
{
	static char message[LONG], came[LONG + 1024];
	struct uart_tap tap = { .bytes = came, .size = sizeof(came), .rounds = 1000000 };
	size_t at = 0, n = 0;

	NEEDS_ONE_CPU;
	for (unsigned i = 0; i < LONG; i++)
		message[i] = i % 10 < 9 ? (char)(0x11 + i % 10) : '\n';
	console_write_now(STREAM_KERNEL, "", 0);
	console_send_more();
	said = 0;
	sweep_action = say;
	uart_tap = &tap;
	sweep_begin(300);
	console_write_all(STREAM_USER, message, LONG);
	sweep_end();
	console_flush();
	console_send_more();
	uart_tap = NULL;
	sweep_action = NULL;
	CHECK(said && count(&tap, 1, 1) == said, "P1.1",
	      "of a handler's %u bytes %u came out", said, count(&tap, 1, 1));
	while (at < sizeof(came) && came[at] != message[0])
		at++;
	while (at + n < sizeof(came) && n < LONG && came[at + n] == message[n])
		n++;
	CHECK(n == LONG, "P1.1", "of a message of %u bytes %lu came out in one piece", LONG,
	      n);
}

static char full[65536];	/* what came out while the queue was full */

/* Puts @c into the queue until it takes no more; returns how many it took. */
static unsigned fill_queue(char c)
{
	char filler[256];
	size_t taken = 0, n;

	memset(filler, c, sizeof(filler));
	do {
		n = console_write(STREAM_KERNEL, filler, sizeof(filler));
		taken += n;
	} while (n == sizeof(filler));
	return (unsigned)taken;
}

/*
 * Fills the queue: whoever has made room before must look again. The handler's own message goes
 * into the full queue as well.
 */
static void say_much(void *unused)
{
	said += fill_queue(1);
	say(unused);
	said += fill_queue(1);
}

/* Sends all that is queued, and counts. The report of a failed check goes to the wire. */
static void check_full(struct uart_tap *tap, unsigned fillers, unsigned messages)
{
	console_flush();
	console_send_more();
	uart_tap = NULL;
	CHECK(tap->nr < tap->size, "P1.1", "%lu bytes came out of a queue", tap->nr);
	CHECK(count(tap, 2, 2) == fillers && count(tap, 0x11, 0x1a) == messages, "P1.1",
	      "of %u bytes that filled the queue %u came out, of %u of messages %u", fillers,
	      count(tap, 2, 2), messages, count(tap, 0x11, 0x1a));
	CHECK(count(tap, 1, 1) == said, "P1.1", "of a handler's %u bytes %u came out", said,
	      count(tap, 1, 1));
	console_flush();
	console_send_more();
	tap->nr = 0;
	uart_tap = tap;
}

#define SPENT_MAX	150000000u	/* instructions: half of what the test has */

/* Whether there is time for more: a kernel may send a whole queue where it is full. */
static bool time_is_left(u64 began)
{
	return (time_now() - began) >> bootarg_number("shift", 0, 0, 10) < SPENT_MAX;
}

/*
 * A handler that takes the room from one that writes into a full queue: after a few instructions at
 * first, and then less often, as a kernel may make much room. An interrupt that comes while the
 * lock is held waits for its end, so none of the moments without it is left out.
 */
KTEST(nested_full, "nested.full", "01.6", "P1.1")
{
	struct uart_tap tap = { .bytes = full, .size = sizeof(full), .polls = 20 };
	unsigned step = 0, fillers = 0, messages = 0;
	u64 began = time_now();

	NEEDS_ONE_CPU;
	console_write_now(STREAM_KERNEL, "", 0);
	console_send_more();
	uart_tap = &tap;
	said = 0;
	sweep_action = say_much;
	while ((step < 50 || sweep_hit()) && time_is_left(began)) {
		step += 1 + step / 4;
		fillers += fill_queue(2);
		sweep_begin(step);
		console_write_all(STREAM_USER, text, sizeof(text) - 1);
		sweep_end();
		messages += OWN;
		if (tap.nr < sizeof(full) / 4)
			continue;
		check_full(&tap, fillers, messages);
		fillers = messages = said = 0;
	}
	sweep_action = NULL;
	check_full(&tap, fillers, messages);
	uart_tap = NULL;
}
