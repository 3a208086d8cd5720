/*
 * The console: two streams of bytes over one UART; console.h has the format on the wire.
 *
 * Bytes are encoded (stream switches, CR LF) when they are queued, so a stream switch stands
 * exactly where it belongs. The UART's interrupt sends the queue; until that is set up, and when a
 * kernel message finds the queue full, it is sent by polling.
 *
 * Lock: console_lock, the innermost of all, since anything may print. It guards the queue and the
 * UART's transmit side. A panic takes no lock: it may have stopped the holder.
 *
 * CONSOLE1  head and tail only grow, and wrap; the queue has bytes [head, tail), RING_SIZE at most.
 *
 * The encoding of a character enters the queue by one change of tail, so a panic that interrupts a
 * writer never finds half of one.
 */
#include "console/console.h"

#include "base/bootargs.h"
#include "base/printf.h"
#include "base/string.h"
#include "config.h"
#include "console/log.h"
#include "console/uart.h"
#include "lock/spinlock.h"

#define DLE		0x10
#define RING_SIZE	16384u
#define ENCODED_MAX	4u		/* stream switch and an escaped byte */
#define BURST		(4 * UART_FIFO)	/* bytes sent with the lock held, interrupts off */

static struct spinlock console_lock = SPINLOCK_INIT(LOCK_UART);
static char ring[RING_SIZE];		/* [console_lock] */
static u32 head = -9999u, tail = -9999u;	/* [console_lock] each boot sees them wrap */
static int stream = -1;			/* [console_lock] of the last byte queued; -1: none yet */
static bool mux;			/* [const after boot] */
static bool interrupts;			/* [const after boot] they send the queue */
static struct thread *_Atomic panicked;	/* reports a panic, and alone may write from then on */

static u32 room(void)
{
	return RING_SIZE - (tail - head);
}

/* Stops this CPU if another one reports a panic: the wire then belongs to that one. */
static void stop_if_panicked(void)
{
	if (unlikely(panicked) && panicked != current_thread())
		panic_stop_this_cpu();
}

/* Sends the oldest byte, waiting for the UART. */
static void send_one_polled(void)
{
	stop_if_panicked();
	uart_send_polled(ring[head++ % RING_SIZE]);
}

static void send_all_polled(void)
{
	while (head != tail)
		send_one_polled();
}

/* Sends what the UART takes at once, up to BURST bytes; its interrupt asks for the rest. */
static void send_some(void) HOLDS(console_lock)
{
	u32 end = head + MIN(tail - head, (u32)BURST);

	if (!interrupts) {
		send_all_polled();
		return;
	}
	stop_if_panicked();
	/* LAB 01-boot: send what the UART takes; its interrupt is on while bytes are left */
	while (head != end && uart_send_ready())
		for (unsigned i = 0; i < UART_FIFO && head != end; i++)
			uart_send(ring[head++ % RING_SIZE]);
	if (head == tail)
		uart_interrupts(0, UART_TX);
	else
		uart_interrupts(UART_TX, 0);
	/* END LAB */
}

/* Stores @c of stream @s in @out as it goes over the wire; returns how many bytes that takes. */
static unsigned encode(enum console_stream s, char c, char out[ENCODED_MAX])
{
	unsigned n = 0;

	if (mux && stream != (int)s) {
		out[n++] = DLE;
		out[n++] = s == STREAM_USER ? 'u' : 'k';
		stream = s;
	}
	if (mux && c == DLE)
		out[n++] = DLE;
	if (!mux && c == '\n' && s == STREAM_KERNEL)
		out[n++] = '\r';
	out[n++] = c;
	return n;
}

static void queue_char(enum console_stream s, char c) HOLDS(console_lock)
{
	char out[ENCODED_MAX];
	unsigned n = encode(s, c, out);

	if (DEBUG_BUILD)
		assert(room() >= n);	/* CONSOLE1 */
	for (unsigned i = 0; i < n; i++)
		ring[(tail + i) % RING_SIZE] = out[i];
	tail += n;
}

/* Sends @buf straight to the wire, without queue and lock. */
static void write_direct(enum console_stream s, const char *buf, size_t n)
{
	char out[ENCODED_MAX];

	for (size_t i = 0; i < n; i++) {
		unsigned len = encode(s, buf[i], out);

		for (unsigned j = 0; j < len; j++)
			uart_send_polled(out[j]);
	}
}

size_t console_write(enum console_stream s, const char *buf, size_t n)
{
	size_t done = 0;

	if (panicked)
		return n;	/* only the panic's report goes out any more */
	spin_lock(&console_lock);
	while (done < n && room() >= ENCODED_MAX)
		queue_char(s, buf[done++]);
	send_some();
	spin_unlock(&console_lock);
	return done;
}

void console_write_all(enum console_stream s, const char *buf, size_t n)
{
	if (panicked) {
		if (panicked == current_thread())
			write_direct(s, buf, n);
		return;
	}
	/* LAB 01-boot: queue all bytes under the lock, by polling where there is no room */
	spin_lock(&console_lock);
	for (size_t i = 0; i < n; i++) {
		while (room() < ENCODED_MAX)
			send_one_polled();
		queue_char(s, buf[i]);
	}
	send_some();
	spin_unlock(&console_lock);
	/* END LAB */
}

void console_write_now(enum console_stream s, const char *buf, size_t n)
{
	spin_lock(&console_lock);
	send_all_polled();
	write_direct(s, buf, n);
	spin_unlock(&console_lock);
}

bool console_written_by_another(void)
{
	return atomic_load(&console_lock.locked) && !spin_held(&console_lock);
}

void console_panic_mode(void)
{
	if (atomic_exchange(&panicked, current_thread()))
		return;
	send_all_polled();
	stream = -1;		/* a writer was perhaps stopped midway: mark the stream anew */
}

/* --- The kernel's messages -------------------------------------------------------------------- */

static _Atomic bool quiet;

void console_say(const char *text, size_t n)
{
	if (!panicked)
		log_append(text, n);
	if (!quiet || panicked)
		console_write_all(STREAM_KERNEL, text, n);
}

void console_set_quiet(bool on)
{
	quiet = on;
}

/* --- The end, and the UART's side ------------------------------------------------------------- */

void console_flush(void)
{
	spin_lock(&console_lock);
	send_all_polled();
	uart_drain();
	spin_unlock(&console_lock);
}

void console_exit_status(int code)
{
	static const char digits[] = "0123456789abcdef";
	const char frame[] = { DLE, 'x', digits[code >> 4 & 15], digits[code & 15] };

	spin_lock(&console_lock);
	send_all_polled();
	for (size_t i = 0; mux && i < sizeof(frame); i++)
		uart_send_polled(frame[i]);
	uart_drain();
	spin_unlock(&console_lock);
}

static const struct console_user *user;	/* [const after boot] NULL: none yet */

bool console_is_mux(void)
{
	return mux;
}

bool console_has_room(void)
{
	bool has;

	spin_lock(&console_lock);
	has = room() >= CONSOLE_ROOM * ENCODED_MAX;
	spin_unlock(&console_lock);
	return has;
}

void console_receive(bool on)
{
	spin_lock(&console_lock);
	uart_interrupts(on ? UART_RX : 0, on ? 0 : UART_RX);
	spin_unlock(&console_lock);
}

void console_send_more(void)
{
	bool half_empty;

	spin_lock(&console_lock);
	send_some();
	half_empty = room() >= RING_SIZE / 2;
	spin_unlock(&console_lock);
	if (half_empty && user)
		user->output_ready();
}

void console_attach(const struct console_user *who)
{
	user = who;
	console_receive(true);
}

bool console_input_room(void)
{
	return user && user->room();
}

void console_input(char c)
{
	user->input(c);
}

void console_early_init(void)
{
	static const struct printf_output output = { console_say, console_flush };
	const char *how = bootarg("console");

	printf_output = &output;
	mux = how && strcmp(how, "mux") == 0;
	if (how && !mux && strcmp(how, "plain"))
		bootarg_bad("console", "mux or plain");
}

void console_init(void *uart)
{
	interrupts = uart_interrupt_init(uart);
}
