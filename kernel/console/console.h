/*
 * The console: one UART, two streams.
 *
 * With console=mux (which tools/run and the grader use) the bytes of user programs and those of
 * the kernel are marked on the wire: DLE (0x10) 'u' switches to the user stream, DLE 'k' to the
 * kernel's, DLE DLE is a DLE byte of the current stream, DLE 'x' <two hex digits> is the exit
 * status of init. With console=plain there are no marks, and a newline of the kernel goes out as
 * CR LF, for a person's terminal; newlines of user programs are the tty's business (ONLCR).
 *
 * User output is queued and sent by the UART's interrupt. The kernel's goes into the same queue, so
 * order is kept. A panic empties the queue by polling, and then writes by polling.
 */
#pragma once

#include "types.h"

enum console_stream { STREAM_KERNEL, STREAM_USER };

/* Reads console=, and lets kprintf() print from now on. Called by uart_early_init(). */
void console_early_init(void);

/* Turns on interrupts; the UART's registers are mapped at @uart, or NULL. */
void console_init(void *uart);

/* Queues up to @n bytes of @s without blocking; returns how many. Any context. */
size_t console_write(enum console_stream s, const char *buf, size_t n);

/* Queues all @n bytes; polls while the queue is full. Any context. */
void console_write_all(enum console_stream s, const char *buf, size_t n);

/* Writes behind what is queued, by polling, and returns when it is out. Any context. */
void console_write_now(enum console_stream s, const char *buf, size_t n);

/*
 * Appends a message to the kernel's log (log.h), and writes it unless the console is quiet; a panic
 * is always written. Any context.
 */
void console_say(const char *text, size_t n);
void console_set_quiet(bool on);

/* Whether another CPU is writing at this moment. For a panic, which takes no lock. Any context. */
bool console_written_by_another(void);

/* For a panic: empties the queue; from now on bytes go out by polling, without a lock. */
void console_panic_mode(void);

/* Waits until everything queued is on the wire. */
void console_flush(void);

/* Sends init's exit code, 0 to 255 as a shell counts, to the host (mux only), and flushes. */
void console_exit_status(int code);

bool console_is_mux(void);
#define CONSOLE_ROOM	512u
bool console_has_room(void);		/* console_write() would take CONSOLE_ROOM bytes */
void console_receive(bool on);		/* turns the UART's receive interrupt on or off */
void console_send_more(void);		/* for the UART's handler: its FIFO has room */

/* Functions of the terminal, the user of the console; called in the UART's interrupt. */
struct console_user {
	bool (*room)(void);		/* false: it has turned receiving off for now */
	void (*input)(char c);
	void (*output_ready)(void);	/* the queue has room again */
};

void console_attach(const struct console_user *who);	/* and starts to receive input */
bool console_input_room(void);				/* for the UART's handler */
void console_input(char c);
